"""The teacher's view: every run of the class as a point, all runs to stop or to pin, a message to all."""

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.store.run_group import RunGroup
from app.studies.class_sweep.section import class_plot
from app.ui.page import visitor
from app.ui.page.teacher import entrance, message_to_all
from app.ui.runs.run_picker import run_table

page = prose("class")
engine = process.engine()
st.title(page["title"])
if not visitor.is_teacher():
    entrance()
    st.stop()
st.markdown(page["lead"])
class_plot()

st.markdown(page["runs"])


def line(row: RunGroup) -> dict[str, object]:
    """One row of the table: a run alone, for whoever stops or pins has to see which."""
    run = row.first
    return {
        "name": run.name,
        "net": run.spec.net.name,
        "by": visitor.nickname(run),
        "status": run.status,
        "progress": row.progress,
        "pinned": run.pinned,
    }


runs = [run for run in visitor.runs() if run.origin != "reference"]
if runs:
    rows = run_table(
        [RunGroup((run,)) for run in runs],
        line,
        column_config={"progress": st.column_config.ProgressColumn(format="percent")},
        alt="Every run of the class, by whom, and how far it is",
    )
    chosen = [row.first for row in rows]
    active, unpinned = [run for run in chosen if run.active], [run for run in chosen if not run.pinned]
    with st.container(horizontal=True):
        if st.button("Stop", icon=":material/stop:", type="primary", disabled=not active):
            with visitor.attempt("Not stopped"):
                for run in active:
                    engine.runs.cancel(run.id, visitor.here())
                st.rerun()
        if st.button("Pin" if unpinned or not chosen else "Unpin", icon=":material/keep:", disabled=not chosen):
            with visitor.attempt("Not pinned"):
                for run in chosen:
                    engine.runs.pin(run.id, bool(unpinned), visitor.here())
                st.rerun()
    st.caption(page["pinned"])
else:
    st.info(page["empty"])

st.markdown(page["message"])
message_to_all()
