"""The store: events once and in order, whatever happens between them."""

import threading
from pathlib import Path

import pytest

from app.store.event_log import MOST_HISTORIES, EventGapError
from app.store.store import Store
from app.values.cut_spec import CutSpec
from app.values.events import (
    BlockCut,
    CheckpointSaved,
    EpochEvaluated,
    Event,
    RunDiverged,
    RunFinished,
    RunStarted,
    RunStopped,
    StepMeasured,
    from_json,
    to_json,
)
from app.values.run_spec import RunSpec
from models.spec import NetSpec

SPEC = RunSpec(net=NetSpec.parse("resnet-8:width=8").fitted(1, 10))


def started(step: int = 0) -> RunStarted:
    return RunStarted(
        step=step,
        layers=("stem.conv", "head.fc"),
        total_steps=20,
        epoch_steps=5,
        train_images=640,
        device="cpu",
        precision="float32",
        threads=1,
    )


def steps(begin: int, end: int, loss: float = 1.0) -> list[Event]:
    return [
        StepMeasured(step=step, loss=loss, error=50, lr=0.1, seconds=0.1, norms=(1.0, 2.0 + step))
        for step in range(begin, end)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def begun(store: Store) -> str:
    run = store.runs.create(SPEC).id
    store.runs.update(run, attempt=1)
    return run


def losses(store: Store, run: str) -> list[float]:
    return store.events.history(run).series().loss.tolist()


def test_every_write_is_counted_once(store: Store) -> None:
    run = begun(store)
    before = store.changes
    store.runs.update(run, message="one")
    assert store.changes == before + 1
    store.events.record(run, 1, [started(), *steps(0, 2), RunFinished(step=2)])
    assert store.changes == before + 2
    store.delete(run)
    assert store.changes == before + 3


def test_of_a_deleted_run_nothing_is_left(store: Store) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 2), RunDiverged(step=2, layer="head.fc", what="loss")])
    assert losses(store, run) == [1.0] * 2
    folder = store.weights.folder(run)
    assert folder == store.folder / "weights" / run
    folder.mkdir(parents=True)
    store.delete(run)
    assert not folder.exists()
    assert store.events.diverged(run) is None
    assert run not in store.events._histories


def test_several_things_are_changed_in_one_write_the_spec_among_them(store: Store) -> None:
    run = begun(store)
    other = SPEC.model_copy(update={"seed": 3})
    store.runs.update(run, spec=other, message="changed", until=7)
    found = store.runs.get(run)
    assert (found.spec, found.message, found.until) == (other, "changed", 7)


def test_as_many_histories_are_kept_as_a_race_has_and_the_oldest_is_read_again(store: Store) -> None:
    most = MOST_HISTORIES
    runs = [begun(store) for _ in range(most + 1)]
    for run in runs:
        store.events.record(run, 1, [started(), *steps(0, 1)])
    store.events._histories.clear()
    kept = [store.events.history(run) for run in runs[:most]]
    assert [store.events.history(run) for run in runs[:most]] == kept
    newest = store.events.history(runs[most])
    assert store.events.history(runs[most]) is newest
    assert store.events.history(runs[1]) is kept[1]
    again = store.events.history(runs[0])
    assert again is not kept[0]
    assert again.series().loss.tolist() == [1.0]


def test_a_history_that_was_looked_at_before_its_run_started_learns_of_the_start(store: Store) -> None:
    run = begun(store)
    assert store.events.history(run).started is None
    store.events.record(run, 1, [started(), *steps(0, 1)])
    assert store.events.history(run).started == started()


def test_events_survive_the_journey_as_json() -> None:
    events = [started(), *steps(0, 2), RunDiverged(step=2, layer="stem.conv", what="loss"), RunFinished(step=2)]
    assert from_json(to_json(events)) == events


def test_a_loss_that_is_not_finite_survives_the_journey() -> None:
    for value in (float("inf"), float("-inf")):
        [event] = from_json(to_json(steps(0, 1, loss=value)))
        assert isinstance(event, StepMeasured)
        assert event.loss == value


def test_cuts_outlive_a_resumption_and_a_new_one_takes_the_place_of_those_to_come(store: Store) -> None:
    run = begun(store)
    first, later = BlockCut(step=4, cut=CutSpec.parse("1,2:0.5")), BlockCut(step=9, cut=CutSpec())
    store.events.record(run, 1, [started(), *steps(0, 4), first, *steps(4, 9), later, *steps(9, 12)])
    store.events.record(run, 1, [started(4)])
    assert from_json(to_json(store.events.cuts(run))) == [first, later]
    assert (store.events.history(run).series().cut_steps, store.events.history(run).series().cuts) == (
        (4, 9),
        ("1,2:0.5", ""),
    )
    anew = BlockCut(step=6, cut=CutSpec.parse("0"))
    store.events.record(run, 1, [anew])
    assert store.events.cuts(run) == [first, anew]
    assert store.events.history(run).series().cut_steps == (4, 6)


def test_a_cut_that_was_asked_for_waits_until_it_is_in_force(store: Store) -> None:
    run = begun(store)
    for text in ("1", ""):
        store.runs.update(run, cut_asked=text)
        asked = store.runs.get(run).cut_asked
        assert asked == CutSpec.parse(text)
        store.events.record(run, 1, [BlockCut(step=0, cut=CutSpec.parse("0"))])
        assert store.runs.get(run).cut_asked == asked, "that was another one"
        store.events.record(run, 1, [BlockCut(step=0, cut=asked)])
        assert store.runs.get(run).cut_asked is None


def test_a_run_is_read_back_as_it_was_written(store: Store) -> None:
    run = begun(store)
    evaluated = EpochEvaluated(
        step=5, epoch=1, test_error=31.5, test_loss=1.0, test_images=100, images_per_second=500.0
    )
    store.events.record(run, 1, [started(), CheckpointSaved(step=0, moment=True), *steps(0, 5), evaluated])
    found = store.runs.get(run)
    assert found.spec == SPEC
    assert (found.status, found.step, found.total, found.checkpoint) == ("running", 5, 20, 0)
    series = store.events.history(run).series()
    assert series.steps.tolist() == [0, 1, 2, 3, 4]
    assert series.norms[:, 1].tolist() == pytest.approx([2, 3, 4, 5, 6])
    assert series.test_error.tolist() == [31.5]
    assert store.events.moments(run) == [0]


def test_a_resumed_run_replaces_what_came_after_its_checkpoint(store: Store) -> None:
    run = begun(store)
    store.events.record(
        run, 1, [started(), *steps(0, 3), CheckpointSaved(step=3, moment=False), *steps(3, 9, loss=7.0)]
    )
    assert losses(store, run) == [1.0] * 3 + [7.0] * 6
    store.runs.update(run, attempt=2)
    store.events.record(run, 2, [started(3), *steps(3, 5)])
    assert losses(store, run) == [1.0] * 5
    assert store.runs.get(run).step == 5


def test_events_of_an_attempt_that_is_over_do_not_count(store: Store) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 3)])
    store.runs.update(run, attempt=2)
    store.events.record(run, 1, steps(3, 9))
    assert store.runs.get(run).step == 3


@pytest.mark.parametrize("batch", [steps(4, 6), steps(2, 5), [started(7)]])
def test_a_gap_or_a_repetition_is_refused_whole(store: Store, batch: list[Event]) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 3)])
    with pytest.raises(EventGapError):
        store.events.record(run, 1, batch)
    assert losses(store, run) == [1.0] * 3


def test_how_a_run_ends_is_its_status(store: Store) -> None:
    for event, status in (
        (RunFinished(step=2), "finished"),
        (RunStopped(step=2), "paused"),
        (RunDiverged(step=2, layer="head.fc", what="loss"), "diverged"),
    ):
        run = begun(store)
        store.events.record(run, 1, [started(), *steps(0, 2), event])
        assert store.runs.get(run).status == status
    assert store.events.diverged(run) == RunDiverged(step=2, layer="head.fc", what="loss")
    assert "head.fc" in store.runs.get(run).message


def test_a_run_that_was_cancelled_stays_so_when_its_last_events_come(store: Store) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 2)])
    store.runs.update(run, status="cancelled")
    store.events.record(run, 1, [*steps(2, 3), RunStopped(step=3)])
    assert store.runs.get(run).status == "cancelled"
    assert store.runs.get(run).step == 3


def test_a_second_reader_sees_what_was_written(store: Store, tmp_path: Path) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 3)])
    assert losses(Store(tmp_path), run) == [1.0] * 3


def test_threads_may_write_and_read_at_once(store: Store) -> None:
    runs = [begun(store) for _ in range(4)]
    failures: list[BaseException] = []

    def write(run: str) -> None:
        try:
            store.events.record(run, 1, [started()])
            for step in range(50):
                store.events.record(run, 1, steps(step, step + 1))
                assert len(losses(store, run)) == step + 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [store.runs.get(run).step for run in runs] == [50] * 4


def test_only_weights_that_nobody_needs_are_deleted(store: Store) -> None:
    run = begun(store)
    folder = store.weights.folder(run)
    folder.mkdir(parents=True)
    for step in (0, 3, 5, 7, 9):
        (folder / f"{step:07d}.safetensors").touch()
        (folder / f"{step:07d}.momentum.safetensors").touch()
    events = [CheckpointSaved(step=step, moment=step in (0, 5)) for step in (0, 3, 5, 7)]
    store.events.record(run, 1, [started(), *events])
    store.prune(run)
    store.prune(run)  # what is gone is gone
    left = sorted(path.name for path in folder.iterdir())
    assert left == [
        "0000000.safetensors",
        "0000005.safetensors",
        "0000007.momentum.safetensors",
        "0000007.safetensors",
        "0000009.momentum.safetensors",  # written, but not yet known here: a resumed run may need it
        "0000009.safetensors",
    ]


def test_a_run_can_be_renamed_and_deleted_but_not_while_it_runs(store: Store) -> None:
    run = begun(store)
    store.runs.rename(run, "  my \n run " + "x" * 200)
    assert store.runs.get(run).name.startswith("my run xxx")
    assert len(store.runs.get(run).name) == 80
    with pytest.raises(ValueError, match="stop it"):
        store.delete(run)
    store.events.record(run, 1, [started(), *steps(0, 2), RunFinished(step=2)])
    store.delete(run)
    with pytest.raises(KeyError, match="no run"):
        store.runs.get(run)
