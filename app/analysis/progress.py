"""How an analysis says how far it is: (done, of)."""

from collections.abc import Callable

Progress = Callable[[int, int], None]


def quiet(_done: int, _of: int) -> None:
    """Progress that nobody watches."""
