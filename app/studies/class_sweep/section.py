"""The class plot: runs of a class that were trained alike, as they stand."""

from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.engine.engine import Engine
from app.store.run import Run
from app.studies.class_sweep.figures import sweep
from app.studies.class_sweep.points import Point, State, lines, title, trained_alike
from app.studies.class_sweep.words import passages
from app.ui.page import visitor
from app.ui.widgets.live_chart import live_chart
from app.values.datasets import find

ERRORS = {"training": "Training", "test": "Test"}
REFRESH_SECONDS = 10
_MENU, _CHOSEN = "alike", "_alike_chosen"


def class_plot() -> None:
    """Draw the choice of runs and of error, and the plot, again every few seconds."""
    with st.container(horizontal=True):
        of = st.segmented_control("Error", list(ERRORS), default="training", key="error", required=True)
        chosen = _set_menu(_trained())
    st.fragment(_draw, run_every=REFRESH_SECONDS)(of or "training", chosen)


def _trained() -> list[Run]:
    return [run for run in visitor.runs() if run.origin == "trained"]


def _set_menu(runs: Sequence[Run]) -> Hashable:
    """Which runs that were trained alike are shown; until one is chosen, those that are most."""
    counts = Counter(trained_alike(run.spec) for run in runs)
    sets = [alike for alike, _ in counts.most_common()]
    if len(sets) < 2:
        return next(iter(sets), None)
    titles = _titles(runs)
    wanted = st.session_state.get(_CHOSEN)
    st.session_state[_MENU] = wanted if wanted in counts else sets[0]

    def choose() -> None:
        st.session_state[_CHOSEN] = st.session_state.get(_MENU)

    return st.selectbox(
        "Trained alike",
        sets,
        format_func=lambda alike: f"{titles[alike]}: {counts[alike]} {'run' if counts[alike] == 1 else 'runs'}",
        key=_MENU,
        on_change=choose,
        width=420,
    )


def _titles(runs: Sequence[Run]) -> dict[Hashable, str]:
    """A title for each set, no two the same."""
    titles: dict[Hashable, str] = {}
    for run in runs:
        if (alike := trained_alike(run.spec)) not in titles:
            dataset = find(run.spec.data, process.engine().settings.store)
            name = title(run.spec, dataset.title if dataset else None)
            times = sum(known.partition(" (")[0] == name for known in titles.values())
            titles[alike] = f"{name} ({times + 1})" if times else name
    return titles


def _draw(of: str, chosen: Hashable) -> None:
    runs = [run for run in _trained() if trained_alike(run.spec) == chosen]
    drawn = lines(sweep_points(runs, of))
    if not drawn:
        st.info(prose("class")["empty"])
        return
    note = f" {prose('class')['train-error']}" if of == "training" else ""
    figure = sweep(drawn, ERRORS[of], f"{_titles(runs)[chosen]}.{note}")
    live_chart(figure, key="sweep", rev=f"{of}-{hash(chosen)}")
    st.caption(figure.caption)
    for passage in passages(drawn, f"{of} error"):
        st.markdown(passage)


def sweep_points(runs: Sequence[Run], of: str) -> list[Point]:
    """A point for each run that has measured the error asked for."""
    points = []
    for run in runs:
        error, cut = _measured(process.engine(), run.id, run.attempt, run.step, of)
        if error is not None:
            name = " · ".join(filter(None, (run.name, visitor.nickname(run))))
            points.append(Point(name, run.spec, error, _state(run, cut)))
    return points


def _state(run: Run, cut: bool) -> State:
    if run.status == "diverged":
        return "diverged"
    if cut:
        return "cut"
    return "ended" if run.status == "finished" else "under way"


@lru_cache(maxsize=2048)
def _measured(engine: Engine, run: str, _attempt: int, _step: int, of: str) -> tuple[float | None, bool]:
    """The error, and whether blocks were cut. Read again only when the run has gone on: a class has many runs."""
    history = engine.store.events.history(run)
    epoch = history.started.epoch_steps if history.started else 1
    return history.test_error() if of == "test" else history.train_error(epoch), bool(history.cuts)
