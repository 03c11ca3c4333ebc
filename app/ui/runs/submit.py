"""Runs asked for on a page: queued for this browser or, where the server refuses them, said so."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import literal
from app.engine import process
from app.engine.policy.limits import RefusedError
from app.store.database import StoreError
from app.store.run import Run
from app.ui.page import visitor
from app.values.run_spec import RunSpec


def submitted(specs: Sequence[RunSpec]) -> list[Run]:
    """The runs, queued; none where they are refused: the page then says why, and stands as it was."""
    try:
        return process.engine().runs.submit(specs, visitor.here())
    except RefusedError as refused:
        st.error(literal(f"Not started: {refused}."))
    except StoreError as trouble:
        st.error(literal(f"Not started. {trouble}"))
    return []
