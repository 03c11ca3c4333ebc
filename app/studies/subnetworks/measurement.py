"""What remains of a net when sets of its blocks are cut: 2ⁿ sub-networks, each a net evaluated anew.

Veit et al. 2016, section 4.2, cut blocks at random; here up to twelve blocks answer for all their subsets. Two
sub-networks that agree on their first blocks share what those compute: the subsets are walked as a binary tree, depth
first, so that there are never more than n + 1 activations, and a branch is computed 2ⁿ − 1 times in all instead of
n·2ⁿ⁻¹ times.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import torch
from torch import Tensor

from app.analysis.answering import answers
from app.analysis.bands import mean_band
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.studies.subnetworks.questions import SubNetworks, SubNetworksQuestion
from app.training.cut_forward import block_output, refusal
from app.values.arrays import Bools, Floats, Ints
from models.nets.blocks import Block
from models.nets.net import Net, blocks_of, generator

EXHAUSTIVE = 12  # blocks; 4,096 sub-networks
DRAWS = 20  # sub-networks of each size where there are too many for all
SIZES = 25  # and so many sizes
IMAGES = 100  # at a time


@torch.no_grad()
def sub_networks(
    net: Net, images: Tensor, labels: Tensor, draws: int = DRAWS, seed: int = 0, progress: Progress = quiet
) -> SubNetworks:
    """Error of the sub-networks of `net`, in evaluation mode, on `images`, N×C×H×W, with `labels`, N; two at least.

    All subsets where at most twelve blocks can be cut; else, of up to 25 sizes, `draws` each. Blocks of a plain net
    that cannot be cut are always kept. `progress` counts sub-networks evaluated on a batch of images.
    """
    blocks = blocks_of(net)
    free = np.array([i for i, block in enumerate(blocks) if not refusal(block)], dtype=int)
    exhaustive = len(free) <= EXHAUSTIVE
    chosen = _all(len(free)) if exhaustive else _drawn(len(free), draws, generator(seed, "sub-networks"))
    kept = np.ones((len(chosen), len(blocks)), dtype=bool)
    kept[:, free] = chosen
    wrong = np.zeros((len(kept), len(images)), dtype=bool)
    batches = list(zip(images.split(IMAGES), labels.split(IMAGES), strict=True))
    done = 0
    for nth, (x, y) in enumerate(batches):
        for row, out in walk(blocks, net.stem(x), kept):
            wrong[row, nth * IMAGES : nth * IMAGES + len(y)] = (net.head(out).argmax(1) != y).numpy()
            done += 1
            progress(done, len(batches) * len(kept))
    chosen, reported = 100 * wrong[:, ::2].mean(1), wrong[:, 1::2]
    whole, errors = reported[kept.all(1)], 100 * reported.mean(1)  # the largest size is always there, and is one
    return SubNetworks(
        images=reported.shape[1],
        exhaustive=exhaustive,
        kept=kept,
        errors=errors,
        chosen_errors=chosen,
        gained=(whole & ~reported).sum(1),
        lost=(~whole & reported).sum(1),
        **_by_size(kept, chosen, errors, len(free), seed),
    )


def walk(
    blocks: Sequence[Block], x: Tensor, kept: Bools, rows: Ints | None = None, depth: int = 0
) -> Iterator[tuple[int, Tensor]]:
    """Each row of `kept`, M×n, with what leaves the last block of that sub-network. `x` enters block `depth`.

    `rows` (None: all) agree on the blocks before it.
    """
    rows = np.arange(len(kept)) if rows is None else rows
    for i in range(depth, len(blocks)):
        on = kept[rows, i]
        if on.any() and not on.all():
            yield from walk(blocks, block_output(blocks[i], x), kept, rows[on], i + 1)
            rows, on = rows[~on], on[~on]
        x = block_output(blocks[i], x, scale=float(on[0]))
    for row in rows.tolist():
        yield row, x


def _all(n: int) -> Bools:
    """2ⁿ×n: every subset of n blocks."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(bool)


def _drawn(n: int, draws: int, rng: torch.Generator) -> Bools:
    """Subsets of up to `SIZES` sizes between 0 and n: all of a size where they are no more than `draws`, else drawn."""
    drawn = []
    for size in np.unique(np.linspace(0, n, SIZES).round().astype(int)).tolist():
        if comb(n, size) <= draws:
            drawn += [np.isin(np.arange(n), subset) for subset in combinations(range(n), size)]
        else:
            drawn += list((torch.rand(draws, n, generator=rng).argsort(1) < size).numpy())
    return np.array(drawn)


def _by_size(kept: Bools, chosen: Floats, errors: Floats, free: int, seed: int) -> dict[str, Any]:
    """The fields of `SubNetworks` that sort its sub-networks by the number of blocks kept."""
    sizes = np.unique(kept.sum(1))
    always = kept.shape[1] - free
    rng = np.random.default_rng(seed)
    groups = [np.flatnonzero(kept.sum(1) == size) for size in sizes]
    counts = [comb(free, int(size) - always) for size in sizes]
    bands = []
    for group, count in zip(groups, counts, strict=True):
        mean = errors[group].mean()
        bands.append((mean, mean, mean) if len(group) == count else (mean, *mean_band(errors[group], rng)))
    means, low, high = np.array(bands).T
    return {
        "sizes": sizes,
        "counts": tuple(map(str, counts)),
        "means": means,
        "low": low,
        "high": high,
        "best": np.array([group[chosen[group].argmin()] for group in groups]),
        "worst": np.array([group[chosen[group].argmax()] for group in groups]),
    }


@answers(SubNetworksQuestion)
def answer_sub_networks(question: SubNetworksQuestion, subject: Subject, progress: Progress) -> SubNetworks:
    """All of them, or as many of each size as were asked for."""
    x, y = subject.test(question.images)
    return sub_networks(subject.net(question.step), x, y, question.draws, question.seed, progress)
