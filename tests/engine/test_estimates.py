"""How long runs will take, against sums by hand."""

from pathlib import Path

import pytest

from app.engine.policy.estimates import seconds_left, seconds_of_training
from app.store.store import Store
from app.values.datasets import BUNDLED, DATASETS
from app.values.run_spec import Recipe, RunSpec
from models.plan import plan
from models.spec import NetSpec
from tests.support.runs import measured


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def spec(steps: int = 40, batch: int = 64) -> RunSpec:
    net = NetSpec.parse("plain-8:width=2").fitted(1, 10)
    return RunSpec(net=net, recipe=Recipe(steps=steps, batch=batch), images=640)


def test_what_waits_shares_the_slots_with_all_that_is_before_it_and_then_takes_its_own_time(store: Store) -> None:
    slow = measured(store, spec(), pace=0.5, steps=10)  # 15 s are left
    fast = measured(store, spec(), pace=0.25, steps=20)  # 5 s
    waiting = [store.runs.create(spec()), store.runs.create(spec(batch=128)), store.runs.create(spec())]
    # At the mean pace, of 0.375 s, they take 15, 30 and 15 s.
    left = {slots: [seconds_left(run, store, waiting, slots) for run in waiting] for slots in (1, 2)}
    assert left[2] == pytest.approx([20 / 2 + 15, 35 / 2 + 30, 65 / 2 + 15])
    assert left[1] == pytest.approx([20 + 15, 35 + 30, 65 + 15])
    assert [seconds_left(run, store, waiting, 2) for run in (slow, fast)] == pytest.approx([15, 5])


def test_nothing_is_foreseen_of_what_no_measurement_tells_or_what_waits_no_more(store: Store) -> None:
    run = store.runs.create(spec())
    assert seconds_left(run, store, [run], 1) is None
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 40, store) is None
    measured(store, spec(), pace=0.5, steps=0)
    assert seconds_left(run, store, [run], 1) is None
    measured(store, spec(), pace=0.5, steps=10)
    assert seconds_left(run, store, [run], 1) is not None
    assert seconds_left(run, store, [], 1) is None
    store.runs.update(run.id, status="paused")
    assert seconds_left(store.runs.get(run.id), store, [run], 1) is None


def test_what_was_made_before_a_pause_is_not_made_again(store: Store) -> None:
    paused = measured(store, spec(), pace=0.5, steps=30)
    store.runs.update(paused.id, status="queued")
    measured(store, spec(), pace=0.5, steps=40)  # nothing is left of it
    queued = store.runs.get(paused.id)
    assert seconds_left(queued, store, [queued], 1) == pytest.approx(10 * 0.5)


def test_a_new_runs_time_is_by_those_that_train_now_else_by_the_last_four_that_did(store: Store) -> None:
    for pace in (9.0, 1.0, 2.0, 3.0, 4.0):  # the first is forgotten
        measured(store, spec(), pace, steps=10, finished=True)
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 100, store) == pytest.approx(100 * 2.5)
    assert seconds_of_training(spec(batch=32), DATASETS[BUNDLED], 100, store) == pytest.approx(50 * 2.5)
    measured(store, spec(), pace=0.5, steps=10)
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 100, store) == pytest.approx(100 * 0.5)


@pytest.mark.parametrize("status", ["finished", "paused", "cancelled"])
def test_runs_that_ended_tell_a_pace_whatever_ended_them(store: Store, status: str) -> None:
    run = measured(store, spec(), pace=2.0, steps=10)
    store.runs.update(run.id, status="failed")
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 100, store) is None
    store.runs.update(run.id, status=status)
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 100, store) == pytest.approx(200)


def test_larger_images_take_longer_in_proportion_to_the_multiply_adds(store: Store) -> None:
    large = RunSpec(net=spec().net.fitted(3, 10), data="cifar-10", recipe=Recipe(steps=40, batch=64))
    measured(store, large, pace=2.0, steps=10)
    ratio = plan(spec().net, 28).macs / plan(large.net, 32).macs
    assert ratio < 0.8
    assert seconds_of_training(spec(), DATASETS[BUNDLED], 100, store) == pytest.approx(200 * ratio)
