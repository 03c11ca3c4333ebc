"""The engine's own step, a few at a time, through the generator that every run goes through."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from app.base.settings import Settings
from app.data.images import Images, load
from app.training.loop import train
from app.values import datasets
from app.values.datasets import DATASETS
from app.values.events import StepMeasured
from app.values.run_spec import RECIPES, RunSpec
from models.spec import NetSpec

BATCH = RECIPES["paper"].batch
TWO_CORES = 2


def paper_run(device: str, threads: int, **changes: object) -> RunSpec:
    """ResNet-20, width 16, on CIFAR-10 by the paper's recipe: batch 128, pad, crop and flip."""
    net = NetSpec.parse("resnet-20").fitted(3, 10)
    run = {"net": net, "data": "cifar-10", "recipe": RECIPES["paper"], "device": device, "threads": threads}
    return RunSpec.model_validate(run | changes)


def cifar_images(settings: Settings, device: str) -> tuple[Images, str]:
    """CIFAR-10 if it is here, else noise of the same shape, and a note that says so."""
    if datasets.available("cifar-10", settings.data):
        return load("cifar-10", settings, device), ""
    noise = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (50_000, 3, 32, 32), dtype=torch.uint8, generator=noise).to(device)
    labels = torch.randint(0, 10, (50_000,), generator=noise).to(device)
    return Images(DATASETS["cifar-10"], pixels, labels, pixels[:100], labels[:100]), "noise in place of CIFAR-10"


class EngineSteps:
    """A run that is taken further by `seconds(steps)`.

    Weights go nowhere, so that no checkpoint is counted; an epoch's end, which a GPU reaches, evaluates one image.
    """

    def __init__(self, spec: RunSpec, images: Images) -> None:
        self.device = spec.device
        few = replace(images, test=images.test[:1], test_labels=images.test_labels[:1])
        self.events: Iterator[object] = iter(train(spec, few))

    def seconds(self, steps: int) -> float:
        """Wall time of so many updates, all that is done for each included."""
        return timed(lambda: self._advance(steps), self.device)

    def _advance(self, steps: int) -> None:
        while steps:
            steps -= isinstance(next(self.events), StepMeasured)


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds that `work()` takes, until the device is done with it."""
    synchronize(device)
    begun = time.perf_counter()
    work()
    synchronize(device)
    return time.perf_counter() - begun


def synchronize(device: str) -> None:
    """Wait until the device has done all that it was asked."""
    if device == "cuda":
        torch.cuda.synchronize()


@contextmanager
def two_cores(device: str) -> Iterator[int]:
    """Keep this process, and what it starts, to two cores while nothing but a CPU trains; yields the threads left."""
    allowed = os.sched_getaffinity(0)
    cores = sorted(allowed)[: TWO_CORES if device == "cpu" else None]
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(len(cores))
    try:
        yield len(cores)
    finally:
        os.sched_setaffinity(0, allowed)
