"""A run's history, as charts need it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.values.arrays import Floats, Ints
from app.values.results import result


@result
class Series:
    """A run's history, downsampled so that no extreme is lost.

    S steps kept, L weight layers, C columns of the map, E evaluated epochs. Errors in percent.
    """

    steps: Ints  # S
    loss: Floats  # S
    error: Floats  # S, mean over the batches of the last `window` steps
    lr: Floats  # S
    layers: tuple[str, ...]  # L
    norm_steps: Ints  # C, the first step of each column
    norms: Floats  # C × L, geometric mean of the weight gradient's L2 norm over the column's steps
    norms_low: Floats  # C × L, smallest in the column
    norms_high: Floats  # C × L, largest in the column
    eval_steps: Ints  # E
    train_error: Floats  # E, mean over the epoch
    test_error: Floats  # E
    window: int = 1
    cut_steps: tuple[int, ...] = ()  # when the net's cut became another one
    cuts: tuple[str, ...] = ()  # which, as in an address; empty: every block is back


def farthest(several: Sequence[Series]) -> list[Series]:
    """Those that have made as many steps as any: a run that is under way, or ended early, changes no mean."""
    ends = [int(series.steps[-1]) if series.steps.size else -1 for series in several]
    return [series for series, end in zip(several, ends, strict=True) if end == max(ends)]


def mean_of(several: Sequence[Series]) -> Series:
    """The first, its errors the means over all; of runs of one length that were evaluated at the same steps.

    A long run's curve keeps other steps with each seed: between two of them it is taken to be straight.
    """
    first = several[0]
    if len(several) == 1 or not first.steps.size:
        return first
    errors = [np.interp(first.steps, series.steps, series.error) for series in several]
    known = min(len(series.eval_steps) for series in several)
    tests = [series.test_error[:known] for series in several]
    trains = [series.train_error[:known] for series in several]
    return replace(
        first,
        error=np.mean(errors, 0),
        eval_steps=first.eval_steps[:known],
        train_error=np.mean(trains, 0),
        test_error=np.mean(tests, 0),
    )
