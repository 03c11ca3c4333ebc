"""When a claim is reproduced: one rule for all cards, and how several nets become one number.

The rule looks at the interval alone. What is claimed is a range of the measured number, open at one end for a sign,
closed around the paper's number for a tolerance: reproduced, if the interval lies in it; contrary, if it lies outside;
underpowered, if it does both. Where nothing is true but noise around the range's edge, an interval of 98 % is on
either side of it by chance twice in a hundred cards.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

import numpy as np

from app.values.evidence import Effect, mean

Verdict = Literal["reproduced", "contrary", "underpowered", "not tried"]
Combination = Literal["alone", "difference", "interaction", "ratio", "ranks"]


@dataclass(frozen=True)
class Claimed:
    """The range in which the number should lie. Infinite at one end: a sign, or a least size."""

    low: float = -inf
    high: float = inf

    @property
    def words(self) -> str:
        """`above 0`, `from 1.37 to 1.57`: what is written on a card before anything is measured."""
        if not isfinite(self.low):
            return f"below {self.high:g}"
        return f"from {self.low:g} to {self.high:g}" if isfinite(self.high) else f"above {self.low:g}"


def around(value: float, tolerance: float) -> Claimed:
    """The paper's number, give or take."""
    return Claimed(value - tolerance, value + tolerance)


def verdict(effect: Effect | None, claimed: Claimed) -> Verdict:
    """What the interval of `effect` says of the claim; None: nobody has measured."""
    if effect is None:
        return "not tried"
    if claimed.low <= effect.low and effect.high <= claimed.high:
        return "reproduced"
    return "contrary" if effect.high < claimed.low or effect.low > claimed.high else "underpowered"


def combined(how: Combination, values: Sequence[float], rows: Sequence[float] = ()) -> float:
    """One seed's number from those of its nets, in the card's order; `rows`: the paper's numbers of the same nets."""
    return _COMBINED[how](values, rows)


_COMBINED: dict[Combination, Callable[[Sequence[float], Sequence[float]], float]] = {
    "alone": lambda values, _: values[0],
    "difference": lambda values, _: values[0] - values[1],
    # What the change from the first to the second has that the change from the third to the fourth has not.
    "interaction": lambda values, _: (values[1] - values[0]) - (values[3] - values[2]),
    "ratio": lambda values, _: values[0] / values[1],
    "ranks": lambda values, rows: rank_correlation(values, rows),  # noqa: PLW0108  it is defined below
}


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's ρ, equal values at their mean rank (Spearman 1904); 0 where one side is all equal.

    SciPy's `spearmanr` is the witness in the tests.
    """
    ranks = [_ranks(np.asarray(side, float)) for side in (first, second)]
    if not all(side.std() for side in ranks):
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    below, upto = ((compare(values[None, :], values[:, None])).sum(1) for compare in (np.less, np.less_equal))
    return np.asarray((below + upto + 1) / 2)


def over_seeds(numbers: Sequence[float]) -> Effect | None:
    """The mean over the seeds, with its interval; None where no seed came to a number."""
    finite = [number for number in numbers if isfinite(number)]
    return mean(finite) if finite else None


def exactly(value: float) -> Effect:
    """A number that was counted, not sampled."""
    return Effect(value, value, value, 1)
