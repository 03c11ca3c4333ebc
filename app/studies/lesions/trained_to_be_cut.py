"""A stochastic-depth run and its ordinary twin: what a cut costs each, or a button that trains them."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import literal, prose
from app.store.run import Run
from app.studies.lesions.controls import set_beside
from app.studies.lesions.prices import tenth_of
from app.studies.lesions.section import STUDIES, kept
from app.studies.lesions.words import pair_words
from app.ui.page import address, visitor
from app.ui.runs.subject import Look, look
from app.ui.runs.train_here import train_button, training, usable
from app.values.cut_spec import removable
from app.values.datasets import BUNDLED, DATASETS
from app.values.run_spec import RunSpec
from models.spec import NetSpec

PAIR = ("stochastic-20:width=8", "resnet-20:width=8")


def trained_to_be_cut(looks: Sequence[Look]) -> None:
    """What a cut costs the newest pair; where there is none, offer to train one. `looks`: the runs that are studied."""
    page = prose("lesions")
    pairs = twins(visitor.runs())
    if not pairs:
        train_button(page["pair-start"], _specs())
        return
    pair = pairs[0]
    if any(run.active for run in pair):
        training(pair, page["pair-training"])
        return
    names = [literal(run.name) for run in pair]
    st.markdown(_told(names, pair) or page["pair-waits"].format(dropped=names[0], ordinary=names[1]))
    if not {run.id for run in pair} <= {look.run.id for look in looks}:
        st.button(page["pair-study"], icon=":material/content_cut:", on_click=_study, args=[run.id for run in pair])


def twins(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Pairs that differ in nothing but that blocks were dropped while the first was trained; the newest first."""
    trained = [run for run in runs if usable(run)]
    return [
        (dropped, ordinary)
        for dropped in trained
        if dropped.spec.net.family == "stochastic"
        for ordinary in trained
        if ordinary.spec.net.family == "resnet"
        and ordinary.spec.net.is_twin_of(dropped.spec.net)
        and ordinary.spec.trained_like(dropped.spec)
        and ordinary.spec.seed == dropped.spec.seed
    ]


def _specs() -> list[RunSpec]:
    data = DATASETS[BUNDLED]
    return [RunSpec(net=NetSpec.parse(net).fitted(data.channels, data.classes)) for net in PAIR]


def _told(names: Sequence[str], pair: Sequence[Run]) -> str:
    """What a tenth of the blocks costs both, once the study that tells has been made; until then nothing."""
    looks = [found for run in pair if (found := look(run)) is not None]
    study = "one by one" if tenth_of(len(removable(pair[0].spec.net))) == 1 else "at random"
    results = [result for look in looks if (result := kept(study, look)) is not None]
    return pair_words(names, results) if len(results) == len(pair) else ""


def _study(dropped: str, ordinary: str) -> None:
    """The pair becomes what the page is about. Runs before the page does."""
    address.write(runs=(dropped,), step=None)
    set_beside(dropped, [ordinary])
    st.session_state["study"] = list(STUDIES)
