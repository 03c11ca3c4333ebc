"""What browsers leave behind: runs and questions that nobody waits for, what visitors trained, sent and showed."""

import threading
import time
from itertools import count

from app.base import logs
from app.base.settings import Settings
from app.engine.question_desk import QuestionDesk
from app.engine.run_queue import RunQueue
from app.store.run import Run
from app.store.store import Store
from app.values import datasets

LOOK_SECONDS = 2.0  # at what pages wait for
LOOKS = 5  # of these, before what browsers left behind is looked at once

log = logs.events(__name__)


class Housekeeper:
    """Knows when each browser was last heard of. Everything public may be called from any thread."""

    def __init__(self, settings: Settings, store: Store, queue: RunQueue, questions: QuestionDesk) -> None:
        self.settings, self.store, self.queue, self.questions = settings, store, queue, questions
        self._seen: dict[str, float] = {}
        self._begun = time.monotonic()  # whoever was here before this server may come back to it
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeper", daemon=True)

    def start(self) -> None:
        """Look around from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Look around no more."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def seen(self, owner: str) -> None:
        """A page of this browser is open."""
        self._seen[owner] = time.monotonic()

    def tidy(self) -> None:
        """Pause and forget what has been left alone for as long as the settings say."""
        self.store.settle()
        if away := 60.0 * self.settings.abandoned_minutes:
            self._leave_off(away)
        if away := 60.0 * self.settings.forget_minutes:
            self._forget(away)

    def _leave_off(self, away: float) -> None:
        for run in self.store.runs.all(["queued", "running"]):
            if self._are_gone(run, away) and not run.pinned:
                minutes = self.settings.abandoned_minutes
                reason = f"its browser was away for {minutes} minutes, so it paused; everything measured was kept"
                self.queue.end(run.id, "paused", reason)
        self._forget_pictures(away)

    def _forget_pictures(self, away: float) -> None:
        """Of their own, in what was answered about them: the page that showed one has gone, and asks no more."""
        for owner in self.store.answers.owners():
            if self._is_gone(owner, away):
                self.questions.forget(owner)
                log.info("pictures forgotten")

    def _forget(self, away: float) -> None:
        self._forget_pictures(away)
        for run in self.store.runs.all():
            if run.origin == "reference" or run.pinned or not self._is_gone(run.owner, away):
                continue
            if self.store.owners.sharers(run.id):
                self.store.owners.leave(run.id, run.owner)
                continue
            if run.active:
                self.queue.end(run.id, "cancelled")
            elif not self.queue.busy(run.id):
                self.store.delete(run.id)
                log.info("forgotten", run=run.id)
        in_use = {run.spec.data for run in self.store.runs.all()}
        for name, owner in self.store.owners.uploads():
            if self._is_gone(owner, away) and name not in in_use and not self.store.owners.disown_upload(name, owner):
                for file in datasets.upload_files(name, self.store.folder):
                    file.unlink(missing_ok=True)
                log.info("forgotten", data=name)

    def _are_gone(self, run: Run, away: float) -> bool:
        """True if its owner is, and whoever shares it."""
        return all(self._is_gone(owner, away) for owner in self.store.owners.holders(run))

    def _is_gone(self, owner: str, away: float) -> bool:
        """True for a browser, and not for the command line, that has not been heard of for so many seconds."""
        return bool(owner) and time.monotonic() - self._seen.get(owner, self._begun) > away

    def _run(self) -> None:
        for look in count(1):
            if self._stopped.wait(LOOK_SECONDS):
                return
            try:
                self.questions.tidy()
                if look % LOOKS == 0:
                    self.tidy()
            except Exception:
                log.error("not put away", with_traceback=True)
