"""What a comparison rests on: an effect, its interval, and how many pairs or images it was taken over.

Whoever compares nets says it through `Effect`: with one seed it is about one run, with several it has an interval, and
that no difference is shown is a result. Student 1908, *The Probable Error of a Mean* (paired differences); Efron 1979,
*Bootstrap Methods* (images).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, lgamma, pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.98  # of every interval: a page compares several things at once, and each may err by chance
RESAMPLES = 2000

Verdict = Literal["more", "less", "not shown", "one run"]


@dataclass(frozen=True)
class Effect:
    """A difference, first minus second, and the interval that holds its true value with `CONFIDENCE`.

    `count`: the pairs, of seeds or of images, that it rests on; of one pair nothing is known but its own difference,
    and the interval is everything.
    """

    value: float
    low: float
    high: float
    count: int

    @property
    def verdict(self) -> Verdict:
        """Whether the first is shown to be more or less than the second."""
        if self.count < 2:
            return "one run"
        return "more" if self.low > 0 else "less" if self.high < 0 else "not shown"


def paired(first: Sequence[float], second: Sequence[float]) -> Effect:
    """The mean difference over pairs, of runs that share a seed, with its t interval. Raises ValueError without pairs.

    The interval of SciPy's `ttest_rel(first, second).confidence_interval(CONFIDENCE)`.
    """
    if len(first) != len(second) or not len(first):
        raise ValueError("a paired difference needs as many numbers on either side, and at least one")
    differences = np.asarray(first, float) - np.asarray(second, float)
    return _with_interval(differences)


def mean(values: Sequence[float]) -> Effect:
    """A mean with its t interval. Raises ValueError for no values."""
    if not len(values):
        raise ValueError("there is no mean of nothing")
    return _with_interval(np.asarray(values, float))


def paired_over_images(
    first: NDArray[np.bool_], second: NDArray[np.bool_], rng: np.random.Generator, resamples: int = RESAMPLES
) -> Effect:
    """The difference in error, in points, of two nets on the same N images (True: wrong), images drawn again.

    What the nets agree on cancels, so an image counts as −1, 0 or +1: its bootstrap is a multinomial draw.
    """
    better, same, worse = (int((first.astype(int) - second.astype(int) == sign).sum()) for sign in (-1, 0, 1))
    count = better + same + worse
    if not count:
        raise ValueError("a difference over images needs images")
    drawn = rng.multinomial(count, np.array([better, same, worse]) / count, resamples)
    differences = 100 * (drawn[:, 2] - drawn[:, 0]) / count
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(differences, [tail, 100 - tail])
    return Effect(100 * (worse - better) / count, float(low), float(high), count)


def _with_interval(values: NDArray[np.float64]) -> Effect:
    count, middle = len(values), float(values.mean())
    if count < 2:
        return Effect(middle, -inf, inf, count)
    half = t_quantile((1 + CONFIDENCE) / 2, count - 1) * float(values.std(ddof=1)) / sqrt(count)
    return Effect(middle, middle - half, middle + half, count)


@lru_cache(maxsize=256)
def t_quantile(share: float, freedom: int) -> float:
    """The value below which Student's t with so many degrees of freedom lies with probability `share` (½ to 1).

    By bisection of its integral. SciPy's is the witness in the tests: here it would cost the server 40 MB.
    """
    low, high = 0.0, 1.0
    while t_integral(high, freedom) < share - 0.5:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_integral(middle, freedom) < share - 0.5 else (low, middle)
    return (low + high) / 2


def t_integral(until: float, freedom: int) -> float:
    """Probability that Student's t lies between 0 and `until`: its density over t = √ν·tan θ, by Gauss–Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(64)
    end = np.arctan(until / sqrt(freedom))
    angles = end * (nodes + 1) / 2
    scale = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(pi)
    return float(scale * end / 2 * (weights * np.cos(angles) ** (freedom - 1)).sum())
