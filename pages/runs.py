"""What has been trained here? All runs: find, compare, open, rename, delete."""

from datetime import UTC, datetime

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.figures.errors import errors
from app.figures.theme import short_names
from app.store.run_group import RunGroup
from app.ui.page import frame, visitor
from app.ui.runs.big_nets import big_nets
from app.ui.runs.curve_words import against_the_first
from app.ui.runs.downloads import take_away
from app.ui.runs.race_form import MAX_CONTESTANTS
from app.ui.runs.run_picker import run_table
from app.ui.runs.standing import Standing
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
    each = st.toggle("each seed", key="each", bind="query-params", help=page["each"])


def matches(group: RunGroup) -> bool:
    """True for what the filter lets through: by words of its line, or by the id of one of its runs."""
    run, asked = group.first, words.lower().split()
    text = f"{run.name} {run.id} {run.spec.title}".lower()
    found = all(word in text for word in asked) or any(one.lower() in asked for one in group.ids)
    return found and (not wanted or any(one.status in wanted for one in group.runs))


def listed() -> list[RunGroup]:
    """What the table has a line for."""
    runs = visitor.runs()
    groups = [RunGroup((run,)) for run in runs] if each else engine.store.groups(runs)
    return [group for group in groups if matches(group)]


def line(group: RunGroup) -> dict[str, object]:
    """One row of the table."""
    run, history = group.first, engine.store.events.history
    return {
        "name": run.name,
        **({"by": visitor.nickname(run)} if engine.settings.mode == "class" else {}),
        "net": run.spec.net.name,
        "data": run.spec.data,
        "seeds": group.seeds,
        "status": group.status,
        "progress": group.progress,
        "train": group.mean(lambda one: history(one.id).train_error(one.epoch_steps or 1)),
        "test": group.mean(lambda one: history(one.id).test_error()),
        "images/s": group.mean(lambda one: history(one.id).images_per_second()),
        "begun": datetime.fromtimestamp(min(one.created for one in group.runs), UTC),
        "recipe": run.spec.recipe.name,
    }


def laid_over(groups: list[RunGroup]) -> None:
    """Their curves in one figure, and what tells the first from each of the others."""
    each = [[engine.store.events.history(run.id) for run in group.runs] for group in groups]
    series = [tuple(history.series() for history in histories) for histories in each]
    firsts = [(group.runs[0].spec, several[0]) for group, several in zip(groups, series, strict=True)]
    figure = errors(firsts, seeds=series, height=360)
    live_chart(figure, key="compared", rev="-".join(run for group in groups for run in group.ids))
    st.caption(figure.caption)
    names = short_names([spec for spec, _ in firsts])
    standings = [
        Standing.of(name, group.runs, histories) for name, group, histories in zip(names, groups, each, strict=True)
    ]
    for passage in against_the_first(standings):
        st.markdown(passage)


groups = listed()
if not groups:
    st.info(page["empty"])
    st.stop()

for run in [run for group in groups for run in group.runs]:
    if silent := engine.runs.silent(run):
        st.warning(page["silent"].format(name=literal(run.name), seconds=silent, step=run.step))
chosen = run_table(
    groups,
    line,
    column_config={
        "progress": st.column_config.ProgressColumn(format="percent"),
        "train": st.column_config.NumberColumn("train error %", format="%.2f", help=page["train-help"]),
        "test": st.column_config.NumberColumn("test error %", format="%.2f", help=page["test-help"]),
        "seeds": st.column_config.TextColumn("seed" if each else "seeds"),
        "images/s": st.column_config.NumberColumn(format="%.0f"),
        "begun": st.column_config.DatetimeColumn(format="calendar"),
    },
    alt="All runs with their nets, data, errors and progress",
)
st.caption(f":green-badge[measured] {page['measured']}")

if not chosen:
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    few, everyone = chosen[:MAX_CONTESTANTS], [run for group in chosen for run in group.runs]
    if st.button("Open", type="primary", icon=":material/open_in_new:", help="On the Train page, up to four at once"):
        st.switch_page(frame.page("train"), query_params={"run": [group.first.id for group in few]})
    own = [run for run in everyone if visitor.may("delete", run) and not run.active]
    with st.popover("Delete", icon=":material/delete:", disabled=not own):
        seeds = ", every seed of what is chosen," if len(everyone) > len(chosen) else ""
        st.markdown(f"Delete {len(own)} {'run' if len(own) == 1 else 'runs'}{seeds} with events and weights? For good.")
        if st.button("Yes, delete", type="primary"):
            with visitor.attempt("Not deleted"):
                for run in own:
                    engine.runs.delete(run.id, visitor.here())
                st.rerun()
    if len(chosen) == 1 and visitor.may("rename", one := chosen[0].first):
        name = st.text_input("Name", one.name, max_chars=80, key=f"name-{one.id}-{one.name}", width=360)
        if name.strip() and name != one.name:
            with visitor.attempt("Not renamed"):
                engine.runs.rename(one.id, name, visitor.here())
                st.rerun()

if len(own) < len(everyone):
    st.caption(
        "Reference runs come with the program and stay, and so does what others train here; "
        "a run that is under way has to be stopped first."
    )
if measured := [group for group in few if group.first.origin != "imported"]:
    laid_over(measured)
if len(chosen) == 1:
    take_away(chosen[0])
