"""The teacher's key: guesses are made one after another, however many pages make them, and few may wait for theirs."""

import hmac
import threading
import time

from app.base.settings import Settings
from app.engine.policy.limits import Refusals, RefusedError

WAIT_SECONDS = 0.5  # that every guess takes, the right one too: how long it took tells nothing
MOST_WAITING = 8  # a class has one teacher; whoever waits holds a thread of the server


class TeachersDoor:
    """Compares keys with the teacher's. Everything public may be called from any thread."""

    def __init__(self, settings: Settings, refusals: Refusals) -> None:
        self.settings, self._refusals = settings, refusals
        self._turn, self._room = threading.Lock(), threading.BoundedSemaphore(MOST_WAITING)

    def opens(self, given: str) -> bool:
        """True for the right key, where there is one. Raises RefusedError at once where too many are being tried."""
        key = self.settings.teacher_key
        if key is None or self.settings.mode != "class":
            return False
        if not self._room.acquire(blocking=False):
            with self._refusals.counted():
                raise RefusedError(
                    "many keys are being tried just now; wait some seconds, and try again", "teacher_key"
                )
        try:
            with self._turn:
                time.sleep(WAIT_SECONDS)
                return hmac.compare_digest(given.encode(), key.get_secret_value().encode())
        finally:
            self._room.release()
