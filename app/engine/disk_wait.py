"""A thread's patience with a disk that takes nothing: what happened waits, and is written once that is possible."""

import threading
from collections.abc import Callable

from app.base import logs
from app.base.prose import prose
from app.store.database import StoreError

RETRY_SECONDS = 1.0
MOST_WAITING = 50_000_000  # bytes of events; of more, runs stop and go on later from their checkpoints

log = logs.events(__name__)


class DiskWait:
    """Of the one thread that writes. `tell` hears why all waits, and an empty sentence once it waits no more."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._waits = False
        self._bytes = 0
        self._lock = threading.Lock()
        self._over = threading.Event()

    def until_written(self, happened: Callable[[], None]) -> None:
        """Do what may be done again after a write that failed. Raises StoreError where it waits in vain, to the end."""
        while True:
            try:
                happened()
            except StoreError as error:
                if not self._waits:
                    log.error("not stored", why=error)
                self._waits = True
                self._tell(prose("store")["waiting"].format(why=error.__cause__ or error))
                if self._over.wait(RETRY_SECONDS):
                    raise
            else:
                if self._waits:
                    log.info("stored again")
                    self._waits = False
                    self._tell("")
                return

    def end(self) -> None:
        """Wait no more: what the disk does not take now is measured again by the next engine."""
        self._over.set()

    def held(self, size: int) -> bool:
        """Have so many bytes more wait; False: there is no room for them."""
        with self._lock:
            fits = self._bytes + size <= MOST_WAITING
            self._bytes += size if fits else 0
            return fits

    def let_go(self, size: int) -> None:
        """They wait no more."""
        with self._lock:
            self._bytes -= size
