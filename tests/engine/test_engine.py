"""The engine: whatever is killed, every run ends with the events and the weights of an undisturbed one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from safetensors.torch import load_file

from app.base.settings import Settings
from app.data.images import load_for
from app.engine import engine as engine_module
from app.engine import run_queue as pump
from app.engine import worker
from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE
from app.engine.run_queue import RunQueue
from app.server.metrics import health
from app.store.database import StoreError
from app.store.files.checkpoints import weights_file
from app.studies.gradients.questions import GradientsQuestion
from app.training.loop import train
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut
from app.values.run_spec import Recipe, RunSpec
from models.spec import NetSpec
from tests.support.opening import NoCluster
from tests.support.waiting import until
from tests.trials.undisturbed import STEPS, Weights, ended_well, specs, trained

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One for all tests of this file: its processes take seconds to start."""
    engine = Engine(Settings(store=tmp_path_factory.mktemp("store"), workers=2))
    yield engine
    engine.stop()


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """The next test finds workers that are free."""
    yield
    if "engine" in request.fixturenames:
        engine: Engine = request.getfixturevalue("engine")
        for run in trained(engine.store):
            engine.runs.cancel(run.id, MACHINE)
        until(lambda: not any(engine.queue.busy(run.id) for run in trained(engine.store)), "the workers to be free")


def test_pause_step_and_go_on_change_no_weight(engine: Engine, witness: Weights) -> None:
    [first, second] = [run.id for run in engine.runs.submit(specs(), MACHINE)]
    until(lambda: engine.store.runs.get(first).step > 20, "step 20")
    engine.runs.pause(first, MACHINE)
    until(lambda: not engine.queue.busy(first), "the worker to let go")
    paused = engine.store.runs.get(first)
    assert paused.status == "paused"
    assert paused.checkpoint == paused.step < STEPS
    engine.runs.resume(first, MACHINE, steps=1)
    until(lambda: engine.store.runs.get(first).status == "paused" and not engine.queue.busy(first), "one step")
    assert engine.store.runs.get(first).step == paused.step + 1
    engine.runs.resume(first, MACHINE)
    until(lambda: not any(engine.store.runs.get(run).active for run in (first, second)), "the end")
    ended_well(engine.store, [first, second], witness)


def test_a_block_cut_while_it_trains_is_kept_with_the_run_and_repeats_it(engine: Engine, tmp_path: Path) -> None:
    asked = specs()[0].model_copy(update={"recipe": Recipe(steps=400, batch=16)})
    run, store = engine.runs.submit([asked], MACHINE)[0].id, engine.store
    with pytest.raises(ValueError, match=r"enters, .* leaves"):
        engine.runs.cut(run, CutSpec.parse("1"), MACHINE)
    until(lambda: store.runs.get(run).step > 0, "the first step")
    engine.runs.cut(run, CutSpec.parse("0"), MACHINE)
    until(lambda: store.events.cuts(run), "the cut")
    assert store.runs.get(run).active
    until(lambda: store.runs.get(run).step > store.events.cuts(run)[0].step + 5, "steps under the cut")
    engine.runs.pause(run, MACHINE)
    until(lambda: not engine.queue.busy(run), "the worker to let go")
    engine.runs.cut(run, CutSpec(), MACHINE)
    until(lambda: len(store.events.cuts(run)) == 2, "the block to be back")
    assert store.runs.get(run).status == "paused"
    engine.runs.resume(run, MACHINE)
    until(lambda: not store.runs.get(run).active, "the end")
    settled, cuts = store.runs.get(run).settled, store.events.cuts(run)
    assert [event.cut for event in cuts] == [CutSpec.parse("0"), CutSpec()]
    list(train(settled, load_for(settled, engine.settings), tmp_path / "again", cuts=cuts))
    once, again = load_file(weights_file(store.weights.folder(run), 400)), tmp_path / "again"
    for name, value in load_file(weights_file(again, 400)).items():
        assert torch.equal(once[name], value)
    with pytest.raises(RefusedError, match="finished"):
        engine.runs.cut(run, CutSpec.parse("0"), MACHINE)


class Silent(NoCluster):
    """A cluster whose one worker takes what it is given and is never heard of."""

    def workers(self, _lane: str) -> list[str]:
        """It has no name."""
        return [""]

    def submit(self, *_: object, **_options: object) -> SimpleNamespace:
        """It never ends."""
        return SimpleNamespace(status="pending", add_done_callback=lambda _: None, cancel=lambda: None)


def test_a_cut_asked_of_a_server_that_died_is_made_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "Cluster", Silent)
    monkeypatch.setattr(RunQueue, "_ask_to_stop", lambda *_: None)
    first = Engine(Settings(store=tmp_path))
    run = first.runs.submit(specs()[1:], MACHINE)[0].id
    until(lambda: first.queue.busy(run), "the worker to have it")
    first.runs.cut(run, CutSpec.parse("1"), MACHINE)
    first.stop()
    following = Engine(Settings(store=tmp_path))
    until(lambda: following.queue.busy(run), "the run to go on")
    assert following.store.events.cuts(run) == [BlockCut(step=0, cut=CutSpec.parse("1"))]
    assert following.store.runs.get(run).cut_asked is None
    following.stop()


class Busy(Silent):
    """The same; asked who its workers are, its scheduler answers now and then too late."""

    names: ClassVar = [""]
    looks = 0

    def connected(self) -> bool:
        """It is there; the pump asks before each look around."""
        Busy.looks += 1
        return True

    def workers(self, _lane: str) -> list[str]:
        """As many as answered in time."""
        return list(self.names)


def test_a_scheduler_that_answers_too_late_costs_no_run_its_worker_and_one_that_names_others_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "Cluster", Busy)
    engine = Engine(Settings(store=tmp_path))
    run = engine.runs.submit(specs()[1:], MACHINE)[0].id
    until(lambda: engine.queue.busy(run), "the worker to have it")
    monkeypatch.setattr(Busy, "names", [])
    seen = Busy.looks
    until(lambda: Busy.looks > seen + 1, "the pump to look around")
    assert (engine.queue.busy(run), engine.store.runs.get(run).attempt) == (True, 1)
    monkeypatch.setattr(Busy, "names", ["another"])
    until(lambda: engine.store.runs.get(run).attempt == 2, "the other worker to have it")
    engine.stop()


class Away(NoCluster):
    """A cluster whose scheduler does not answer, until it is back."""

    back = False

    def connected(self) -> bool:
        """As the pump asks, each second."""
        return self.back

    def submit(self, *_: object, **_options: object) -> None:
        """As the real one refuses."""
        raise TimeoutError("cannot be reached")


def test_a_scheduler_that_is_away_is_said_everywhere_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "Cluster", Away)
    engine = Engine(Settings(store=tmp_path))
    run = engine.runs.submit(specs()[:1], MACHINE)[0].id
    until(lambda: bool(engine.trouble), "the pump to notice")
    assert "scheduler is away" in health(engine)
    assert engine.store.runs.get(run).status == "queued"
    answer = engine.questions.ask(GradientsQuestion(run="reference-resnet-20", step=0), MACHINE)
    assert (answer.pending, answer.trouble) == (False, "cannot be reached")
    monkeypatch.setattr(Away, "back", True)
    until(lambda: not engine.trouble, "all to be well again")
    assert health(engine) == ""
    engine.stop()


def test_runs_wait_their_turn_and_a_waiting_one_can_be_cancelled(engine: Engine) -> None:
    first, _, third, fourth = (run.id for run in engine.runs.submit(specs(4), MACHINE))
    until(lambda: engine.store.runs.get(first).step > 0, "the first step")
    assert [engine.store.runs.get(run).status for run in (third, fourth)] == ["queued", "queued"]
    assert (engine.runs.place(third), engine.runs.place(fourth)) == (0, 1)
    wait = engine.runs.seconds_left(engine.store.runs.get(fourth))
    assert wait is not None
    assert wait > 0
    engine.runs.cancel(third, MACHINE)
    engine.runs.cancel(first, MACHINE)
    until(lambda: engine.store.runs.get(fourth).status == "running", "the fourth to move up")
    until(lambda: not engine.queue.busy(first), "the first to stop")
    assert engine.store.runs.get(first).status == "cancelled"
    assert engine.store.runs.get(third).status == "cancelled"
    assert 0 < engine.store.runs.get(first).step < STEPS


def test_a_run_whose_worker_keeps_dying_is_given_up_and_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "MAX_DEATHS", 2)
    monkeypatch.setattr(worker, "train_run", _die)
    [run] = engine.runs.submit(specs()[:1], MACHINE)
    until(lambda: engine.store.runs.get(run.id).status == "failed", "the engine to give up")
    assert "died" in engine.store.runs.get(run.id).message


def _die(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_weights_that_cannot_be_written_fail_the_run_and_keep_its_events(engine: Engine) -> None:
    run = engine.runs.submit([specs()[0].model_copy(update={"recipe": Recipe(steps=2000, batch=64)})], MACHINE)[0].id
    until(lambda: engine.store.runs.get(run).step > 12, "some steps")
    folder = engine.store.weights.folder(run)
    folder.rename(folder.with_name("gone"))
    folder.touch()  # a file where the folder was: nothing can be written into it
    until(lambda: engine.store.runs.get(run).status == "failed", "the failure")
    assert "disk" in engine.store.runs.get(run).message
    assert len(engine.store.events.history(run).series().steps) > 12


def test_what_is_too_large_is_refused_before_anything_is_queued(engine: Engine) -> None:
    before = trained(engine.store)
    fine, net = specs()[0], NetSpec.parse("imagenet-resnet-152:width=512").fitted(1, 10)
    with pytest.raises(RefusedError, match="parameters"):
        engine.runs.submit([fine, fine.model_copy(update={"net": net})], MACHINE)
    thousand = fine.model_copy(update={"net": NetSpec.parse("resnet-1202").fitted(1, 10)})
    thousand = thousand.model_copy(update={"recipe": Recipe(steps=1, batch=4096)})
    with pytest.raises(RefusedError, match=r"needs about \d+\.\d GB to train"):
        engine.runs.submit([thousand], MACHINE)
    with pytest.raises(RefusedError, match="steps"):
        engine.runs.submit([fine.model_copy(update={"recipe": Recipe(steps=900_000)})], MACHINE)
    with pytest.raises(RefusedError, match="upload it again"):
        engine.runs.submit([RunSpec(net=fine.net, data="own-0123456789ab")], MACHINE)
    assert trained(engine.store) == before


def test_a_second_engine_on_the_same_store_is_refused(engine: Engine) -> None:
    with pytest.raises(StoreError, match="another server"):
        Engine(engine.settings)


def test_an_unreachable_data_set_fails_its_run_with_a_sentence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "fetch_data", _offline)
    net = NetSpec.parse("resnet-8:width=4").fitted(3, 10)
    [run] = engine.runs.submit([RunSpec(net=net, data="cifar-10")], MACHINE)
    until(lambda: engine.store.runs.get(run.id).status == "failed", "the failure")
    assert engine.store.runs.get(run.id).message == "the network cannot be reached"
    assert engine.runs.downloads == {}


def _offline(*_args: object) -> None:
    raise ValueError("the network cannot be reached")


def test_two_runs_asked_of_a_cold_engine_train_side_by_side(tmp_path: Path) -> None:
    engine = Engine(Settings(store=tmp_path, workers=2), lanes=["train"])
    long = Recipe(steps=100_000, batch=64)
    runs = [
        run.id for run in engine.runs.submit([spec.model_copy(update={"recipe": long}) for spec in specs()], MACHINE)
    ]
    until(lambda: all(engine.store.runs.get(run).step > 0 for run in runs), "the first steps of both")
    assert [engine.store.runs.get(run).status for run in runs] == ["running", "running"]
    assert [engine.store.runs.get(run).attempt for run in runs] == [1, 1]
    engine.stop()
