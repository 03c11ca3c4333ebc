"""Do recorded steps train as eager ones do? Asked on the card itself, before its first run, and remembered.

A CUDA graph repeats kernels and addresses: one that reads an old batch, or an old rate, trains on without a word. So a
tiny net makes a few steps both ways, from the same weights on the same images, and the losses and all gradient norms
are compared. Where they differ, or a step cannot be recorded at all, this card's runs are made of eager steps.
"""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch

from app.base import logs
from app.data.images import Images
from app.training.cuda_graphs import Ahead
from app.training.remembered import remembered
from app.training.step import Steps
from app.values.datasets import DataSet
from app.values.events import BlockCut, StepMeasured
from app.values.run_spec import Device, Recipe, RunSpec
from models.nets.net import generator
from models.spec import NetSpec

log = logs.events(__name__)

Way = Literal["recorded", "eager"]
Maker = Callable[[RunSpec, Images, Sequence[BlockCut]], Steps]

STEPS = 12
# Relative. The same kernels round alike, another algorithm of cuDNN's within 1e-6 a step, which training amplifies to
# some 1e-3 here; a batch, rate or momentum that is not the step's own changes norms by tenths.
TOLERANCE = 0.02
NOISE = DataSet(
    name="own-000000000000",
    title="noise",
    source="upload",
    channels=1,
    size=12,
    labels=("0", "1", "2"),
    train_images=96,
    test_images=0,
    mean=(0.5,),
    std=(0.3,),
)


def graphs_hold(folder: Path | None) -> bool:
    """True if runs on this machine's GPU may be recorded. `folder`: where the verdict is remembered."""
    card = f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return remembered(folder, "steps", card, get_args(Way), _checked_here) == "recorded"


@cache
def _checked_here() -> Way:
    return checked("cuda")


def checked(device: Device, recorded: Maker = Ahead, eager: Maker = Steps) -> Way:
    """Compare the two ways on `device`. Whatever goes wrong is said in the log, and the eager way is taken."""
    try:
        difference = _difference(_taken(eager, device), _taken(recorded, device))
    except Exception as error:  # whatever a driver raises: training goes on, the safe way
        log.warning("steps cannot be recorded", reason=str(error).strip().partition("\n")[0])
        return "eager"
    if difference > TOLERANCE:
        log.warning("recorded steps differ", by=f"{difference:.2g}")
        return "eager"
    return "recorded"


def _taken(make: Maker, device: Device) -> list[StepMeasured]:
    """What each step measures, made one way."""
    run, taken = make(spec(device), noise(device), ()), list[StepMeasured]()
    while len(taken) < STEPS:
        taken += run.take(len(taken), STEPS)
    return taken


def spec(device: Device) -> RunSpec:
    """What is trained for the check."""
    net = NetSpec.parse("resnet-8:width=4").fitted(NOISE.channels, NOISE.classes)
    recipe = Recipe(name="check", steps=STEPS, batch=16, lr=0.05)
    return RunSpec(net=net, data=NOISE.name, recipe=recipe, device=device, precision="float32", threads=1)


def noise(device: str) -> Images:
    """What it is trained on."""
    own = generator(0, "check", 0)
    pixels = torch.randint(0, 256, (NOISE.train_images, 1, NOISE.size, NOISE.size), generator=own, dtype=torch.uint8)
    labels = torch.randint(0, NOISE.classes, (NOISE.train_images,), generator=own)
    pixels, labels = pixels.to(device), labels.to(device)
    return Images(NOISE, pixels, labels, pixels[:0], labels[:0])


def _difference(one: Sequence[StepMeasured], other: Sequence[StepMeasured]) -> float:
    """The largest relative difference of a loss, or of all the norms of a step together."""
    largest = 0.0
    for a, b in zip(one, other, strict=True):
        mine, theirs = (torch.tensor([step.loss, *step.norms]) for step in (a, b))
        if not bool((mine.isfinite() & theirs.isfinite()).all()):
            return float("inf")
        apart = (mine - theirs).norm() / mine.norm()
        largest = max(largest, float(apart), abs(a.loss - b.loss) / abs(a.loss))
    return largest
