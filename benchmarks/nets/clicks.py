"""Seconds from a click on a block to the new error, while five studies and two runs go on, beside nothing going on.

Through the engine, as a page asks: a cut of ResNet-20 that nobody asked before, 1,000 test images, looked for every
20 ms. The studies are ones that take minutes, and a watcher asks for each as a page does; the runs are of 56 layers.
"""

import threading
import time
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

from app.base.settings import load
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.studies.cuts.questions import CutQuestion
from app.studies.lesions.questions import RandomLesionsQuestion
from app.studies.subnetworks.questions import SubNetworksQuestion
from app.values.cut_spec import CutSpec
from app.values.questions import Question
from app.values.run_spec import RunSpec
from benchmarks.report.figures import Device, Figure, Row, Say, at_most, p95
from models.spec import NetSpec

BUSY = Row("click on a block, 5 studies and 2 runs go on: p95", "s", {"cpu": at_most(1.5)})
IDLE = Row("the same, nothing goes on: p95", "s", {"cpu": None})
ROWS = (BUSY, IDLE)

RUN, STEP = "reference-resnet-20", 312
CLICKS = 40
IMAGES = 1000
LOOK_SECONDS = 0.02


def measure(_device: Device, say: Say) -> list[Figure]:
    """Clicks with nothing beside them, then with everything."""
    cuts = [CutSpec.of(removed=pair) for size in (2, 3) for pair in combinations(range(9), size)]
    with TemporaryDirectory(prefix="resnet-explorer-") as folder:
        engine = Engine(load().model_copy(update={"store": Path(folder), "scheduler": ""}))
        over = threading.Event()
        try:
            _click(engine, CutSpec())  # the worker imports
            idle = [_click(engine, cut) for cut in cuts[:CLICKS]]
            say(f"nothing goes on: {p95(idle):.2f} s")
            _begin_runs(engine)
            watcher = threading.Thread(target=_watch, args=(engine, _studies(), over), daemon=True)
            watcher.start()
            _wait_for(engine)
            busy = [_click(engine, cut) for cut in cuts[CLICKS : 2 * CLICKS]]
            say(f"all goes on: {p95(busy):.2f} s, at most {max(busy):.2f}")
        finally:
            over.set()
            engine.stop()
    note = f"{CLICKS} clicks, {IMAGES:,} images"
    return [BUSY.alone([p95(busy)], note), IDLE.alone([p95(idle)], note)]


def _click(engine: Engine, cut: CutSpec) -> float:
    question = CutQuestion(run=RUN, step=STEP, cut=cut, images=IMAGES)
    at = time.perf_counter()
    while engine.questions.ask(question, MACHINE).pending:
        time.sleep(LOOK_SECONDS)
    return time.perf_counter() - at


def _begin_runs(engine: Engine) -> None:
    net = NetSpec.parse("resnet-56:width=8").fitted(1, 10)
    engine.runs.submit([RunSpec(net=net, seed=seed) for seed in range(engine.settings.runs_at_once)], MACHINE)


def _studies() -> list[Question]:
    many = [SubNetworksQuestion(run=RUN, step=STEP, images=2000 - nth) for nth in range(3)]
    return [*many, *(RandomLesionsQuestion(run=RUN, step=STEP, seed=seed, k=(1, 3, 5, 7)) for seed in (7, 8))]


def _watch(engine: Engine, studies: list[Question], over: threading.Event) -> None:
    while not over.wait(0.4):
        for study in studies:
            engine.questions.ask(study, MACHINE)


def _wait_for(engine: Engine) -> None:
    """Until both runs make steps and studies are under way."""
    while not all(run.step for run in engine.store.runs.all(["running"])) or engine.questions.under_way < 2:
        time.sleep(LOOK_SECONDS)
