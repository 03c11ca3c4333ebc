"""Runs that differ in their seed alone are one line of the list; each can be seen, taken away and opened."""

import csv
import io
import zipfile
from typing import Any

import pytest
from scipy import stats
from streamlit.testing.v1 import AppTest

from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.store.run import Run
from tests.pages.test_runs import names, select
from tests.support.opening import opened, press, spec, under_way, well, words

OTHER_SEED = "reference-plain-56-seed-1"  # of which there are no weights


@pytest.fixture
def raced(engine: Engine) -> list[Run]:
    """Two nets, each with the seeds 0, 1, 2; the first one's last seed is under way. Errors are those of each seed."""
    specs = [spec(f"{net}:width=4", seed=seed) for net in ("plain-8", "resnet-8") for seed in range(3)]
    runs = engine.runs.submit(specs, MACHINE)
    for run, error in zip(runs, (80.0, 70.0, 99.0, 30.0, 24.0, 24.0), strict=True):
        under_way(engine, run, [error] * (20 if error == 99 else 40), finished=error != 99)
    return [engine.store.runs.get(run.id) for run in runs]


def first_lines(page: AppTest, *columns: str) -> list[tuple[Any, ...]]:
    return list(page.dataframe[0].value[list(columns)].head(2).itertuples(index=False, name=None))


@pytest.mark.usefixtures("raced")
def test_a_line_tells_a_groups_seeds_and_the_means_over_those_that_finished() -> None:
    page = well(opened("runs"))
    assert first_lines(page, "net", "seeds", "status", "train", "test") == [
        ("resnet-8", "0–2", "finished", 26, 27),
        ("plain-8", "0–2", "1 running, 2 finished", 75, 76),
    ]
    assert first_lines(page, "progress")[1] == (pytest.approx((1 + 1 + 0.5) / 3),)


@pytest.mark.usefixtures("raced")
def test_each_seed_has_a_line_of_its_own_where_the_address_says_so() -> None:
    page = well(opened("runs", each="true"))
    assert names(page)[:6] == ["resnet-8"] * 3 + ["plain-8"] * 3
    assert set(page.dataframe[0].value["seeds"][:3]) == {"0", "1", "2"}
    page.toggle(key="each").set_value(False).run()
    assert names(page)[:2] == ["resnet-8", "plain-8"]


def test_deleting_a_group_deletes_every_seed_but_what_is_under_way_and_says_how_many(
    engine: Engine, raced: list[Run]
) -> None:
    page = select(opened("runs"), 0, 1)
    assert "Delete 5 runs, every seed of what is chosen, with events and weights?" in words(page)
    well(press(page, "Yes, delete"))
    assert [run.id for run in engine.store.runs.all() if run.origin == "trained"] == [raced[2].id]


def test_a_group_is_opened_by_one_of_its_runs(raced: list[Run]) -> None:
    page = well(press(select(opened("runs"), 0, 1), "Open"))
    assert page.query_params["run"] == [raced[3].id, raced[0].id]
    assert "3 seeds" in words(page)


@pytest.mark.usefixtures("raced")
def test_the_first_chosen_is_compared_with_the_others_over_the_seeds_that_both_have() -> None:
    interval = stats.ttest_rel([30.0, 24.0], [80.0, 70.0]).confidence_interval(0.98)
    page = select(opened("runs"), 0, 1)
    assert (
        "No difference in training error is shown between **resnet-8** and **plain-8**: -48.0 points, "
        f"and all from {interval.low:+.1f} to {interval.high:+.1f} fits, over 2 seeds."
    ) in words(page)
    assert "hairs: each seed's training" in words(page)


@pytest.mark.usefixtures("raced")
def test_two_seeds_of_one_net_are_no_pair() -> None:
    page = select(opened("runs", each="true"), 0, 1)
    assert "has no seed in common with another net" in words(page)


def test_a_group_is_renamed_by_the_run_that_stands_for_it(engine: Engine, raced: list[Run]) -> None:
    page = select(opened("runs"), 0)
    next(field for field in page.text_input if field.label == "Name").set_value("mine").run()
    assert [engine.store.runs.get(run.id).name for run in raced[3:]] == ["mine", raced[4].name, raced[5].name]
    assert page.dataframe[0].value["name"][0] == "mine"


def test_the_choice_outlives_a_seed_that_somebody_adds(engine: Engine, raced: list[Run]) -> None:
    page = select(opened("runs"), 1)
    engine.runs.submit([raced[0].spec.model_copy(update={"seed": 7})], MACHINE)
    page.run()
    assert first_lines(page, "net", "seeds")[0] == ("plain-8", "0–2, 7")
    assert "Delete 2 runs, every seed" in words(page)


@pytest.mark.usefixtures("engine")
def test_each_seeds_files_can_be_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("streamlit.download_button", lambda label, data, name, *_, **__: given.update({name: data}))
    page = select(opened("runs", find="plain-56 width"), 0)
    assert page.selectbox[-1].options == ["0", "1", "2", "3", "4"]
    page = well(page.selectbox[-1].select(3).run())
    assert "Of this seed the events are kept, not the weights." in words(page)
    archive = zipfile.ZipFile(io.BytesIO(given["reference-plain-56-seed-3.zip"]()))
    files = {name.rpartition("/")[2]: name for name in archive.namelist()}
    assert "weights.safetensors" not in files
    rows = list(csv.DictReader(archive.read(files["events.csv"]).decode().splitlines()))
    assert {row["seed"] for row in rows} == {"3"}


@pytest.mark.parametrize("page", ["start", "architecture", "train", "gradients", "runs"])
def test_a_run_without_weights_leaves_every_page_whole(engine: Engine, page: str) -> None:
    assert not engine.store.runs.get(OTHER_SEED).has_weights
    well(opened(page, run=OTHER_SEED))


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize("page", ["paths", "lesions", "features"])
def test_what_needs_weights_takes_them_from_the_other_seed_that_has_them(page: str) -> None:
    shown = well(opened(page, run=OTHER_SEED))
    chosen = next(box for box in shown.selectbox if box.label == "Trained net")
    assert chosen.value == "reference-plain-56"
