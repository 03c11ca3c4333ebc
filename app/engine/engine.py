"""One engine for every run and every question: a queue in the store, workers through Dask, embedded or on a cluster.

Pages and the command line wish here; what then happens to runs happens in `app/engine/run_queue.py`.
"""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from distributed import fire_and_forget

from app.base import logs
from app.base.settings import ASSETS, Settings, load
from app.engine import limits, worker
from app.engine.cluster import LANES, Cluster, Lane, hold_store
from app.engine.estimates import seconds_left
from app.engine.limits import RefusedError
from app.engine.question_desk import Desk
from app.engine.retention import Housekeeper
from app.engine.run_queue import Pump
from app.engine.weight_downloads import Fetcher
from app.store.run import ACTIVE, Run
from app.store.staging import sweep
from app.store.store import Store
from app.values import datasets
from app.values.cut_spec import CutSpec
from app.values.datasets import DataSet
from app.values.events import from_json
from app.values.run_spec import RunSpec

log = logs.events(__name__)


class Engine:
    """The engine of one process. Everything public may be called from any thread.

    `lanes`: of what kinds it has workers of its own.
    """

    def __init__(self, settings: Settings, lanes: Collection[Lane] = LANES) -> None:
        self.settings = settings
        self.refusals: Counter[str] = Counter()  # by the limit that refused
        self._lock_file = hold_store(settings.store)
        sweep(settings.store)
        self.store = Store(settings.store, ASSETS / "reference")
        self.store.adopt_references()
        self._message_file = settings.store / "message.txt"
        self._message = self._message_file.read_text("utf-8") if self._message_file.is_file() else ""
        self._cluster = Cluster(settings, lanes)
        self.pump = Pump(settings, self.store, self._cluster)
        self.desk = Desk(self._cluster, self.store, settings)
        self.pretrained = Fetcher(settings, self.take_weights, self._weights_url)
        self.housekeeper = Housekeeper(settings, self.store, self.pump, self.desk)
        self.pump.start()
        self.housekeeper.start()
        trainers = [
            self._cluster.submit("train", worker.warm, settings, workers=[address])
            for address in self._cluster.workers("train")
        ]
        for address in self._cluster.workers("ask"):
            fire_and_forget(self._cluster.submit("ask", worker.warm_to_answer, settings, trainers, workers=[address]))
        log.info("engine begins", mode=settings.mode, workers=self.workers("train"))

    def submit(self, specs: Sequence[RunSpec], owner: str = "") -> list[Run]:
        """Queue runs of one owner, to start together where there is room. Raises RefusedError before any is queued."""
        with self._counting_refusals():
            for spec in specs:
                limits.check_net(spec, self.settings)
                limits.check_length(spec, self.settings, self.store)
            self._check_session(owner, len(specs))
            limits.check_disk(sum(limits.bytes_kept(spec, self.settings) for spec in specs), self.settings, self.store)
        slots = max(1, self.workers("train"))
        together = min(slots, len(specs) + self.pump.training().total())
        threads = max(1, (os.cpu_count() or 1) // together)
        runs = [
            self.store.runs.create(spec if spec.threads else spec.model_copy(update={"threads": threads}), owner=owner)
            for spec in specs
        ]
        for run in runs:
            log.info("submitted", run=run.id, data=run.spec.data)
        self.pump.wake()
        return runs

    def pause(self, run: str) -> None:
        """Keep the weights and stop; the worker is free for others."""
        self.pump.end(run, "paused")

    def cancel(self, run: str) -> None:
        """Stop for good, keeping everything measured."""
        self.pump.end(run, "cancelled")

    def resume(self, run: str, steps: int | None = None) -> None:
        """Go on from the newest checkpoint, for `steps` updates or to the end. Raises RefusedError."""
        found = self.store.runs.get(run)
        if found.status in ("paused", "cancelled", "failed") and found.origin == "trained":
            with self._counting_refusals():
                self._check_session(found.owner, 1)
                if why := limits.overlong(self.store.events.history(run).seconds, self.settings):
                    raise RefusedError(why, "max_minutes")
            until = found.step + steps if steps else None
            self.store.runs.update(run, status="queued", until=until, message="")
            log.info("resumed", run=run, step=found.step)
            self.pump.wake()

    def cut(self, run: str, cut: CutSpec) -> None:
        """Train a run under `cut` from where it is; the empty one puts all blocks back.

        One under way stops at its next step and goes on from there. Raises ValueError, with shapes, for a cut that
        does not fit the net, RefusedError for a run that has ended.
        """
        found = self.store.runs.get(run)
        if not can_be_cut(found):
            raise RefusedError(f"{found.name} is {found.status}: only a run with steps to make can be cut", "status")
        about = datasets.find(found.spec.data, self.settings.store)
        cut.check(found.spec.net, about.size if about else None)
        self.store.runs.update(run, cut_asked=str(cut))  # in the store, so that it outlives this server
        self.pump.cut(run)

    def place(self, run: str) -> int:
        """Runs that will start before this one, or 0."""
        return next((index for index, other in enumerate(self.pump.queue()) if other.id == run), 0)

    def held(self, run: Run) -> bool:
        """True while a waiting run is passed over, because as many of its owner's train as may at once."""
        limit = self.settings.session_training
        return bool(limit) and self.pump.training()[run.owner] >= limit

    def seconds_left(self, run: Run) -> float | None:
        """Seconds until a run ends, its wait included; None while nothing measured tells."""
        slots = max(1, self.workers("train"))
        return seconds_left(run, self.store, self.pump.queue(), slots)

    def take_upload(self, archive: Path, title: str, owner: str = "") -> DataSet:
        """Read a zip of class folders into the store. Raises ValueError with what is wrong with it."""
        with self._counting_refusals():
            limits.check_disk(archive.stat().st_size, self.settings, self.store)
        task = self._cluster.submit("ask", worker.take_upload, archive, self.settings, title)
        try:
            about = DataSet.model_validate(task.result(timeout=300))
        except (ValueError, TimeoutError) as error:
            log.info("upload refused", why=type(error).__name__)  # its words may quote what was uploaded
            raise
        self.store.owners.own_upload(about.name, owner)
        log.info("uploaded", data=about.name, images=about.train_images + about.test_images)
        return about

    def take_weights(self, file: Path, spec: RunSpec, name: str = "", most: int = 0, owner: str = "") -> Run:
        """Weights of another project → a finished run. Raises ValueError with what is wrong with them.

        `most`: bytes that are taken; 0: as many as may be uploaded.
        """
        with self._counting_refusals():
            limits.find_data(spec, self.settings)
            limits.check_disk(file.stat().st_size, self.settings, self.store)
        run = self.store.runs.new_id(spec)
        folder = self.store.weights.folder(run)
        most = most or self.settings.upload_mb * 1_000_000
        task = self._cluster.submit("ask", worker.take_weights, file, spec, folder, self.settings, most)
        found = self.store.enter_import(run, name, spec, from_json(task.result(timeout=300)), owner)
        log.info("imported", run=run)
        return found

    @property
    def message(self) -> str:
        """What the teacher says to all; the next server says it too."""
        return self._message

    @message.setter
    def message(self, said: str) -> None:
        self._message = said
        with suppress(OSError):  # on a full disk it is said until the server stops
            self._message_file.write_text(said, "utf-8")

    def workers(self, lane: Lane) -> int:
        """How many workers a lane has."""
        return len(self._cluster.workers(lane))

    def describe(self) -> str:
        """Where runs train and how many at once, in a few words."""
        runs = next((run for run in self.store.runs.all() if run.started and run.origin == "trained"), None)
        device = runs.started.device.upper() if runs and runs.started else "CPU"
        workers = self.workers("train")
        return f"{device}, {workers} worker{'' if workers == 1 else 's'}"

    def stop(self) -> None:
        """Let everything go; runs that are under way go on when the next engine starts."""
        log.info("engine ends")
        self.housekeeper.stop()
        self.pump.stop()
        self._cluster.close()
        self.store.close()
        self._lock_file.close()

    def _weights_url(self, model: str) -> str:
        return str(self._cluster.submit("ask", worker.weights_url, model).result(timeout=60))

    @contextmanager
    def _counting_refusals(self) -> Iterator[None]:
        try:
            yield
        except RefusedError as refused:
            self.refusals[refused.limit] += 1
            log.info("refused", limit=refused.limit)
            raise

    def _check_session(self, owner: str, asked: int) -> None:
        if owner:  # without one it is the command line's
            active = sum(run.owner == owner for run in self.store.runs.all(ACTIVE))
            limits.check_session(active, asked, self.settings)


def can_be_cut(run: Run) -> bool:
    """True if its weights are this program's own and it has steps to make."""
    return run.origin == "trained" and run.status not in ("finished", "diverged")


_engine: Engine | None = None


def start(settings: Settings | None = None, lanes: Collection[Lane] = LANES) -> Engine:
    """Start this process's engine, with workers of these kinds. Raises StoreError where the store cannot be used."""
    global _engine  # noqa: PLW0603  st.cache_resource would not do: any browser can clear it
    if _engine is None:
        _engine = Engine(settings or load(), lanes)
    return _engine


def engine() -> Engine:
    """This process's engine, started if it was not."""
    return _engine or start()


def stop() -> None:
    """Stop this process's engine, if it was started."""
    global _engine  # noqa: PLW0603
    if _engine is not None:
        _engine.stop()
        _engine = None
