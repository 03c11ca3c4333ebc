"""Images per second of the engine's step with all measuring on, beside the usual loop and beside the limit.

ResNet-20, width 16, batch 128, CIFAR-10 with pad, crop and flip; on a CPU, two cores. Counted: all that a run does for
each step, from gathering the batch to the event with every layer's gradient norm. Not counted: the evaluation and the
checkpoint at an epoch's end, which the usual loop has neither of.
"""

import time
from collections.abc import Callable
from statistics import median

from app.base.settings import load
from app.training.loop import resolve
from benchmarks.nets.convolutions import Convolutions
from benchmarks.nets.engine_step import BATCH, EngineSteps, cifar_images, paper_run, timed, two_cores
from benchmarks.nets.usual_loop import UsualLoop
from benchmarks.report.figures import Device, Figure, Row, Say, at_least, interleaved

USUAL = Row(
    "ResNet-20, all measuring on ÷ usual loop",
    "images/s",
    {"cpu": at_least(2.1), "cuda": at_least(6)},
    "DataLoader, PIL, float32",
)
LIMIT = Row(
    "ResNet-20, all measuring on ÷ convolutions alone",
    "images/s",
    {"cpu": at_least(0.88), "cuda": at_least(0.5)},
    "convolutions alone",
)
ROWS = (USUAL, LIMIT)

REPETITIONS = 5
STEPS = {"cpu": 10, "cuda": 100}  # each time
ENGINE_STEPS = {"cpu": 10, "cuda": 2000}  # on a GPU it reads a hundred or so at once
WARM_UP = 3
WORKERS = (0, 1, 2)
SETTLE_SECONDS = 0.5  # after the usual loop, whose workers fill their queue once more


def measure(device: Device, say: Say) -> list[Figure]:
    """Engine, usual loop with 0, 1 and 2 workers, and convolutions, in turn."""
    with two_cores(device) as threads:
        images, note = cifar_images(load(), device)
        spec = resolve(paper_run(device, threads))
        engine = EngineSteps(spec, images)
        usual = [UsualLoop(images, workers, device) for workers in WORKERS]
        alone = Convolutions(spec.net, BATCH, device, spec.precision)
        steps = STEPS[device]

        def engine_rate() -> float:
            return ENGINE_STEPS[device] * BATCH / engine.seconds(ENGINE_STEPS[device])

        def usual_rate(loop: UsualLoop) -> float:
            _repeat(loop.step, loop.prefetched)  # these have waited since the last time
            rate = steps * BATCH / timed(lambda: _repeat(loop.step, steps), device)
            time.sleep(SETTLE_SECONDS)
            return rate

        def limit_rate() -> float:
            return steps * BATCH / timed(lambda: _repeat(alone.step, steps), device)

        engine.seconds(WARM_UP)
        for loop in usual:
            _repeat(loop.step, WARM_UP)
        _repeat(alone.step, WARM_UP)
        contestants = {f"{loop.workers}": lambda loop=loop: usual_rate(loop) for loop in usual}
        rates = interleaved({"engine": engine_rate, "limit": limit_rate, **contestants}, REPETITIONS)
        for loop in usual:
            loop.close()
    best = max((str(workers) for workers in WORKERS), key=lambda name: median(rates[name]))
    for name, values in rates.items():
        say(f"{name if name in ('engine', 'limit') else f'usual, {name} workers'}: {median(values):,.0f} images/s")
    told = "; ".join(filter(None, [note, f"{spec.precision}, {threads} threads"]))
    return [
        USUAL.beside(rates["engine"], rates[best], f"{told}; best with {best} workers"),
        LIMIT.beside(rates["engine"], rates["limit"], told),
    ]


def _repeat(step: Callable[[], object], times: int) -> None:
    for _ in range(times):
        step()
