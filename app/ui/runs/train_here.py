"""Runs that a study needs and the store may lack: trained by one press, and waited for where they are needed."""

from collections.abc import Sequence

import streamlit as st

from app.engine import process
from app.store.run import Run
from app.ui.runs.submit import submitted
from app.values.run_spec import RunSpec


def train_button(label: str, specs: Sequence[RunSpec]) -> None:
    """A button that queues these runs."""
    if st.button(label, icon=":material/play_arrow:") and submitted(specs):
        st.rerun()


def training(runs: Sequence[Run], doing: str) -> None:
    """How far they are; the page is run again once none of them trains."""
    st.fragment(_wait, run_every=1)(tuple(run.id for run in runs), doing)


def usable(run: Run) -> bool:
    """True if it has weights of this program's own training, or may yet have them."""
    return run.origin != "imported" and (run.active or run.has_weights)


def _wait(ids: tuple[str, ...], doing: str) -> None:
    runs = [process.engine().store.runs.get(run) for run in ids]
    if not any(run.active for run in runs):
        st.rerun()
    share = min((run.step / run.total if run.total else 0.0) for run in runs)
    st.progress(min(share, 1.0), text=doing)
