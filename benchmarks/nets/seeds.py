"""A race of four nets over three seeds, beside the same race with one: its cost, and how early its curves begin.

The race that Start opens with, through the engine: STEPS updates of the quick recipe, on the bundled images, width 8.
Twelve trainings can cost no less than three times what the four took on their workers in the race of one seed; what
they cost more is waiting. A curve begins with the first error that the store has of any net; all four have begun when
the last of the nets has one. The clock starts when warm workers are given the runs.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.base.settings import load
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.ui.runs.race_form import DEFAULT_NETS
from app.values.run_spec import Recipe, RunSpec, over_seeds
from benchmarks.report.figures import Device, Figure, Row, Say, at_most
from models.spec import NetSpec

COST = Row("4 nets × 3 seeds", "s", {"cpu": at_most(1)}, "12 × a net's time ÷ workers")
FIRST = Row("its first curve", "s", {"cpu": at_most(1.2)}, "with one seed")
LAST = Row("its fourth net's curve", "s", {"cpu": at_most(1.2)}, "with one seed")
ROWS = (COST, FIRST, LAST)

STEPS = 60
SEEDS = 3
REPETITIONS = 3
LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class _Race:
    """In seconds: until all was over, until the first and the last net had an error to draw, on workers in sum."""

    over: float
    first: float
    last: float
    working: float


def measure(_device: Device, say: Say) -> list[Figure]:
    """The race with one seed and with three, in turn."""
    one, three = [], []
    settings = load()
    with TemporaryDirectory(prefix="resnet-explorer-") as folder:
        engine = Engine(settings.model_copy(update={"store": Path(folder), "scheduler": ""}))
        try:
            _raced(engine, 1, seed=0, steps=1)  # warming is queued on the same workers
            for nth in range(REPETITIONS):
                one.append(_raced(engine, 1, seed=100 * nth))
                three.append(_raced(engine, SEEDS, seed=100 * nth + 10))
                say(f"{SEEDS} seeds: {three[-1].over:.1f} s, curves from {three[-1].first:.2f} s on")
        finally:
            engine.stop()
    note = f"{STEPS} steps each, {settings.runs_at_once} workers"
    ideal = [SEEDS * race.working / settings.runs_at_once for race in one]
    return [
        COST.beside([race.over for race in three], ideal, note),
        FIRST.beside([race.first for race in three], [race.first for race in one], note),
        LAST.beside([race.last for race in three], [race.last for race in one], note),
    ]


def _raced(engine: Engine, seeds: int, seed: int, steps: int = STEPS) -> _Race:
    recipe = Recipe(steps=steps)
    nets = [NetSpec.parse(f"{net}:width=8").fitted(1, 10) for net in DEFAULT_NETS]
    specs = over_seeds([RunSpec(net=net, recipe=recipe, seed=seed) for net in nets], seeds)
    runs = engine.runs.submit(specs, MACHINE)
    at = time.perf_counter()
    begun: dict[str, float] = {}  # nets
    started: dict[str, float] = {}  # runs
    ended: dict[str, float] = {}
    while len(ended) < len(runs):
        now = time.perf_counter() - at
        for run in (engine.store.runs.get(run.id) for run in runs if run.id not in ended):
            if run.status == "running":
                started.setdefault(run.id, now)
            if run.spec.net.name not in begun and engine.store.events.history(run.id).next_step:
                begun[run.spec.net.name] = now
            if not run.active:
                ended[run.id] = now
        time.sleep(LOOK_SECONDS)
    working = sum(end - started.get(run, end) for run, end in ended.items())
    return _Race(max(ended.values()), min(begun.values()), max(begun.values()), working)
