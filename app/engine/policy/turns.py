"""Whose run is next: each in turn, so that nobody's long queue is in front of anybody's first run."""

from collections import Counter
from collections.abc import Mapping, Sequence


def turns(owners: Sequence[str], training: Mapping[str, int]) -> list[int]:
    """The order in which waiting runs start: their indices.

    `owners`: of the waiting runs, the oldest first. `training`: how many runs of an owner train already. A run comes
    after those whose owners have fewer runs before it, training or waiting; among equals the oldest is first.
    """
    before = Counter(training)
    rounds = []
    for owner in owners:
        rounds.append(before[owner])
        before[owner] += 1
    return sorted(range(len(owners)), key=rounds.__getitem__)
