"""One server for many: whose turn it is, what is refused and by which limit, whose runs are seen and changed."""

import hashlib

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.base.browser_key import COOKIE
from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from app.server.metrics import exposition, health
from tests.support.opening import opened, press, spec, under_way, well
from tests.support.settings import sets

NET = "plain-8:width=2"
KEYS = {name: name * 43 for name in "ab"}
OWNERS = {name: hashlib.sha256(key.encode()).hexdigest()[:16] for name, key in KEYS.items()}


def looks(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """From here on it is this browser that looks."""
    monkeypatch.setattr("streamlit.runtime.context.ContextProxy.cookies", {COOKIE: KEYS[who]})


def test_runs_wait_in_turns_by_browser_and_are_told_their_place(engine: Engine) -> None:
    first, second, third = engine.runs.submit([spec(NET)] * 3, Visitor("one"))
    [other] = engine.runs.submit([spec(NET)], Visitor("two"))
    assert [engine.runs.place(run.id) for run in (first, other, second, third)] == [0, 1, 2, 3]
    assert [run.owner for run in engine.store.runs.all(["queued"])] == ["two", "one", "one", "one"]


def test_the_wait_that_is_foreseen_follows_the_turns(engine: Engine) -> None:
    [trains] = engine.runs.submit([spec(NET)], Visitor("one"))
    engine.runs.submit([spec(NET)] * 6, Visitor("one"))
    under_way(engine, trains, [50.0] * 10)
    engine.queue._tasks[trains.id] = object()  # type: ignore[assignment]
    [other] = engine.runs.submit([spec(NET)], Visitor("two"))
    last = engine.store.runs.all(["queued"])[1]
    waits = [engine.runs.seconds_left(engine.store.runs.get(run.id)) for run in (other, last)]
    # 40 steps of 10 ms each: 30 are left of the one that trains, then come 1 or 7 runs.
    assert waits == [pytest.approx(0.7, rel=0.05), pytest.approx(3.1, rel=0.05)]
    engine.queue._tasks.clear()


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("max_parameters", 100, "parameters; this server takes up to 100"),
        ("max_epochs", 1, r"3 epochs asked for; this server takes up to 1"),
        ("max_images", 9999, "10,000 training images asked for; this server takes up to 9,999"),
        ("max_steps", 300, "400 steps asked for; this server takes up to 300"),
        ("session_runs", 1, "2 runs asked for; this server takes up to 1 at a time from one browser"),
    ],
)
def test_a_refusal_says_which_limit_and_its_value_and_is_counted(
    engine: Engine, limit: str, value: int, said: str
) -> None:
    sets(engine, **{limit: value})
    with pytest.raises(RefusedError, match=said):
        engine.runs.submit([spec(NET, steps=400)] * 2, Visitor("one"))
    assert engine.store.runs.all(["queued"]) == []
    assert engine.refusals == {limit: 1}
    assert f'resnet_explorer_refusals_total{{limit="{limit}"}} 1' in exposition(engine)


def test_what_waits_already_counts_and_other_browsers_do_not(engine: Engine) -> None:
    sets(engine, session_runs=2)
    engine.runs.submit([spec(NET)] * 2, Visitor("one"))
    engine.runs.submit([spec(NET)] * 2, Visitor("two"))
    with pytest.raises(RefusedError, match="1 run asked for and 2 wait or train already"):
        engine.runs.submit([spec(NET)], Visitor("one"))
    engine.runs.submit([spec(NET)] * 5, MACHINE)  # the command line's


def test_a_run_is_refused_where_it_is_foreseen_to_take_too_long_and_ended_where_it_was_not(engine: Engine) -> None:
    sets(engine, max_minutes=1)
    [run] = engine.runs.submit([spec(NET, steps=20_000)], Visitor("one"))  # nothing was measured yet
    under_way(engine, run, [50.0] * 10)
    with pytest.raises(RefusedError, match=r"about 2 minutes at this server's pace; it takes runs of up to 1"):
        engine.runs.submit([spec(NET, steps=12_000)], Visitor("one"))
    engine.runs.submit([spec(NET, steps=5_000)], Visitor("one"))
    engine.store._database._db.execute("UPDATE steps SET seconds = 7")
    engine.store.events._histories.clear()  # read again
    engine.queue._take({"run": run.id, "attempt": 1, "events": "[]"})
    ended = engine.store.runs.get(run.id)
    assert ended.status == "cancelled"
    assert ended.message.startswith("it has trained for 1 minutes")
    with pytest.raises(RefusedError, match="the longest that this server takes"):
        engine.runs.resume(run.id, MACHINE)


def test_a_browser_trains_so_many_at_once_and_its_others_are_passed_over(engine: Engine) -> None:
    sets(engine, session_training=1)
    first, second = engine.runs.submit([spec(NET)] * 2, Visitor("one"))
    assert not engine.runs.held(first)
    engine.queue._tasks[first.id] = object()  # type: ignore[assignment]
    assert engine.runs.held(engine.store.runs.get(second.id))
    engine.queue._tasks.clear()


def test_a_page_starts_runs_for_its_browser_and_shows_the_limit_that_refuses(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks(monkeypatch, "a")
    sets(engine, mode="demo", max_images=0)
    page = press(well(opened("train", net=["plain-8", "resnet-8"], width="4")), "Start the race")
    assert [run.owner for run in engine.store.runs.all(["queued"])] == [OWNERS["a"]] * 2
    page = press(press(page, "Start the race"), "Start the race")
    assert any("takes up to 4 at a time from one browser" in one.value for one in page.error)


def test_in_a_demo_each_sees_their_own_runs_and_the_reference_runs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets(engine, mode="demo")
    [run] = engine.runs.submit([spec(NET)], Visitor(OWNERS["a"]))
    under_way(engine, run, [50.0] * 10)
    for who, may in (("a", True), ("b", False)):
        looks(monkeypatch, who)
        assert ("plain-8" in list(well(opened("runs")).dataframe[0].value["net"])) == may
        page = well(opened("train", run=run.id))
        assert any(button.label == "Stop" for button in page.button) == may
        assert any("has no run" in one.value for one in page.warning) == (not may)


def test_in_a_class_each_sees_all_runs_and_stops_their_own(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    sets(engine, mode="class")
    [run] = engine.runs.submit([spec(NET)], Visitor(OWNERS["a"]))
    under_way(engine, run, [50.0] * 10)
    for who, may in (("a", True), ("b", False)):
        looks(monkeypatch, who)
        page = well(opened("train", run=run.id))
        assert any(button.label == "Stop" for button in page.button) == may


def test_the_numbers_seen_from_outside(engine: Engine) -> None:
    run, _ = engine.runs.submit([spec(NET)] * 2, Visitor("one"))
    under_way(engine, run, [50.0] * 10)
    families = {family.name: family for family in text_string_to_metric_families(exposition(engine))}
    sample = {(one.name, *one.labels.values()): one.value for family in families.values() for one in family.samples}
    assert sample["resnet_explorer_runs", "running"] == 1
    assert sample["resnet_explorer_runs", "queued"] == 1
    assert sample["resnet_explorer_workers", "train"] == 0
    assert sample["resnet_explorer_images_per_second",] == 6400  # 64 images in 10 ms
    assert families["resnet_explorer_refusals"].type == "counter"
    assert families["resnet_explorer_answer_seconds"].type == "histogram"
    assert ("resnet_explorer_sessions_refused_total",) in sample
    assert health(engine) == ""
    engine.queue.trouble = "the disk is full"
    assert health(engine) == "the disk is full"
