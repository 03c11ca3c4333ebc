"""Seconds of the exact decomposition by path length, and of all sub-networks beside evaluating each by itself.

Time does not depend on what weights or images hold: seeded ones stand in for a run's. The separate forwards skip the
branches that are cut, as the walk does; a seeded part of the 512 is timed, in which as many blocks are kept as in all
of them, and counted for the whole.
"""

from functools import partial
from statistics import median

import numpy as np
import torch
from torch import Tensor

from app.studies.paths.by_length import gradients_by_length
from app.studies.subnetworks.measurement import IMAGES, sub_networks
from app.training.cut_forward import block_output
from app.values.arrays import Bools
from benchmarks.nets.engine_step import timed, two_cores
from benchmarks.report.figures import Device, Figure, Row, Say, at_most, interleaved
from models.nets.net import Net, blocks_of, build, generator
from models.spec import NetSpec

EXACT_IMAGES = 64
EXACT = {
    "resnet-20": Row("exact paths by length, ResNet-20 (9 blocks), 64 images", "s", {"cpu": None}),
    "resnet-56": Row("exact paths by length, ResNet-56 (27 blocks), 64 images", "s", {"cpu": None}),
    "resnet-110": Row("exact paths by length, ResNet-110 (54 blocks), 64 images", "s", {"cpu": at_most(30)}),
}
WALK = Row(
    "512 sub-networks of ResNet-20, 1,000 images: walk ÷ separate", "s", {"cpu": at_most(0.3)}, "separate forwards"
)
ROWS = (*EXACT.values(), WALK)

SUB_NETWORK_IMAGES = 1000
SEPARATE = 32  # pairs of a subset and its complement: half of all blocks kept, as in all 512
EXACT_REPETITIONS = 3, 2, 1  # the deepest takes half a minute
WALK_REPETITIONS = 2


def measure(device: Device, say: Say) -> list[Figure]:
    """Each decomposition, then walk and separate forwards in turn."""
    figures = []
    with two_cores(device) as threads:
        for (name, row), repetitions in zip(EXACT.items(), EXACT_REPETITIONS, strict=True):
            net, x, y = _example(name, EXACT_IMAGES)
            gradients_by_length(net, x[:4], y[:4])
            work = partial(gradients_by_length, net, x, y)
            seconds = [timed(work, device) for _ in range(repetitions)]
            square = 1000 * median(seconds) / len(net.blocks) ** 2
            figures.append(row.alone(seconds, f"{threads} threads; {square:.1f} ms × n²"))
            say(f"{row.name}: {figures[-1].value:.1f} s")
        net, x, y = _example("resnet-20", SUB_NETWORK_IMAGES)
        net, x = net.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
        half = np.random.default_rng(0).random((SEPARATE // 2, len(net.blocks))) < 0.5
        kept = np.concatenate([half, ~half])
        both = {
            "walk": lambda: timed(lambda: sub_networks(net, x, y), device),
            "separate": lambda: timed(lambda: separate(net, x, y, kept), device) * 2 ** len(net.blocks) / SEPARATE,
        }
        times = interleaved(both, WALK_REPETITIONS)
    figures.append(WALK.beside(times["walk"], times["separate"], f"{threads} threads"))
    say(f"{WALK.name}: {figures[-1].ratio:.3f}")
    return figures


def _example(name: str, images: int) -> tuple[Net, Tensor, Tensor]:
    """A net as it is built, in evaluation mode, and so many images of noise with labels."""
    noise = generator(0, "benchmark")
    x = torch.randn(images, 3, 32, 32, generator=noise)
    return build(NetSpec.parse(name)).eval(), x, torch.randint(0, 10, (images,), generator=noise)


@torch.no_grad()
def separate(net: Net, images: Tensor, labels: Tensor, kept: Bools) -> list[float]:
    """Error (percent) of each sub-network, evaluated by itself, its cut branches not computed."""
    errors = []
    for row in kept:
        wrong = 0
        for x, y in zip(images.split(IMAGES), labels.split(IMAGES), strict=True):
            wrong += int((_classes(net, x, row) != y).sum())
        errors.append(100 * wrong / len(images))
    return errors


def _classes(net: Net, x: Tensor, kept: Bools) -> Tensor:
    x = net.stem(x)
    for block, keep in zip(blocks_of(net), kept, strict=True):
        x = block_output(block, x, scale=float(keep))
    return net.head(x).argmax(1)
