"""Pause, resume, step and stop, for all runs on the page at once: a race stays a race."""

import streamlit as st

from app.base.prose import literal
from app.engine import process
from app.store.database import StoreError
from app.store.run import Run
from app.ui.page import visitor
from app.ui.page.frame import page


def controls(runs: list[Run]) -> None:
    """The buttons that fit what the runs are doing; none for runs that have ended."""
    try:
        _buttons(runs)
    except StoreError as trouble:
        st.error(literal(str(trouble)))


def _buttons(runs: list[Run]) -> None:
    engine = process.engine()
    by, own = visitor.here(), [run for run in runs if run.origin == "trained"]
    active = [run for run in own if run.active and visitor.may("cancel", run)]
    stopped = [run for run in own if run.status in ("paused", "cancelled", "failed") and visitor.may("resume", run)]
    if not active and not stopped:
        return
    with st.container(horizontal=True, gap="small", key="controls"):
        if active:
            if st.button("Pause", icon=":material/pause:", help="Keep the weights and free the worker"):
                with visitor.attempt("Not paused"):
                    for run in active:
                        engine.runs.pause(run.id, by)
                    st.rerun()
            if st.button("Stop", icon=":material/stop:", type="primary", help="End here; everything measured is kept"):
                with visitor.attempt("Not stopped"):
                    for run in active:
                        engine.runs.cancel(run.id, by)
                    st.rerun()
        else:
            if st.button("Go on", icon=":material/play_arrow:", type="primary", help="From the newest checkpoint"):
                _resume(stopped)
            if st.button("Step", icon=":material/skip_next:", help="One update, then pause again"):
                _resume(stopped, steps=1)


def cut_link(runs: list[Run]) -> None:
    """The way to where a block is cut, where one of the runs has steps to make."""
    if cuttable := [run for run in runs if run.can_be_cut and visitor.may("cut", run)]:
        st.page_link(
            page("lesions"),
            label="Cut a block while it trains",
            icon=":material/content_cut:",
            query_params={"run": cuttable[-1].id},
        )


def _resume(runs: list[Run], steps: int | None = None) -> None:
    with visitor.attempt("Not resumed"):
        for run in runs:
            process.engine().runs.resume(run.id, visitor.here(), steps)
        st.rerun()
