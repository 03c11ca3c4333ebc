"""A worker that hangs is told of, and given up; one that is slow, or whose server slept, is not."""

import os
import signal
from pathlib import Path

import pytest

from app.base.settings import Settings
from app.engine.engine import Engine
from app.engine.policy import silence as module
from app.engine.policy.silence import GIVEN_UP, SAID, Silence
from app.engine.policy.visitor import MACHINE
from app.store.run import Run
from app.values.events import StepMeasured
from tests.support.opening import EPOCH, spec, under_way
from tests.support.waiting import until
from tests.trials.undisturbed import Weights, ended_well, specs


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def passes(self, seconds: float, silence: Silence, *at_work: str) -> list[str]:
        """In looks a second apart; what was given up in the last of them."""
        hung: list[str] = []
        for _ in range(int(seconds)):
            self.now += 1
            hung = silence.look(at_work)
        return hung


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def training(engine: Engine, steps: int, pace: float = 0.01) -> Run:
    """A run after some steps of `pace` seconds."""
    [run] = engine.runs.submit([spec("resnet-8", steps=500)], MACHINE)
    under_way(engine, run, [90.0] * EPOCH)
    more = [
        StepMeasured(step=step, loss=1.0, error=90.0, lr=0.1, seconds=pace, norms=(0.1,) * 10)
        for step in range(EPOCH, steps)
    ]
    engine.store.events.record(run.id, 1, more)
    return engine.store.runs.get(run.id)


def test_silence_is_told_after_ten_seconds_and_ends_the_worker_after_sixty(engine: Engine, clock: Clock) -> None:
    run, silence = training(engine, EPOCH + 5), Silence(engine.store)
    silence.heard(run.id)
    assert clock.passes(SAID, silence, run.id) == []
    assert silence.of(run) is None
    clock.passes(1, silence, run.id)
    assert silence.of(run) == SAID + 1
    assert clock.passes(GIVEN_UP - SAID - 1, silence, run.id) == []
    assert clock.passes(1, silence, run.id) == [run.id]
    assert clock.passes(2 * GIVEN_UP, silence, run.id) == [], "its next attempt may take its time to begin"
    assert silence.of(run) is None
    silence.heard(run.id)
    clock.passes(30, silence, run.id)
    assert silence.of(run) == 30
    silence.heard(run.id)
    assert silence.of(run) is None


def test_a_slow_run_is_not_a_silent_one(engine: Engine, clock: Clock) -> None:
    run, silence = training(engine, EPOCH + 35, pace=20.0), Silence(engine.store)
    silence.heard(run.id)
    clock.passes(SAID + 39, silence, run.id)
    assert silence.of(run) is None, "two of its steps may take 40 s"
    clock.passes(2, silence, run.id)
    assert silence.of(run) is not None
    assert clock.passes(2 * GIVEN_UP, silence, run.id) == []


def test_an_evaluation_takes_its_time(engine: Engine, clock: Clock) -> None:
    run, silence = training(engine, 4 * EPOCH, pace=1.0), Silence(engine.store)  # 2,000 images in batches of 64: 31 s
    silence.heard(run.id)
    clock.passes(SAID + 30, silence, run.id)
    assert silence.of(run) is None
    clock.passes(10, silence, run.id)
    assert silence.of(run) is not None


def test_before_the_first_step_nobody_knows_what_is_too_long(engine: Engine, clock: Clock) -> None:
    [run] = engine.runs.submit([spec("resnet-8")], MACHINE)
    under_way(engine, run, [])
    silence = Silence(engine.store)
    silence.heard(run.id)
    assert clock.passes(10 * GIVEN_UP, silence, run.id) == []
    assert silence.of(engine.store.runs.get(run.id)) is None


def test_a_server_that_slept_gives_nobody_up(engine: Engine, clock: Clock) -> None:
    run, silence = training(engine, EPOCH + 5), Silence(engine.store)
    silence.heard(run.id)
    clock.now += 3600
    assert silence.look([run.id]) == []
    assert silence.of(run) is None


def test_a_deleted_run_does_not_keep_a_worker_that_hangs(engine: Engine, clock: Clock) -> None:
    silence = Silence(engine.store)
    silence.heard("gone")
    assert clock.passes(GIVEN_UP + 1, silence, "gone") == ["gone"]


@pytest.mark.engine
@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="processes cannot be stopped here")
def test_a_stopped_worker_is_told_of_and_given_up_and_its_run_ends_as_if_undisturbed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, witness: Weights
) -> None:
    engine = Engine(Settings(store=tmp_path, workers=1))
    try:
        monkeypatch.setattr(module, "SAID", 0.5)
        [run] = [run.id for run in engine.runs.submit(specs()[:1], MACHINE)]
        until(lambda: engine.store.runs.get(run).step > 20, "step 20")
        stopped = engine.store.runs.get(run)
        [address] = engine._cluster.workers("train")
        pid = engine._cluster.client.run(os.getpid, workers=[address])[address]
        os.kill(pid, signal.SIGSTOP)
        until(lambda: engine.runs.silent(engine.store.runs.get(run)), "the silence to be told")
        assert engine.store.runs.get(run).status == "running"
        monkeypatch.setattr(module, "GIVEN_UP", 2.0)
        until(lambda: engine.store.runs.get(run).attempt > stopped.attempt, "another attempt")
        monkeypatch.setattr(module, "GIVEN_UP", GIVEN_UP)
        until(lambda: not engine.store.runs.get(run).active, "the end")
        ended_well(engine.store, [run], witness)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    finally:
        engine.stop()
