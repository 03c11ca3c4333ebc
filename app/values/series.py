"""A run's history, as charts need it."""

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
