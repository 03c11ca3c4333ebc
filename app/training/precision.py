"""Which precision trains faster here: measured once on a machine, and remembered beside the runs.

bfloat16 has instructions of its own on some processors; elsewhere it is emulated, and several times slower. Their names
are many, and a flag does not say how fast: two steps of a small net do.
"""

import platform
import re
import time
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import torch
import torch.nn.functional as F

from app.training.remembered import remembered
from models.nets.net import build
from models.spec import NetSpec

Measured = Literal["float32", "bfloat16"]

BATCH, SIDE = 64, 28
ROUNDS = 3  # the fastest counts; the first of all is thrown away
WORTH = 1.1  # bfloat16 rounds: a gain smaller than this is not worth it


def faster(device: str, folder: Path | None = None) -> Measured:
    """What to train in on `device`. `folder`: where it is remembered, so that all workers of a machine agree."""
    if device == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device != "cpu":
        return "float32"
    return remembered(folder, "precision", _machine(), get_args(Measured), _measured)


@cache
def _measured() -> Measured:
    _, *took = [(_step(rounded=False), _step(rounded=True)) for _ in range(1 + ROUNDS)]
    exact, rounded = (min(seconds) for seconds in zip(*took, strict=True))
    return "bfloat16" if exact > WORTH * rounded else "float32"


def _step(rounded: bool) -> float:
    """Seconds of one forward and backward pass."""
    net = build(NetSpec.parse("resnet-8").fitted(1, 10), 0).to(memory_format=torch.channels_last)
    x = torch.zeros(BATCH, 1, SIDE, SIDE).to(memory_format=torch.channels_last)
    begun = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=rounded):
        logits = net(x)
    F.cross_entropy(logits.float(), torch.zeros(BATCH, dtype=torch.int64)).backward()
    return time.perf_counter() - begun


def cpu_name() -> str:
    """The processor's model as the system tells it."""
    try:
        model = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        model = None
    return model[1].strip() if model else platform.processor() or platform.machine()


def _machine() -> str:
    """What a measurement holds for."""
    return f"{cpu_name()}, torch {torch.__version__}"
