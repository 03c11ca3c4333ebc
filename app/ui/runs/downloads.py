"""What a reader can take away of a run: its files in one zip, and its net as a program."""

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.store.run import Run
from app.store.run_group import RunGroup
from app.ui.page import visitor
from models.paper.code import code
from models.spec import NetSpec


def take_away(group: RunGroup) -> None:
    """Draw the export of a run, of several seeds the one that is chosen, and its code."""
    files, program = st.tabs(["Files", "Code"], key=f"away-{group.first.id}")
    runs, by = process.engine().runs, visitor.here()
    with files:
        st.markdown(prose("runs")["files"])
        run = _of_a_seed(group)
        if not run.has_weights:
            st.caption(prose("runs")["no-weights"])
        # Made when it is asked for, not at every rerun.
        st.download_button(
            "Weights, events, spec and script" if run.has_weights else "Events, spec and script",
            lambda: runs.export(run.id, by).read(),
            f"{run.id}.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
            key=f"zip-{run.id}",
        )
    with program:
        show_code(group.first.spec.net)


def _of_a_seed(group: RunGroup) -> Run:
    """The run whose files are asked for: what stands for the group until a seed is chosen."""
    if len(group.runs) == 1:
        return group.first
    runs = {run.spec.seed: run for run in group.runs}
    first = list(runs).index(group.first.spec.seed)
    seed = st.selectbox("Seed", list(runs), first, key=f"seed-{' '.join(group.ids)}", width=120)
    return runs[seed]


def show_code(net: NetSpec) -> None:
    """The net as a PyTorch program: to read, to copy, to download."""
    text = code(net)
    st.markdown(prose("runs")["code"])
    st.download_button(
        f"{net.name}.py",
        text,
        f"{net.name}.py",
        "text/x-python",
        icon=":material/download:",
        on_click="ignore",
        key=f"code-{net}",
    )
    st.code(text, language="python")
