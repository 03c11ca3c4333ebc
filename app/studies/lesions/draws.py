"""Cuts drawn at random, and how far an order is from the net's own (Veit et al. 2016, sections 4.2 and 4.3).

Each draw has a generator of its own, keyed by (seed, purpose, k, draw): more draws leave the earlier ones as they were.
"""

from collections.abc import Sequence
from random import Random

from app.values.cut_spec import CutSpec


def random_removals(blocks: Sequence[int], k: int, draws: int, seed: int) -> list[CutSpec]:
    """So many times `k` of `blocks` removed, every set as likely as any other."""
    return [CutSpec.of(removed=Random(f"{seed}:remove:{k}:{draw}").sample(blocks, k)) for draw in range(draws)]


def random_orders(
    pairs: Sequence[tuple[int, int]], blocks: int, k: int, draws: int, seed: int
) -> list[tuple[int, ...]]:
    """So many times the order of `blocks` blocks after `k` swaps, each of one of `pairs` of places."""
    orders = []
    for draw in range(draws):
        order = list(range(blocks))
        random = Random(f"{seed}:swap:{k}:{draw}")
        for _ in range(k):
            a, b = random.choice(pairs)
            order[a], order[b] = order[b], order[a]
        orders.append(tuple(order))
    return orders


def kendall_tau(order: Sequence[int]) -> float:
    """Kendall's τ between a permutation and the identity: 1 − 2 × the share of pairs that changed sides.

    1: nothing moved; −1: turned round (Kendall 1938, eq. 1; there are no ties). Takes two blocks at least.
    """
    n = len(order)
    inversions = sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])
    return 1 - 4 * inversions / (n * (n - 1))
