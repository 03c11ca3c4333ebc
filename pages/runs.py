"""What has been trained here? All runs: find, compare, open, rename, delete."""

from datetime import UTC, datetime

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.figures.errors import errors
from app.store.run import Run
from app.ui.page import frame, visitor
from app.ui.runs.big_nets import big_nets
from app.ui.runs.downloads import take_away
from app.ui.runs.race_form import MAX_CONTESTANTS
from app.ui.runs.run_picker import run_table
from app.ui.runs.weights_import import bring_weights
from app.ui.widgets.live_chart import live_chart

STATUSES = ["running", "queued", "paused", "finished", "diverged", "failed", "cancelled"]

page = prose("runs")
engine = process.engine()
st.title(page["title"])
st.markdown(page["lead"])
with st.expander("Import weights from elsewhere", icon=":material/upload_file:"):
    bring_weights()
with st.expander("Big nets, trained on ImageNet", icon=":material/cloud_download:"):
    big_nets()

with st.container(horizontal=True, vertical_alignment="bottom"):
    words = st.text_input("Find", key="find", bind="query-params", placeholder="net, data, name", width=300)
    wanted = st.pills("Status", STATUSES, selection_mode="multi", key="status", bind="query-params")


def matches(run: Run) -> bool:
    """True for a run that the filter lets through."""
    text = f"{run.name} {run.id} {run.spec.title}".lower()
    return (not wanted or run.status in wanted) and all(word in text for word in words.lower().split())


def line(run: Run) -> dict[str, object]:
    """One row of the table."""
    history = engine.store.events.history(run.id)
    return {
        "name": run.name,
        **({"by": visitor.nickname(run)} if engine.settings.mode == "class" else {}),
        "net": run.spec.net.name,
        "data": run.spec.data,
        "status": run.status,
        "progress": run.step / run.total if run.total else float(run.status == "finished"),
        "train": history.train_error(run.started.epoch_steps if run.started else 1),
        "test": history.test_error(),
        "images/s": history.images_per_second(),
        "begun": datetime.fromtimestamp(run.created, UTC),
        "recipe": run.spec.recipe.name,
        "seed": run.spec.seed,
    }


runs = [run for run in visitor.runs() if matches(run)]
if not runs:
    st.info(page["empty"])
    st.stop()

chosen = run_table(
    runs,
    line,
    column_config={
        "progress": st.column_config.ProgressColumn(format="percent"),
        "train": st.column_config.NumberColumn("train error %", format="%.2f"),
        "test": st.column_config.NumberColumn("test error %", format="%.2f"),
        "images/s": st.column_config.NumberColumn(format="%.0f"),
        "begun": st.column_config.DatetimeColumn(format="calendar"),
    },
    alt="All runs with their nets, data, errors and progress",
)
st.caption(f":green-badge[measured] {page['measured']}")

if not chosen:
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    few = chosen[:MAX_CONTESTANTS]
    if st.button("Open", type="primary", icon=":material/open_in_new:", help="On the Train page, up to four at once"):
        st.switch_page(frame.page("train"), query_params={"run": [run.id for run in few]})
    own = [run for run in chosen if visitor.may_change(run) and not run.active]
    with st.popover("Delete", icon=":material/delete:", disabled=not own):
        st.markdown(f"Delete {len(own)} {'run' if len(own) == 1 else 'runs'} with events and weights? For good.")
        if st.button("Yes, delete", type="primary"):
            for run in own:
                engine.store.delete(run.id)
            st.rerun()
    if len(chosen) == 1 and (chosen[0].origin == "reference" or visitor.may_change(chosen[0])):
        name = st.text_input(
            "Name", chosen[0].name, max_chars=80, key=f"name-{chosen[0].id}-{chosen[0].name}", width=360
        )
        if name.strip() and name != chosen[0].name:
            engine.store.runs.rename(chosen[0].id, name)
            st.rerun()

if len(own) < len(chosen):
    st.caption("Reference runs come with the program and stay; a run that is under way has to be stopped first.")
if measured := [run for run in few if run.origin != "imported"]:
    figure = errors([(run.spec, engine.store.events.history(run.id).series()) for run in measured], height=360)
    live_chart(figure, key="compared", rev="-".join(run.id for run in measured))
    st.caption(figure.caption)
if len(chosen) == 1:
    take_away(chosen[0])
