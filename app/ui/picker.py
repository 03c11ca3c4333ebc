"""Which runs a page is about: those of the address, else a recorded pair, so that no page is ever empty."""

import streamlit as st

from app import jobs
from app.ui import address

DEFAULT_RUNS = ("reference-plain-56", "reference-resnet-56")


def chosen_runs() -> list[str]:
    """Ids of the runs to show. A run that is not in this store is left out, and said."""
    known = {run.id for run in jobs.engine().store.runs()}
    asked = address.read().runs
    missing = [run for run in asked if run not in known]
    if missing:
        st.warning(f"This store has no run {', '.join(missing)}: it was deleted, or belongs to another server.")
    found = [run for run in asked if run in known]
    return found or [run for run in DEFAULT_RUNS if run in known]
