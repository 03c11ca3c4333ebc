"""How long the paths are: of the 2ⁿ paths through n residual blocks, C(n, k) pass k branches.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, sections 4.2 and 4.3;
stochastic depth: Huang et al. 2016, *Deep Networks with Stochastic Depth*, section 3.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import comb

from models.families import PLAIN
from models.plan import survival
from models.spec import NetSpec

LONGEST = 60  # branches; ResNet-110 has 54, ResNet-1202 600: its longer paths are one remainder
EFFECTIVE = 0.95  # Veit 2016, section 4.3: the effective paths carry so much of the gradient


def path_counts(spec: NetSpec, blocks: int, longest: int | None = None) -> dict[int, int]:
    """Length: number of paths, through the last `blocks` blocks, up to `longest` branches (None: all).

    A net without shortcuts has one path, and it passes them all.
    """
    if spec.family in PLAIN:
        return {blocks: 1}
    last = blocks if longest is None else min(longest, blocks)
    return {k: comb(blocks, k) for k in range(last + 1)}


def share(counts: dict[int, int], first: int, last: int) -> float:
    """The part of all paths whose length lies in first…last."""
    return float(Fraction(sum(n for k, n in counts.items() if first <= k <= last), sum(counts.values())))


def shortest_range(weights: Sequence[float], part: float = EFFECTIVE) -> tuple[int, int]:
    """First and last place of the shortest run of `weights` that holds `part` of their sum; of equals, the heaviest."""
    sums = [0.0, *accumulate(weights)]
    wanted = part * sums[-1]
    runs = ((last - first, sums[first] - sums[last + 1], first) for first, last in _just_enough(sums, wanted))
    length, _, first = min(runs)
    return first, first + length


def _just_enough(sums: Sequence[float], wanted: float) -> Iterator[tuple[int, int]]:
    """For each first place, the nearest last one with which the run holds `wanted`."""
    last = 0
    for first in range(len(sums) - 1):
        while last < len(sums) - 1 and sums[last + 1] - sums[first] < wanted:
            last += 1
        if last == len(sums) - 1:
            return
        yield first, last


def successes(chances: Sequence[float]) -> list[float]:
    """Poisson-binomial: the probability of 0, 1, …, n successes in n independent trials with these chances."""
    found = [1.0]
    for p in chances:
        found = [(1 - p) * a + p * b for a, b in zip([*found, 0.0], [0.0, *found], strict=True)]
    return found


def survivals(spec: NetSpec) -> list[float]:
    """Probability that each block's branch is there in a step of training: 1 but for stochastic depth."""
    if spec.family != "stochastic":
        return [1.0] * spec.blocks
    return [survival(spec, index) for index in range(spec.blocks)]


def active_blocks(spec: NetSpec) -> list[float]:
    """Distribution of the number of branches that are there in a step of training (Huang 2016, section 3)."""
    return successes(survivals(spec))


def trained_lengths(spec: NetSpec) -> list[float]:
    """Distribution of the length of a path drawn at random in the net of a step of training.

    A branch lies on it if it is there (p) and the path passes it (½). Where all are there it is Binomial(n, ½).
    """
    return successes([p / 2 for p in survivals(spec)])


def expected_depth(spec: NetSpec) -> float:
    """Mean number of branches that are there in a step of training: Σ p (Huang 2016: (3L − 1)/4 for p_L = ½)."""
    return sum(survivals(spec))
