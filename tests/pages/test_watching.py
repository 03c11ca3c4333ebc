"""Train, while a race is under way: what its page shows of the runs, and what its buttons do to them."""

import pytest
from streamlit.testing.v1 import AppTest

from app.base.prose import literal
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.store.run import Run
from app.ui.runs.curve_words import NO_DIFFERENCE
from tests.pages.test_train import SMALL, labels, trained
from tests.support.opening import live_texts, opened, press, spec, under_way, well, words

pytestmark = pytest.mark.usefixtures("engine")


def drawn(page: AppTest) -> str:
    """The cards that say what each run is doing."""
    return "".join(text for text in live_texts(page) if "class='now'" in text)


def race(engine: Engine, *names: str) -> list[Run]:
    """Runs in the queue."""
    return engine.runs.submit([spec(name) for name in names or SMALL], MACHINE)


def watching(runs: list[Run], **query: str) -> AppTest:
    return well(opened("train", run=[run.id for run in runs], **query))


def test_a_deleted_run_is_named_and_the_others_are_shown(engine: Engine) -> None:
    [gone, kept] = race(engine)
    engine.runs.cancel(gone.id, MACHINE)
    engine.store.delete(gone.id)
    page = watching([gone, kept])
    assert [literal(gone.id) in warning.value for warning in page.warning] == [True]
    assert "resnet-8" in drawn(page)
    assert "plain-8" not in drawn(page)
    assert "recorded race" not in words(page)


def test_when_all_its_runs_are_gone_the_page_falls_back_to_the_recorded_race() -> None:
    page = well(opened("train", run=["gone-1", "gone-2"]))
    assert f"{literal('gone-1')}, {literal('gone-2')}" in page.warning[0].value
    assert "recorded race" in words(page)


def test_a_run_deleted_under_the_eyes_of_a_browser_is_said_at_the_next_refresh(engine: Engine) -> None:
    runs = race(engine)
    page = watching(runs)
    for run in runs:
        engine.runs.cancel(run.id, MACHINE)
        engine.store.delete(run.id)
    page.run()
    assert "deleted" in well(page).warning[0].value


def test_the_buttons_do_to_all_runs_of_the_race_what_they_say(engine: Engine) -> None:
    runs = race(engine)
    for run in runs:
        under_way(engine, run, [90.0] * 12)
    page = watching(runs)
    assert labels(page) == ["Start the race", "Pause", "Stop"]
    page = well(press(page, "Pause"))
    assert [run.status for run in trained(engine)] == ["paused", "paused"]
    assert labels(page) == ["Start the race", "Go on", "Step"]
    page = well(press(page, "Step"))
    assert [(run.status, run.until) for run in trained(engine)] == [("queued", 13), ("queued", 13)]
    page = well(press(page, "Pause"))
    page = well(press(page, "Go on"))
    assert [(run.status, run.until) for run in trained(engine)] == [("queued", None), ("queued", None)]
    page = well(press(page, "Stop"))
    assert [run.status for run in trained(engine)] == ["cancelled", "cancelled"]
    assert all(run.step == 12 for run in trained(engine)), "what was measured is kept"
    assert labels(page) == ["Start the race", "Go on", "Step"]


def test_a_race_that_has_ended_has_no_buttons_but_the_start(engine: Engine) -> None:
    runs = race(engine)
    for run in runs:
        under_way(engine, run, [50.0] * 40, finished=True)
    assert labels(watching(runs)) == ["Start the race"]


def test_reference_runs_cannot_be_stopped_or_gone_on_with() -> None:
    page = well(opened("train", run=["reference-plain-20", "reference-resnet-20"]))
    assert labels(page) == ["Start the race"]


def test_the_words_on_the_page_are_computed_from_the_runs_on_the_page(engine: Engine) -> None:
    plain, residual = race(engine)
    under_way(engine, plain, [80.0] * 40, finished=True)
    under_way(engine, residual, [30.0] * 40, finished=True)
    assert "plain-8 is 50.0 points above that of resnet-8" in words(watching([plain, residual]))
    [second, other] = race(engine)
    under_way(engine, second, [30.0] * 40, finished=True)
    under_way(engine, other, [80.0] * 40, finished=True)
    assert "plain-8 is 50.0 points below that of resnet-8" in words(watching([second, other]))


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        ("resnet-8", "that is what was measured"),
        ("plain-8", "The measurement says otherwise"),
        (NO_DIFFERENCE, "Best and worst"),
    ],
)
def test_the_prediction_is_held_against_the_measurement(engine: Engine, guess: str, said: str) -> None:
    plain, residual = race(engine)
    under_way(engine, plain, [80.0] * 40, finished=True)
    under_way(engine, residual, [30.0] * 40, finished=True)
    page = well(opened("train", run=[plain.id, residual.id], net=SMALL, guess=guess))
    assert page.button_group(key="guess").value == guess
    assert said in words(page)
    assert ("You expected" in words(page)) is bool(said)


def test_a_source_is_held_against_what_was_found_here_over_the_seeds_there_are() -> None:
    nets = ("plain-20", "plain-56", "resnet-20", "resnet-56")
    page = well(opened("train", run=[f"reference-{net}" for net in nets], race="depth"))
    text = words(page).replace("**", "")
    assert "As found by the source. The training error of plain-20 is" in text
    assert "Not decided here. No difference in training error is shown between resnet-56 and resnet-20" in text
    assert text.count("over 5 seeds") >= 2
    other = words(well(opened("train", run=["reference-plain-20", "reference-plain-56"], race="warm-up")))
    assert "As found by" not in other, "these were trained by another recipe"


def test_a_waiting_run_says_its_place_and_claims_nothing(engine: Engine) -> None:
    race(engine)
    page = watching(race(engine))
    assert "2 ahead" in drawn(page)
    assert "Nothing is measured yet" in words(page)


def test_a_run_that_leaves_the_queue_while_a_page_is_drawn_is_no_error(engine: Engine) -> None:
    running, stale = race(engine)
    under_way(engine, running, [90.0] * 5)
    under_way(engine, stale, [90.0] * 5)  # `stale` still says that it waits
    assert stale.status == "queued"
    assert engine.runs.seconds_left(stale) is None


def test_a_failed_run_shows_its_reason(engine: Engine) -> None:
    [run, _] = runs = race(engine)
    engine.store.runs.update(run.id, status="failed", message="the network cannot be reached")
    assert "the network cannot be reached" in watching(runs).warning[0].value


def test_step_and_layer_of_the_address_reach_the_page(engine: Engine) -> None:
    runs = race(engine)
    for run in runs:
        under_way(engine, run, [90.0 - step for step in range(40)], finished=True)
    page = watching(runs, step="5", layer="blocks.1.branch.conv2")
    assert "Step by step, in `blocks.1.branch.conv2`" in words(page)
    assert "At step 5" in words(page)
    assert "At step 5 the first layer" in words(page)


def test_a_step_or_a_layer_that_these_runs_do_not_have_is_no_error(engine: Engine) -> None:
    runs = race(engine)
    for run in runs:
        under_way(engine, run, [90.0] * 12)
    watching(runs, step="9999999", layer="blocks.9999.branch.conv3")
    watching(runs, layer="block:9999")


def test_a_run_whose_worker_is_silent_says_so_on_its_card_and_in_the_list(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    [run, other] = race(engine)
    for one in (run, other):
        under_way(engine, one, [90.0] * 12)
    monkeypatch.setattr(engine.queue.silence, "look", lambda _: [])  # nothing passes meanwhile
    monkeypatch.setattr(engine.queue.silence, "_silent", {run.id: 42.0, other.id: 2.0})
    cards = drawn(watching([run, other]))
    assert cards.count("no step for 42 s after step 12") == 1
    assert cards.count("no step for") == 1
    [warning] = well(opened("runs")).warning
    assert literal(engine.store.runs.get(run.id).name) in warning.value
    assert "no step for 42 s" in warning.value
