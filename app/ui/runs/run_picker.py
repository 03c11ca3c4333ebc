"""Which runs a page is about: those of the address, else a recorded pair, so that no page is ever empty."""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import streamlit as st

from app.base.prose import literal
from app.store.run_group import RunGroup
from app.ui.page import address, visitor

_SELECTED = "_selected_runs"

DEFAULT_RUNS = ("reference-plain-56", "reference-resnet-56")


def chosen_runs(default: Sequence[str] = DEFAULT_RUNS) -> list[str]:
    """Ids of the runs to show; `default` where the address names none. One that is not in this store is said."""
    known = {run.id for run in visitor.runs()}
    asked = address.read().runs
    missing = [run for run in asked if run not in known]
    if missing:
        quoted = ", ".join(literal(str(run)[:64]) for run in missing[: address.MOST])
        st.warning(f"This store has no run {quoted}: it was deleted, or belongs to another server.")
    chosen = [run for run in asked if run in known]
    return chosen or [run for run in default if run in known]


def run_table(
    rows: Sequence[RunGroup], line: Callable[[RunGroup], dict[str, object]], **options: Any
) -> list[RunGroup]:
    """A table with a line for each group, and those selected in it. `options` are those of `st.dataframe`.

    Streamlit remembers a selection by the rows' numbers, and a run that someone starts moves them all: so the table is
    a new one whenever its rows are, and takes its selection over by the runs' ids.
    """
    before = set(st.session_state.get(_SELECTED, ()))
    kept = [place for place, row in enumerate(rows) if before.intersection(row.ids)]
    ids = "/".join(" ".join(row.ids) for row in rows)
    table = st.dataframe(
        [line(row) for row in rows],
        key=f"runs-{blake2b(ids.encode(), digest_size=8).hexdigest()}",
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": kept}},
        hide_index=True,
        **options,
    )
    selected = [rows[index] for index in table.selection.rows if index < len(rows)]
    st.session_state[_SELECTED] = [run for row in selected for run in row.ids]
    return selected
