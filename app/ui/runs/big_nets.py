"""Nets that torchvision trained on ImageNet: a press fetches one for all who use this server."""

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.engine.weight_downloads import BIG_NETS, Fetching, Pretrained
from app.store.run import Run
from app.ui.page import visitor

LOOK_SECONDS = 0.5


def big_nets() -> None:
    """One line a net: what it is, and a button, or how far it is, or that it is here."""
    st.markdown(prose("runs")["big"])
    under_way = any(_waited_for(wanted) for wanted in BIG_NETS)
    st.fragment(_lines, run_every=LOOK_SECONDS if under_way else None)(under_way)


def arrived(wanted: Pretrained) -> Run | None:
    """The run that it became, if it is in the store under its own name."""
    return next(filter(wanted.became, process.engine().store.runs.all()), None)


def _waited_for(wanted: Pretrained) -> bool:
    state = process.engine().arrivals.big_nets.state(wanted)
    return state is not None and not state.trouble


def _lines(under_way: bool) -> None:
    for wanted in BIG_NETS:
        _line(wanted)
    if under_way != any(_waited_for(wanted) for wanted in BIG_NETS):
        st.rerun()  # one has begun, or all have ended: look more often, or no more; and the runs are others


def _line(wanted: Pretrained) -> None:
    fetcher, by, megabytes = process.engine().arrivals.big_nets, visitor.here(), wanted.size / 1e6
    state, run = fetcher.state(wanted), arrived(wanted)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{wanted.title}**", width=90)
        st.caption(f"{megabytes:,.0f} MB · :violet-badge[torchvision] {wanted.error:.1f} % errors", width=260)
        if run is not None:
            inside = f"features?run={run.id}&source=upload&beside=none"
            st.markdown(f":material/check: here: [look inside]({inside})", width="content")
        elif state is not None and not state.trouble:
            st.progress(min(state.done / wanted.size, 1.0), text=_doing(state, wanted), width=260)
            stoppable = state.done < wanted.size and fetcher.may_stop(wanted, by)
            if stoppable and st.button(
                "Stop", key=f"stop-{wanted.file}", icon=":material/stop:", disabled=state.stopping
            ):
                with visitor.attempt("Not stopped"):
                    fetcher.stop(wanted, by)
                    st.rerun()
        elif st.button("Fetch", key=f"fetch-{wanted.file}", icon=":material/download:"):
            fetcher.begin(wanted, by)
            st.rerun()
    if state is not None and state.trouble and run is None:
        st.error(literal(state.trouble))


def _doing(state: Fetching, wanted: Pretrained) -> str:
    if state.stopping:
        return "stopping"
    if state.done < wanted.size:
        return f"{state.done / 1e6:,.0f} of {wanted.size / 1e6:,.0f} MB"
    return "reading the weights"
