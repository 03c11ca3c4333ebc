"""One engine for every run and every question: a queue in the store, workers through Dask, embedded or on a cluster.

Pages and the command line come in by its doors, `runs`, `questions` and `arrivals`, and read what is in `store`.
"""

from collections.abc import Collection
from contextlib import suppress

from distributed import fire_and_forget

from app.base import logs
from app.base.settings import Settings
from app.engine import worker
from app.engine.arrivals import Arrivals
from app.engine.cluster import LANES, Cluster, Lane
from app.engine.policy.limits import Refusals
from app.engine.policy.ownership import Ownership
from app.engine.policy.teachers_door import TeachersDoor
from app.engine.policy.visitor import Visitor
from app.engine.question_desk import QuestionDesk
from app.engine.retention import Housekeeper
from app.engine.run_desk import RunDesk
from app.engine.run_queue import RunQueue
from app.store.files.lock import hold_store
from app.store.files.staging import sweep
from app.store.store import open_store

log = logs.events(__name__)


class Engine:
    """The engine of one process. Everything public may be called from any thread.

    `lanes`: of what kinds it has workers of its own. `refusals`: by the limit that refused.
    """

    def __init__(self, settings: Settings, lanes: Collection[Lane] = LANES) -> None:
        self.settings = settings
        self.refusals = Refusals()
        self._lock = hold_store(settings.store)
        sweep(settings.store)
        self.store = open_store(settings)
        self._message_file = settings.store / "message.txt"
        self._message = self._message_file.read_text("utf-8") if self._message_file.is_file() else ""
        self.ownership, self.teachers_door = Ownership(settings, self.store), TeachersDoor(settings, self.refusals)
        self._cluster = Cluster(settings, lanes)
        self.queue = RunQueue(settings, self.store, self._cluster)
        self.runs = RunDesk(settings, self.store, self._cluster, self.queue, self.refusals, self.ownership)
        self.questions = QuestionDesk(self._cluster, self.store, settings, self.ownership)
        self.arrivals = Arrivals(settings, self.store, self._cluster, self.refusals, self.ownership)
        self.housekeeper = Housekeeper(settings, self.store, self.queue, self.questions)
        self.queue.start()
        self.housekeeper.start()
        self._warm_up()
        log.info("engine begins", mode=settings.mode, workers=self.workers("train"))

    @property
    def trouble(self) -> str:
        """Why nothing more can be stored or trained; empty while all is well."""
        return self.queue.trouble or ("" if self.queue.alive else "the engine's queue has stopped")

    @property
    def message(self) -> str:
        """What the teacher says to all; the next server says it too."""
        return self._message

    def say_to_all(self, text: str, by: Visitor) -> None:
        """Show a message on every page, until another one. Raises RefusedError where it is not the teacher's."""
        with self.refusals.counted():
            self.ownership.check_teacher(by)
        self._message = text
        with suppress(OSError):  # on a full disk it is said until the server stops
            self._message_file.write_text(text, "utf-8")

    def workers(self, lane: Lane) -> int:
        """How many workers a lane has."""
        return len(self._cluster.workers(lane))

    def describe(self) -> str:
        """Where runs train and how many at once, in a few words."""
        trained = next((run for run in self.store.runs.all() if run.started and run.origin == "trained"), None)
        device = trained.started.device.upper() if trained and trained.started else "CPU"
        workers = self.workers("train")
        return f"{device}, {workers} worker{'' if workers == 1 else 's'}"

    def stop(self) -> None:
        """Let everything go; runs that are under way go on when the next engine starts."""
        log.info("engine ends")
        self.housekeeper.stop()
        self.queue.stop()
        self._cluster.close()
        self.store.close()
        self._lock.release()

    def _warm_up(self) -> None:
        """The workers that train first: a small machine has two cores for all."""
        trainers = [
            self._cluster.submit("train", worker.warm, self.settings, workers=[address])
            for address in self._cluster.workers("train")
        ]
        for address in self._cluster.workers("ask"):
            task = self._cluster.submit("ask", worker.warm_to_answer, self.settings, trainers, workers=[address])
            fire_and_forget(task)
