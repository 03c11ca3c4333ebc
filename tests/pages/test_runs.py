"""Runs: find, compare, open, rename, delete; never another run than the one that was chosen."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.store.files import references
from app.store.run import Run
from app.values.run_spec import imported
from models.spec import NetSpec
from tests.support.opening import HOSTILE, PARAMETERS, arrived, opened, press, spec, under_way, well, words

REFERENCES = len(references.REFERENCES)
NETS = len({(reference.net, reference.data) for reference in references.REFERENCES})


@pytest.fixture
def runs(engine: Engine) -> list[Run]:
    """A finished plain run, a finished residual one and one that waits: oldest first."""
    runs = engine.runs.submit(
        [spec("plain-8:width=4"), spec("resnet-8:width=4"), spec("preact-8:width=4", seed=3)], MACHINE
    )
    for run, error in zip(runs[:2], (80.0, 30.0), strict=True):
        under_way(engine, run, [error] * 40, finished=True)
    return runs


def names(page: AppTest) -> list[str]:
    """The nets of the table, from the top."""
    return list(page.dataframe[0].value["net"])


def select(page: AppTest, *rows: int) -> AppTest:
    """Mark rows of the table."""
    selection: dict[str, Any] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    page.session_state[str(page.dataframe[0].key)] = selection
    return page.run()


def name_field(page: AppTest) -> TextInput:
    return next(field for field in page.text_input if field.label == "Name")


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


@pytest.mark.usefixtures("engine")
def test_the_first_open_lists_the_nets_of_the_reference_runs() -> None:
    page = well(opened("runs"))
    assert len(names(page)) == NETS
    assert not {"Open", "Yes, delete"} & set(labels(page)), "nothing is chosen yet"


@pytest.mark.usefixtures("runs")
def test_the_newest_run_is_on_top_with_what_it_measured() -> None:
    table = opened("runs").dataframe[0].value
    assert list(table["net"][:3]) == ["preact-8", "resnet-8", "plain-8"]
    assert list(table["status"][:3]) == ["queued", "finished", "finished"]
    assert list(table["train"][1:3]) == [30, 80]
    assert list(table["test"][1:3]) == [31, 81]
    assert list(table["progress"][:3]) == [0, 1, 1]


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"find": "PREACT-8"}, ["preact-8"]),
        ({"find": "width 4 plain"}, ["plain-8"]),
        ({"status": "queued"}, ["preact-8"]),
        ({"status": ["queued", "finished"], "find": "8 width 4"}, ["preact-8", "resnet-8", "plain-8"]),
    ],
)
def test_the_filter_is_in_the_address(query: dict[str, Any], found: list[str]) -> None:
    assert names(opened("runs", **query)) == found


@pytest.mark.usefixtures("runs")
def test_a_filter_that_nothing_matches_says_how_to_go_on() -> None:
    page = opened("runs", find="zzz")
    assert "Clear the filter" in page.info[0].value
    page.text_input(key="find").set_value("").run()
    assert len(names(page)) == NETS + 3


@pytest.mark.usefixtures("runs")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_every_parameter_leaves_a_page(text: str) -> None:
    well(opened("runs", **dict.fromkeys(PARAMETERS, text)))


def test_a_run_is_renamed_and_keeps_its_address(engine: Engine, runs: list[Run]) -> None:
    page = select(opened("runs"), 2)
    name_field(page).set_value("  the **plain** <b>one</b>  ").run()
    assert engine.store.runs.get(runs[0].id).name == "the **plain** <b>one</b>"
    assert page.dataframe[0].value["name"][2] == "the **plain** <b>one</b>"
    well(page)


def test_a_name_given_by_another_browser_stays(engine: Engine, runs: list[Run]) -> None:
    page = select(opened("runs"), 2)
    engine.store.runs.rename(runs[0].id, "theirs")
    page.run()
    assert engine.store.runs.get(runs[0].id).name == "theirs"
    assert name_field(page).value == "theirs"


def test_the_chosen_runs_are_deleted_and_no_others(engine: Engine, runs: list[Run]) -> None:
    page = select(opened("runs"), 1, 2)
    assert "Delete 2 runs" in words(page)
    page = well(press(page, "Yes, delete"))
    left = [run.id for run in engine.store.runs.all() if run.origin == "trained"]
    assert left == [runs[2].id]
    assert len(names(page)) == NETS + 1


def test_a_run_that_someone_starts_meanwhile_does_not_move_the_choice(engine: Engine, runs: list[Run]) -> None:
    page = select(opened("runs"), 1)  # resnet-8
    [other] = engine.runs.submit([spec("plain-8:width=4")], MACHINE)
    under_way(engine, other, [70.0] * 40, finished=True)
    press(page, "Yes, delete")
    left = {run.id for run in engine.store.runs.all()}
    assert runs[1].id not in left
    assert {runs[0].id, runs[2].id, other.id} <= left


@pytest.mark.usefixtures("runs")
def test_a_filter_does_not_move_the_choice() -> None:
    page = select(opened("runs"), 2)  # plain-8
    page.text_input(key="find").set_value("plain-8").run()
    assert names(page) == ["plain-8"]
    assert str(name_field(page).value).startswith("plain-8")


def test_a_reference_run_and_one_under_way_are_not_deleted(engine: Engine, runs: list[Run]) -> None:
    page = select(opened("runs"), 0, 3)  # queued, and the first reference run
    assert any("Reference runs come with the program" in caption.value for caption in page.caption)
    page = select(opened("runs"), 0, 1, 3)
    press(page, "Yes, delete")
    left = {run.id for run in engine.store.runs.all()}
    assert runs[2].id in left
    assert len([run for run in left if run.startswith("reference-")]) == REFERENCES
    assert runs[1].id not in left


def test_the_chosen_runs_are_laid_over_each_other_and_opened(runs: list[Run]) -> None:
    page = select(opened("runs"), 1, 2)
    assert "train thin" in words(page)
    page = well(press(page, "Open"))
    assert page.query_params["run"] == [runs[1].id, runs[0].id]
    assert "stacking more layers" in page.title[0].value


@pytest.mark.usefixtures("runs")
def test_four_at_most_are_opened() -> None:
    page = well(press(select(opened("runs"), 0, 1, 2, 3, 4, 5), "Open"))
    assert len(page.query_params["run"]) == 4


@pytest.mark.parametrize("evaluated", [True, False])
def test_a_run_from_elsewhere_has_a_sentence_in_place_of_curves(engine: Engine, evaluated: bool) -> None:
    one = imported(NetSpec.parse("resnet-8:width=4").fitted(1, 10), "fashion-mnist-mini", None)
    run = engine.store.runs.new_id(one)
    engine.store.enter_import(run, "**mine**", one, arrived(one.net, 12.345 if evaluated else None))
    table = opened("runs").dataframe[0].value
    if evaluated:
        assert table["test"][0] == 12.345
    page = well(opened("train", run=run))
    assert r"\*\*mine\*\*** was trained elsewhere" in words(page)
    said = "made **12.35 %** mistakes on 2,000 test images" if evaluated else "was not on this machine"
    assert said in words(page)
    assert "Nothing is measured yet" not in words(page)
