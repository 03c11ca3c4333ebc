"""Seconds until the plain net's training error is 10 points above its residual twin's, both training at once.

The default pair, by the quick recipe, through the engine: on a CPU the bundled images, width 8, one thread each; on a
GPU CIFAR-10 and the paper's width. The clock starts when warm workers are given the runs. Compared are means over the
last 16 steps that each run has made by then: two steps that happen at the same time, as a class sees them.
"""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from app.base.settings import load
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.values import datasets
from app.values.datasets import BUNDLED, DATASETS
from app.values.run_spec import RunSpec
from benchmarks.report.figures import CannotMeasureError, Device, Figure, Row, Say, at_most
from models.spec import NetSpec

GAP = Row("plain-56 and resnet-56 10 points apart", "s", {"cpu": at_most(60), "cuda": at_most(8)})
ROWS = (GAP,)

POINTS = 10.0
WINDOW = 16
SEEDS = (0, 1)
DATA = {"cpu": (BUNDLED, 8), "cuda": ("cifar-10", 16)}
LOOK_SECONDS = 0.1


def measure(device: Device, say: Say) -> list[Figure]:
    """The pair with each seed, one race after another."""
    name, width = DATA[device]
    settings = load()
    if not datasets.available(name, settings.data):
        raise CannotMeasureError(f"{DATASETS[name].title} is not under RESNET_EXPLORER_DATA")
    seconds = []
    with TemporaryDirectory(prefix="resnet-explorer-") as folder:
        engine = Engine(settings.model_copy(update={"store": Path(folder), "scheduler": ""}))
        try:
            for seed in SEEDS:
                # Warming is queued on the same workers: a first race of one step is over when they are warm.
                _finish(engine, _pair(name, width, seed, device, steps=1))
                seconds.append(_apart(engine, _pair(name, width, seed, device)))
                say(f"seed {seed}: {POINTS:.0f} points after {seconds[-1]:.1f} s")
        finally:
            engine.stop()
    return [GAP.alone(seconds, f"{DATASETS[name].title}, width {width}")]


def _pair(name: str, width: int, seed: int, device: Device, steps: int | None = None) -> list[RunSpec]:
    """plain-56 and resnet-56 by the quick recipe, or its first steps."""
    about = DATASETS[name]
    nets = [NetSpec.parse(f"{family}-56:width={width}") for family in ("plain", "resnet")]
    pair = [RunSpec(net=net.fitted(about.channels, about.classes), data=name, seed=seed, device=device) for net in nets]
    return [spec.model_copy(update={"recipe": spec.recipe.model_copy(update={"steps": steps})}) for spec in pair]


def _finish(engine: Engine, pair: list[RunSpec]) -> None:
    """Run both to their ends."""
    runs = engine.runs.submit(pair, MACHINE)
    while any(engine.store.runs.get(run.id).active for run in runs):
        time.sleep(LOOK_SECONDS)


def _apart(engine: Engine, pair: list[RunSpec]) -> float:
    """Seconds until they are apart; both are cancelled then, and waited for."""
    begun = time.perf_counter()
    plain, residual = (run.id for run in engine.runs.submit(pair, MACHINE))
    while _behind(engine, plain) - _behind(engine, residual) < POINTS:
        if not any(engine.store.runs.get(run).active for run in (plain, residual)):
            raise RuntimeError(f"the race ended without a gap of {POINTS:.0f} points")
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - begun
    for run in (plain, residual):
        engine.runs.cancel(run, MACHINE)
    return seconds


def _behind(engine: Engine, run: str) -> float:
    """Training error in percent over the last 16 steps; until there are so many, that of a net that guesses."""
    history = engine.store.events.history(run)
    error = history.train_error(WINDOW)
    return 90.0 if error is None or history.next_step < WINDOW else error
