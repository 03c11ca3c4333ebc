"""The teacher's page: shut to all without the key; with it all runs, the plot, and a message that stays text."""

from collections.abc import Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.base.prose import prose
from app.engine import process
from app.engine.engine import Engine
from app.engine.policy import teachers_door
from app.engine.policy.visitor import MACHINE, Visitor
from app.store.run import Run
from app.studies.class_sweep.section import sweep_points
from tests.support.opening import HOSTILE, opened, press, spec, under_way, well, words
from tests.support.settings import sets

KEY = "open sesame"


@pytest.fixture
def class_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine in the mode class, with a key."""
    sets(engine, mode="class", teacher_key=KEY)
    monkeypatch.setattr(teachers_door, "WAIT_SECONDS", 0)
    yield engine
    engine.say_to_all("", MACHINE)


@pytest.fixture
def runs(class_engine: Engine) -> list[Run]:
    """Three runs of three browsers: two ended, one under way."""
    nets = ("plain-8:width=2", "resnet-8:width=2", "resnet-14:width=2")
    runs = [class_engine.runs.submit([spec(net)], Visitor(f"browser {net}"))[0] for net in nets]
    for run, error, finished in zip(runs, (80.0, 30.0, 40.0), (True, True, False), strict=True):
        under_way(class_engine, run, [error] * (40 if finished else 20), finished=finished)
    return runs


def entered(key: str = KEY) -> AppTest:
    page = well(opened("class"))
    page.main.text_input[0].set_value(key)
    return well(press(page, "Open"))


def select(page: AppTest, *rows: int) -> AppTest:
    selection: dict[str, Any] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    page.session_state[str(page.dataframe[0].key)] = selection
    return page.run()


@pytest.mark.parametrize("key", ["", "open sesam", "open sesame ", KEY.upper(), "é" * 20])
@pytest.mark.usefixtures("runs")
def test_without_the_key_nothing_is_seen(key: str) -> None:
    page = entered(key)
    assert [one.value for one in page.error] == ["That is not the key."]
    assert not page.dataframe


@pytest.mark.parametrize("changes", [{"mode": "local"}, {"mode": "demo"}, {"teacher_key": None}])
def test_the_page_stays_shut_in_other_modes_and_without_a_key(class_engine: Engine, changes: dict[str, Any]) -> None:
    sets(class_engine, **{"mode": "class", "teacher_key": KEY, **changes})
    page = opened("class")
    assert not page.main.text_input
    assert [one.value for one in page.main.info] == [prose("class")["shut"]]


def test_with_it_all_runs_are_there_to_stop_and_to_pin(class_engine: Engine, runs: list[Run]) -> None:
    page = entered()
    assert list(page.dataframe[0].value["net"]) == ["resnet-14", "resnet-8", "plain-8"]
    assert "3 runs, a point each, 1 of them not at their end" in words(page)
    page = press(select(page, 0), "Stop")
    assert class_engine.store.runs.get(runs[2].id).status == "cancelled"
    page = press(select(page, 2), "Pin")
    assert class_engine.store.runs.get(runs[0].id).pinned
    assert list(opened("runs").dataframe[0].value["net"][:3]) == ["plain-8", "resnet-14", "resnet-8"]


def test_each_run_is_a_point_with_its_depth_and_its_error(class_engine: Engine, runs: list[Run]) -> None:
    found = [class_engine.store.runs.get(run.id) for run in runs]
    points = {
        (point.spec.net.family, point.depth, point.error, point.state) for point in sweep_points(found, "training")
    }
    assert points == {("plain", 8, 80.0, "ended"), ("resnet", 8, 30.0, "ended"), ("resnet", 14, 40.0, "under way")}
    assert {point.error for point in sweep_points(found, "test")} == {81.0, 31.0, 41.0}


def test_only_runs_that_were_trained_alike_are_shown_and_a_menu_chooses_which(
    class_engine: Engine, runs: list[Run]
) -> None:
    wide = class_engine.runs.submit([spec("plain-8:width=4"), spec("resnet-8:width=4")], MACHINE)
    for run in wide:
        under_way(class_engine, run, [50.0] * 40, finished=True)
    page = entered()
    menu = next(box for box in page.selectbox if box.label == "Trained alike")
    of_both = "Fashion-MNIST, 10,000 · 40 steps of 64 at 0.1 · width"
    assert menu.options == [f"{of_both} 2: 3 runs", f"{of_both} 4: 2 runs"]
    assert "3 runs, a point each" in words(page)
    assert "of **plain-8** is 50.0 points above that of **resnet-8**" in words(page)
    class_engine.runs.submit([spec("plain-14:width=4")], MACHINE)  # which changes what the menu says while it is open
    page = well(menu.select_index(1).run())
    assert "2 runs, a point each" in words(page)
    assert "In this run the training error of **plain-8** and **resnet-8** is the same" in words(page)


def test_a_diverged_run_is_marked_apart(class_engine: Engine, runs: list[Run]) -> None:
    class_engine.store.runs.update(runs[0].id, status="diverged")
    page = entered()
    assert "1 of them diverged (crosses)" in words(page)
    assert "that of **resnet-8**" not in words(page), "it is compared with nothing"


def test_the_lead_asks_and_does_not_tell() -> None:
    lead = prose("class")["lead"]
    assert "?" in lead
    assert "rises" not in lead


def test_a_message_is_on_every_page_as_text(class_engine: Engine) -> None:
    page = entered()
    for hostile in ("html", "markdown", "a link"):
        page.main.text_input[-1].set_value(HOSTILE[hostile])
        page = well(press(page, "Show to all"))
        assert class_engine.message == HOSTILE[hostile]
        assert (class_engine.store.folder / "message.txt").read_text("utf-8") == HOSTILE[hostile]
        assert len(well(opened("start")).info) == 1
    process.stop()
    again = process.start(class_engine.settings)
    assert again.message == HOSTILE["a link"], "the next server says it too"
    page = entered()
    page.main.text_input[-1].set_value("")
    press(page, "Show to all")
    assert not opened("start").info
