"""The floor of one worker process: of the questions that it works on, one has it at a time, and gives way.

A question is a thread of its own, so that one which gives way goes on where it was. Whoever is new goes before those
that had it already: a person has just begun to look. Among equals the one that has waited longest is next.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Floor:
    """Who may compute. `give_way` and `leave` are for the thread that has it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._new: deque[int] = deque()  # threads, the one that has waited longest first
        self._others: deque[int] = deque()
        self._taken = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for it, for the first time, and have it."""
        self._take(self._new)
        try:
            yield
        finally:
            self.leave()

    def give_way(self) -> None:
        """Let every other one that waits go first; without one, go on."""
        if self._new or self._others:
            self.leave()
            self.come_back()

    def leave(self) -> None:
        """Have it no longer; `come_back` before going on."""
        with self._changed:
            self._taken = False
            self._changed.notify_all()

    def come_back(self) -> None:
        """Wait for it behind all who wait."""
        self._take(self._others)

    def _take(self, queue: deque[int]) -> None:
        own = threading.get_ident()
        with self._changed:
            queue.append(own)
            self._changed.wait_for(lambda: not self._taken and (self._new or self._others)[0] == own)
            queue.popleft()
            self._taken = True
