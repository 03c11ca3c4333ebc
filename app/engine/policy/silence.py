"""Whether a worker that trains has stopped without a word: a process that hangs, or was stopped, is not a dead one.

Dask's scheduler takes five minutes to miss a process, and never misses a thread that waits for ever in one that is
well. Before an attempt's first word, while it imports and reads, that is all there is.
"""

import threading
import time
from collections.abc import Collection

from app.store.run import Run
from app.store.store import Store
from app.values import datasets

SAID, GIVEN_UP = 10.0, 60.0  # seconds without a step, beyond what the run's pace explains
LOOK_SECONDS = 1.0
LONGEST_LOOK = 3.0  # what passes between two looks counts up to this: a server that slept heard nobody


class Silence:
    """How long nothing came of each run that a worker has. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._silent: dict[str, float] = {}
        self._looked = time.monotonic()

    def begun(self, run: str) -> None:
        """A worker has it, and nothing was heard of this attempt yet."""
        with self._lock:
            self._silent.pop(run, None)

    def heard(self, run: str) -> None:
        """Its worker sent something."""
        with self._lock:
            self._silent[run] = 0.0

    def look(self, at_work: Collection[str]) -> list[str]:
        """Those at work that are to be given up, told once. To be called now and then, while workers can be heard."""
        passed = time.monotonic() - self._looked
        if passed < LOOK_SECONDS:
            return []
        self._looked += passed
        with self._lock:
            heard = [run for run in self._silent if run in at_work]
            self._silent = {run: self._silent[run] + min(passed, LONGEST_LOOK) for run in heard}
            suspects = [run for run, silent in self._silent.items() if silent > GIVEN_UP]
        hung = [run for run in suspects if self._hung(run)]
        for run in hung:
            self.begun(run)
        return hung

    def of(self, run: Run) -> float | None:
        """Seconds that a run has made no step for, where that is longer than its pace explains; else None."""
        return self._beyond(run, SAID) if run.status == "running" else None  # else it waits, and may

    def _hung(self, run: str) -> bool:
        try:
            return self._beyond(self._store.runs.get(run), GIVEN_UP, slowdown=5) is not None
        except KeyError:  # it was deleted, and its worker should have stopped long ago
            return True

    def _beyond(self, run: Run, limit: float, slowdown: int = 1) -> float | None:
        """Seconds of silence, if they are more than `limit` and `slowdown` times what is due next may take.

        None, too, before the first steps: what the next one may take is not known.
        """
        silent = self._silent.get(run.id, 0.0)
        if silent <= limit:
            return None
        history = self._store.events.history(run.id)
        pace = history.seconds_per_step()
        if pace is None:
            return None
        due = 2 * pace
        if run.epoch_steps and history.next_step % run.epoch_steps == 0:  # an evaluation; it has no backward pass
            data = datasets.find(run.spec.data, self._store.folder)
            due += pace * data.test_images / run.spec.recipe.batch if data else 0.0
        return silent if silent > limit + slowdown * due else None
