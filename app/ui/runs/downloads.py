"""What a reader can take away of a run: its files in one zip, and its net as a program."""

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.export import run_files as export
from app.store.run import Run
from models.paper.code import code
from models.spec import NetSpec


def take_away(run: Run) -> None:
    """Draw the export of one run and its code."""
    files, program = st.tabs(["Files", "Code"], key=f"away-{run.id}")
    store = process.engine().store
    with files:
        st.markdown(prose("runs")["files"])
        # Made when it is asked for, not at every rerun.
        st.download_button(
            "Weights, events, spec and script",
            lambda: export.zipped(store, run.id).read(),
            f"{run.id}.zip",
            "application/zip",
            icon=":material/download:",
            on_click="ignore",
            key=f"zip-{run.id}",
        )
    with program:
        show_code(run.spec.net)


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
