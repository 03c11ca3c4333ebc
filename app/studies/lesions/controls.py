"""What stands beside the run that the lesion studies are about: its plain twin, and a VGG."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import prose
from app.store.run import Run
from app.ui.page import visitor
from app.ui.runs.subject import Look, look
from app.ui.runs.train_here import train_button, training, usable
from app.values.run_spec import RunSpec
from models.spec import NetSpec

CONTROLS = 2
VGG = "vgg-16"
_BESIDE = "beside"


def beside(seen: Look) -> list[Look]:
    """Draw the choice of runs to set beside the one looked at: by default its plain twin and a VGG, if they are."""
    runs = {run.id: run for run in visitor.runs() if run.id != seen.run.id and run.has_weights}
    usual = usual_controls(seen.run, list(runs.values()))
    if st.session_state.get("_beside_of", seen.run.id) != seen.run.id:
        st.session_state[_BESIDE] = usual
    st.session_state["_beside_of"] = seen.run.id
    chosen = st.multiselect(
        prose("lesions")["beside"],
        list(runs),
        default=usual,
        key=_BESIDE,
        bind="query-params",
        max_selections=CONTROLS,
    )
    _offer_vgg(seen.run, chosen)
    return [seen_beside for run in chosen[:CONTROLS] if (seen_beside := look(runs[run])) is not None]


def set_beside(run: str, others: Sequence[str]) -> None:
    """Let these stand beside a run, the last ones if there are too many. To be called before the page is drawn."""
    st.session_state[_BESIDE] = list(others)[-CONTROLS:]
    st.session_state["_beside_of"] = run


def usual_controls(run: Run, others: Sequence[Run]) -> list[str]:
    """The plain twin of a run, or, of a plain run, a residual one whose twin it is; and a VGG. Trained as it was."""
    own = run.spec.net
    order = sorted(
        (
            other
            for other in others
            if other.spec.net.is_twin_of(own) and "plain" in (other.spec.net.family, own.family) and _alike(other, run)
        ),
        key=lambda control: (control.origin != "reference", control.spec.net.family != "resnet"),
    )
    return [control.id for control in (*order[:1], *_vggs(run, others)[:1])]


def _offer_vgg(run: Run, chosen: Sequence[str]) -> None:
    """The paper's control: one that was trained is set beside by a press, else one is trained."""
    page, spec = prose("lesions"), run.spec
    if run.origin == "imported" or spec.net.form != "cifar" or spec.net.family == "vgg":
        return
    trained = _vggs(run, visitor.runs())[:1]
    if not trained:
        net = NetSpec.parse(f"{VGG}:width={spec.net.width}").fitted(spec.net.channels, spec.net.classes)
        asked = RunSpec(net=net, data=spec.data, recipe=spec.recipe, seed=spec.seed, images=spec.images)
        train_button(page["vgg-start"].format(net=net.name, width=net.width), [asked])
    elif trained[0].active:
        training(trained, page["vgg-training"])
    elif trained[0].id not in chosen:
        label = page["vgg-beside"].format(net=trained[0].spec.net.name)
        st.button(label, icon=":material/add:", on_click=set_beside, args=(run.id, [*chosen, trained[0].id]))


def _vggs(run: Run, others: Sequence[Run]) -> list[Run]:
    return [other for other in others if other.spec.net.family == "vgg" and other.id != run.id and _alike(other, run)]


def _alike(run: Run, other: Run) -> bool:
    """True if they are trained on the same images by the same recipe."""
    return usable(run) and run.spec.trained_like(other.spec)
