"""How an analysis that takes more than a second says how far it is."""

from collections.abc import Callable

Progress = Callable[[int, int], None]  # parts done, parts in all


def quiet(_done: int, _total: int) -> None:
    """Nobody is told."""
