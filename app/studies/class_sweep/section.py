"""The class plot: all runs of a class on the same data, as they stand."""

from collections.abc import Sequence
from functools import lru_cache

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.engine.engine import Engine
from app.store.run import Run
from app.studies.class_sweep.figures import Kind, Point, sweep
from app.ui.page import visitor
from app.ui.widgets.live_chart import live_chart
from app.values.datasets import find
from models.families import PLAIN
from models.plan import plan

ERRORS = {"training": "Training", "test": "Test"}
REFRESH_SECONDS = 10


def class_plot() -> None:
    """Draw the choice of data and error, and the plot, again every few seconds."""
    runs = [run for run in visitor.runs() if run.origin == "trained"]
    data = list(dict.fromkeys(run.spec.data for run in runs))
    with st.container(horizontal=True):
        of = st.segmented_control("Error", list(ERRORS), default="training", key="error", required=True)
        chosen = st.selectbox("Data", data, key="of-data", width=260) if len(data) > 1 else next(iter(data), "")
    st.fragment(_draw, run_every=REFRESH_SECONDS)(of or "training", chosen)


def _draw(of: str, data: str) -> None:
    points = sweep_points([run for run in visitor.runs() if run.origin == "trained" and run.spec.data == data], of)
    if not points:
        st.info(prose("class")["empty"])
        return
    dataset = find(data, process.engine().settings.store)
    figure = sweep(points, ERRORS[of], f"{dataset.title if dataset else 'data that are gone'}; every width and recipe.")
    live_chart(figure, key="sweep", rev=f"{of}-{data}")
    st.caption(figure.caption)


def sweep_points(runs: Sequence[Run], of: str) -> list[Point]:
    """A point for each run that has measured the error asked for."""
    points = []
    for run in runs:
        error = _error(process.engine(), run.id, run.attempt, run.step, of)
        if error is not None:
            kind: Kind = "plain" if run.spec.net.family in PLAIN else "residual"
            points.append(
                Point(
                    " · ".join(filter(None, (run.name, visitor.nickname(run)))),
                    plan(run.spec.net).depth,
                    error,
                    kind,
                    run.status in ("finished", "diverged"),
                )
            )
    return points


@lru_cache(maxsize=2048)
def _error(engine: Engine, run: str, _attempt: int, _step: int, of: str) -> float | None:
    """Read again only when the run has gone on: a class has more runs than histories stay in memory."""
    history = engine.store.events.history(run)
    epoch = history.started.epoch_steps if history.started else 1
    return history.test_error() if of == "test" else history.train_error(epoch)
