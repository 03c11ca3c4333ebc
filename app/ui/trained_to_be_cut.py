"""A stochastic-depth run and its ordinary twin: the pair to study, or a button that trains it."""

from collections.abc import Sequence

import streamlit as st

from app import jobs
from app.datasets import BUNDLED, DATASETS
from app.limits import RefusedError
from app.runs import Run
from app.spec import RunSpec
from app.ui import address, visitor
from app.ui.prose import literal, prose
from app.ui.studies import STUDIES
from models.spec import NetSpec

PAIR = ("stochastic-20:width=8", "resnet-20:width=8")


def trained_to_be_cut(here: str) -> None:
    """Offer the pair. `here`: the run that the page is about."""
    page = prose("lesions")
    pairs = twins(visitor.runs())
    if not pairs:
        if st.button(page["pair-start"], icon=":material/play_arrow:"):
            _start()
        return
    dropped, ordinary = pairs[0]
    if dropped.active or ordinary.active:
        st.fragment(_wait, run_every=1)(dropped.id, ordinary.id)
    elif here in (dropped.id, ordinary.id):
        st.markdown(page["pair-seen"].format(dropped=literal(dropped.name), ordinary=literal(ordinary.name)))
    else:
        st.button(page["pair-study"], icon=":material/content_cut:", on_click=_study, args=(dropped.id, ordinary.id))


def twins(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """Pairs that differ in nothing but that blocks were dropped while the first was trained; the newest first."""
    kept = [
        run
        for run in runs
        if run.origin != "imported" and (run.active or run.checkpoint is not None or run.origin == "reference")
    ]
    return [
        (dropped, ordinary)
        for dropped in kept
        if dropped.spec.net.family == "stochastic"
        for ordinary in kept
        if ordinary.spec.net.family == "resnet"
        and ordinary.spec.net.depth == dropped.spec.net.depth
        and ordinary.spec.net.width == dropped.spec.net.width
        and (ordinary.spec.data, ordinary.spec.recipe, ordinary.spec.seed)
        == (dropped.spec.data, dropped.spec.recipe, dropped.spec.seed)
    ]


def _start() -> None:
    about = DATASETS[BUNDLED]
    specs = [RunSpec(net=NetSpec.parse(net).fitted(about.channels, about.classes)) for net in PAIR]
    try:
        jobs.engine().submit(specs, visitor.owner())
    except RefusedError as refused:
        st.error(literal(f"Not started: {refused}."))
    else:
        st.rerun()


def _wait(dropped: str, ordinary: str) -> None:
    runs = [jobs.engine().store.run(run) for run in (dropped, ordinary)]
    if not any(run.active for run in runs):
        st.rerun()
    share = min((run.step / run.total if run.total else 0.0) for run in runs)
    st.progress(min(share, 1.0), text=prose("lesions")["pair-training"])


def _study(dropped: str, ordinary: str) -> None:
    """The pair becomes what the page is about. Runs before the page does."""
    address.write(runs=(dropped,), step=None)
    st.session_state["beside"] = [ordinary]
    st.session_state["_beside_of"] = dropped
    st.session_state["study"] = list(STUDIES)
