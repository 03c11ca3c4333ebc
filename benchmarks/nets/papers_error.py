"""Seconds until ResNet-20 is as good on CIFAR-10 as in the paper: 8.75 % of the test images wrong.

He et al. 2015, table 6. The clock starts with the first step and stops at the first epoch's end that is as good; all
evaluations on the way are counted. Half of the paper's steps, with a rate that falls to zero.
"""

import time

from app.base.settings import load
from app.training.loop import train
from app.values.events import EpochEvaluated, RunStarted
from app.values.run_spec import Recipe
from benchmarks.nets.engine_step import cifar_images, paper_run
from benchmarks.report.figures import CannotMeasureError, Device, Figure, Row, Say, at_most

PAPERS_ERROR = 8.75  # percent
RECIPE = Recipe(epochs=80, augment=True)
SEEDS = (0, 1, 2)
REACHED = Row("resnet-20 on CIFAR-10 to 91.25 %", "s", {"cuda": at_most(60)})
ROWS = (REACHED,)


def measure(device: Device, say: Say) -> list[Figure]:
    """One run for each seed."""
    images, missing = cifar_images(load(), device)
    if missing:
        raise CannotMeasureError("CIFAR-10 is not under RESNET_EXPLORER_DATA")
    seconds = []
    for seed in SEEDS:
        begun = error = 0.0
        for event in train(paper_run(device, 0, recipe=RECIPE, seed=seed), images):
            if isinstance(event, RunStarted):
                begun = time.perf_counter()
            if isinstance(event, EpochEvaluated):
                error = event.test_error
                if error <= PAPERS_ERROR:
                    seconds.append(time.perf_counter() - begun)
                    say(f"seed {seed}: {error:.2f} % after epoch {event.epoch}, {seconds[-1]:.1f} s")
                    break
        else:
            raise CannotMeasureError(f"seed {seed} ended at {error:.2f} %")
    return [REACHED.alone(seconds, f"{RECIPE.epochs} epochs planned")]
