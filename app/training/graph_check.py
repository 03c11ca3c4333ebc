"""Do recorded steps train as eager ones do? Asked on the card itself, before its first run, and remembered.

A CUDA graph repeats kernels and addresses: one that reads an old batch, or an old rate, trains on without a word. So a
tiny net makes a few steps both ways, from the same weights on the same images; losses, gradient norms, and the weights
at the end are compared. Where they differ, or a step cannot be recorded, this card's runs are made of eager steps.
"""

import math
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor

from app.base import logs
from app.base.settings import ROOT
from app.data.images import Images
from app.training.cuda_graphs import Ahead
from app.training.remembered import remembered
from app.training.step import Steps
from app.values.datasets import DataSet
from app.values.events import BlockCut
from app.values.run_spec import Device, Recipe, RunSpec
from models.nets.net import generator
from models.spec import NetSpec

log = logs.events(__name__)

Way = Literal["recorded", "eager"]
Maker = Callable[[RunSpec, Images, Sequence[BlockCut]], Steps]
Precision = Literal["float64", "bfloat16"]

STEPS = 12
# Relative differences, measured on a CPU. In float64 rounding makes 4e-7, whatever kernels a library chooses, and the
# smallest fault tried, decay left out, 2e-4: there it is seen whether a graph reads what it should. In bfloat16, in
# which cards train, weights off by their last digit make up to 0.44, and rounded weights that are never renewed 1.1.
TOLERANCES: dict[Precision, float] = {"float64": 1e-4, "bfloat16": 0.7}
PATIENCE = 240.0  # seconds that a check may take: a card that hangs is one whose steps cannot be recorded
CHECK = (sys.executable, "-m", "app.training.graph_check")
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
    """What a process of its own finds: a graph that reads what is not there takes all of CUDA down with its process."""
    try:
        done = subprocess.run(CHECK, cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        reason = f"no answer within {PATIENCE:g} seconds"
    except OSError as error:
        reason = str(error)
    else:
        verdict, _, reason = done.stdout.strip().rpartition("\n")[2].partition(": ")
        if done.returncode == 0 and verdict == "recorded":
            return "recorded"
        reason = reason or f"the check ended with {done.returncode}"
    log.warning("steps are not recorded on this card", reason=reason)
    return "eager"


def trouble(device: Device, recorded: Maker = Ahead) -> str:
    """Why recorded steps are not to be trusted on `device`; empty where they train as eager ones do."""
    for precision, tolerance in TOLERANCES.items():
        if precision == "bfloat16" and device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
            continue  # no run will ask for it
        try:
            difference = _difference(_trained(Steps, device, precision), _trained(recorded, device, precision))
        except Exception as error:  # whatever a driver raises: training goes on, the safe way
            return str(error).strip().partition("\n")[0] or type(error).__name__
        if not difference <= tolerance:  # nor where it is no number
            return f"they differ by {difference:.2g} in {precision}"
    return ""


def _trained(make: Maker, device: Device, precision: Precision) -> list[Tensor]:
    """What each step measures (loss and norms), and the net's state after the last, float64, on the CPU.

    Raises RuntimeError where a step that was to be recorded was not.
    """
    run = make(spec(device, precision), noise(device), ())
    if precision == "float64":
        run.dtype = torch.float64
        run.net.double()
        for state in run.sgd.state.values():
            state["momentum_buffer"] = state["momentum_buffer"].double()
    made = 0
    figures = list[Tensor]()
    while made < STEPS:
        taken = run.take(made, STEPS)
        made += len(taken)
        figures += [torch.tensor([step.loss, *step.norms], dtype=torch.float64) for step in taken]
        if not taken[-1].finite:
            break
    if isinstance(run, Ahead) and run.unrecorded:
        raise RuntimeError(run.unrecorded)
    return figures + [value.detach().double().cpu() for value in run.net.state_dict().values()]


def spec(device: Device, precision: Precision = "bfloat16") -> RunSpec:
    """What is trained for the check: a rate that falls with every step, crops, three moments among the steps."""
    net = NetSpec.parse("resnet-8:width=4").fitted(NOISE.channels, NOISE.classes)
    recipe = Recipe(name="check", steps=STEPS, batch=16, lr=0.05, schedule="linear", augment=True)
    own: Literal["float32", "bfloat16"] = "bfloat16" if precision == "bfloat16" else "float32"
    return RunSpec(net=net, data=NOISE.name, recipe=recipe, device=device, precision=own, threads=1)


def noise(device: str) -> Images:
    """What it is trained on."""
    own = generator(0, "check", 0)
    pixels = torch.randint(0, 256, (NOISE.train_images, 1, NOISE.size, NOISE.size), generator=own, dtype=torch.uint8)
    labels = torch.randint(0, NOISE.classes, (NOISE.train_images,), generator=own)
    pixels, labels = pixels.to(device), labels.to(device)
    return Images(NOISE, pixels, labels, pixels[:0], labels[:0])


def _difference(first: Sequence[Tensor], second: Sequence[Tensor]) -> float:
    """The largest relative difference of two tensors; infinite where one way ended early."""
    if len(first) != len(second):
        return math.inf
    apart = [(a - b).norm() / a.norm().clamp_min(1e-12) for a, b in zip(first, second, strict=True)]
    return torch.stack(apart).max().item()


if __name__ == "__main__":
    why = trouble("cuda")
    print(f"eager: {why}" if why else "recorded")
