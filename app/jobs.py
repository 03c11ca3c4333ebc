"""One engine for every run: a queue in the store, workers through Dask, embedded or on a cluster.

One thread, the pump, takes everything that happens in order: events from workers, tasks that ended, wishes of pages.
A run is always wherever the store says: after a crash of a worker or of the server it goes on from its newest
checkpoint, under a new attempt number, and events of older attempts no longer count.
"""

import os
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Event as Flag
from distributed import Future, KilledWorker, fire_and_forget

from app import datasets, limits, logs, worker
from app.asking import Desk
from app.cluster import Cluster, Lane, hold_store
from app.cuts import CutSpec
from app.datasets import DATASETS, DataSet
from app.estimates import seconds_left
from app.events import BlockCut, RunStopped, from_json
from app.fairness import turns
from app.limits import RefusedError
from app.pretrained import Fetcher
from app.references import adopt
from app.runs import ACTIVE, Run
from app.settings import ASSETS, Settings, load
from app.spec import RunSpec
from app.store import EventGapError, Store, StoreError

LOOK_SECONDS = 1.0
MAX_DEATHS = 4  # of a run's workers, without a checkpoint between them

log = logs.events(__name__)


class Engine:
    """The engine of one process. Everything public may be called from any thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.downloads: dict[str, tuple[int, int]] = {}  # bytes done and to do, of those under way
        self.refusals: Counter[str] = Counter()  # by the limit that refused
        self.trouble = ""  # why nothing more can be stored, if so
        self._lock_file = hold_store(settings.store)
        self.store = Store(settings.store, ASSETS / "reference")
        adopt(self.store, ASSETS / "reference")
        self._message_file = settings.store / "message.txt"
        self._message = self._message_file.read_text("utf-8") if self._message_file.is_file() else ""
        self._topic = f"events-{secrets.token_hex(4)}"
        self._inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._tasks: dict[str, Future[Any]] = {}
        self._at: dict[str, str] = {}  # the worker that each task was given to
        self._fetching: dict[str, Future[Any]] = {}
        self._deaths: Counter[tuple[str, int | None]] = Counter()
        self._cuts: dict[str, CutSpec] = {}  # asked of runs under way, which stop and go on with them
        self._cluster = Cluster(settings)
        self._cluster.client.subscribe_topic(self._topic, self._heard)
        self.desk = Desk(self._cluster, self.store, settings)
        self.pretrained = Fetcher(settings, self.take_weights, self._weights_url)
        for run in self.store.runs(["running"]):  # the last server went away while they trained
            self.store.update(run.id, status="queued")
        self._pump = threading.Thread(target=self._pump_forever, name="pump", daemon=True)
        self._pump.start()
        for address in self._cluster.workers("train"):
            fire_and_forget(self._cluster.submit("train", worker.warm, settings, workers=[address]))
        for address in self._cluster.workers("ask"):
            fire_and_forget(self._cluster.submit("ask", worker.warm_to_answer, settings, workers=[address]))
        log.info("engine begins", mode=settings.mode, workers=self.workers("train"))
        self._wake()

    # ── wishes of pages and of the command line ──

    def submit(self, specs: Sequence[RunSpec], owner: str = "") -> list[Run]:
        """Queue runs of one owner, to start together where there is room. Raises RefusedError before any is queued."""
        with self._counting_refusals():
            for spec in specs:
                limits.check_net(spec, self.settings)
                limits.check_length(spec, self.settings, self.store)
            self._check_session(owner, len(specs))
        slots = max(1, self.workers("train"))
        together = min(slots, len(specs) + len(self._tasks))
        threads = max(1, (os.cpu_count() or 1) // together)
        runs = [
            self.store.create(spec if spec.threads else spec.model_copy(update={"threads": threads}), owner=owner)
            for spec in specs
        ]
        for run in runs:
            log.info("submitted", run=run.id, data=run.spec.data)
        self._wake()
        return runs

    def pause(self, run: str) -> None:
        """Keep the weights and stop; the worker is free for others."""
        self._stop(run, "paused")

    def cancel(self, run: str) -> None:
        """Stop for good, keeping everything measured."""
        self._stop(run, "cancelled")

    def resume(self, run: str, steps: int | None = None) -> None:
        """Go on from the newest checkpoint, for `steps` updates or to the end. Raises RefusedError."""
        found = self.store.run(run)
        if found.status in ("paused", "cancelled", "failed") and found.origin == "trained":
            with self._counting_refusals():
                self._check_session(found.owner, 1)
                if why := limits.overlong(self.store.seconds(run), self.settings):
                    raise RefusedError(why, "max_minutes")
            until = found.step + steps if steps else None
            self.store.update(run, status="queued", until=until, message="")
            log.info("resumed", run=run, step=found.step)
            self._wake()

    def cut(self, run: str, cut: CutSpec) -> None:
        """Train a run under `cut` from where it is; the empty one puts all blocks back.

        One under way stops at its next step and goes on from there. Raises ValueError, with shapes, for a cut that
        does not fit the net, RefusedError for a run that has ended.
        """
        found = self.store.run(run)
        if not can_be_cut(found):
            raise RefusedError(f"{found.name} is {found.status}: only a run with steps to make can be cut", "status")
        about = datasets.find(found.spec.data, self.settings.store)
        cut.check(found.spec.net, about.size if about else None)
        self._inbox.put(lambda: self._cut(run, cut))

    def place(self, run: str) -> int:
        """Runs that will start before this one, or 0."""
        return next((index for index, other in enumerate(self._queue()) if other.id == run), 0)

    def held(self, run: Run) -> bool:
        """True while a waiting run is passed over, because as many of its owner's train as may at once."""
        limit = self.settings.session_training
        return bool(limit) and self._training()[run.owner] >= limit

    def seconds_left(self, run: Run) -> float | None:
        """Seconds until a run ends, its wait included; None while nothing measured tells."""
        slots = max(1, self.workers("train"))
        return seconds_left(run, self.store, self._queue(), slots)

    def take_upload(self, archive: Path, title: str) -> DataSet:
        """Read a zip of class folders into the store. Raises ValueError with what is wrong with it."""
        task = self._cluster.submit("ask", worker.take_upload, archive, self.settings, title)
        try:
            about = DataSet.model_validate(task.result(timeout=300))
        except (ValueError, TimeoutError) as error:
            log.info("upload refused", why=type(error).__name__)  # its words may quote what was uploaded
            raise
        log.info("uploaded", data=about.name, images=about.train_images + about.test_images)
        return about

    def take_weights(self, file: Path, spec: RunSpec, name: str = "", most: int = 0, owner: str = "") -> Run:
        """Weights of another project → a finished run. Raises ValueError with what is wrong with them.

        `most`: bytes that are taken; 0: as many as may be uploaded.
        """
        with self._counting_refusals():
            limits.find_data(spec, self.settings)
        run = self.store.new_id(spec)
        folder = self.store.weights_folder(run)
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

    @property
    def pumping(self) -> bool:
        """True while what happens is taken in."""
        return self._pump.is_alive()

    def workers(self, lane: Lane) -> int:
        """How many workers a lane has."""
        return len(self._cluster.workers(lane))

    def describe(self) -> str:
        """Where runs train and how many at once, in a few words."""
        runs = next((run for run in self.store.runs() if run.started and run.origin == "trained"), None)
        device = runs.started.device.upper() if runs and runs.started else "CPU"
        workers = self.workers("train")
        return f"{device}, {workers} worker{'' if workers == 1 else 's'}"

    def stop(self) -> None:
        """Let everything go; runs that are under way go on when the next engine starts."""
        log.info("engine ends")
        self._inbox.put(None)
        self._pump.join(timeout=10)
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
            active = sum(run.owner == owner for run in self.store.runs(ACTIVE))
            limits.check_session(active, asked, self.settings)

    def _stop(self, run: str, status: str, message: str = "") -> None:
        found = self.store.run(run)
        if not (found.active or (status == "cancelled" and found.status == "paused")):
            return
        self.store.update(run, status=status, message=message[:500])
        log.info("stopped", run=run, attempt=found.attempt, status=status, step=found.step)
        if run in self._tasks:
            self._ask_to_stop(run, found.attempt)
        self._wake()

    def _ask_to_stop(self, run: str, attempt: int) -> None:
        """The worker looks after every step."""
        Flag(worker.stop_flag(self._topic, run, attempt), client=self._cluster.client).set()

    # ── the pump ──

    def _cut(self, run: str, cut: CutSpec) -> None:
        found = self.store.run(run)
        self._cuts[run] = cut
        if run not in self._tasks:
            self._record_cut(found)
        elif found.active:
            self.store.update(run, status="queued")  # it goes on as soon as it has stopped
            self._ask_to_stop(run, found.attempt)

    def _record_cut(self, run: Run) -> None:
        """The cut that was asked for, if one was, from the step on where the run goes on."""
        if (cut := self._cuts.pop(run.id, None)) is not None:
            self.store.record(run.id, run.attempt, [BlockCut(step=run.checkpoint or 0, cut=cut)])

    def _wake(self) -> None:
        self._inbox.put(self._dispatch)

    def _heard(self, event: tuple[float, Any]) -> None:
        """A message from a worker, on the client's own thread: only put aside here."""
        message = event[1]
        self._inbox.put(lambda: self._take(message))

    def _pump_forever(self) -> None:
        while (happened := self._next()) is not None:
            try:
                happened()
            except Exception:
                log.error("the pump could not take what happened", with_traceback=True)

    def _next(self) -> Callable[[], None] | None:
        """What happened next; now and then a look around, for workers that came back."""
        try:
            return self._inbox.get(timeout=LOOK_SECONDS)
        except Empty:
            return self._dispatch

    def _take(self, message: dict[str, Any]) -> None:
        if "data" in message:
            self.downloads[message["data"]] = (message["done"], message["total"])
            return
        run, attempt = message["run"], message["attempt"]
        events = from_json(message["events"])
        try:
            self.store.record(run, attempt, events)
            self.store.prune(run)
            self.trouble = ""
        except EventGapError as gap:
            log.warning("events lost", run=run, attempt=attempt, why=gap)
            self._retry(run, attempt)
        except StoreError as error:
            self.trouble = f"{error}. What was stored before is kept; free some space and resume the run."
            log.error("not stored", run=run, attempt=attempt, why=error)
            self._stop(run, "failed", self.trouble)
        if self.settings.max_minutes and (why := limits.overlong(self.store.seconds(run), self.settings)):
            self._stop(run, "cancelled", why)
        if any(isinstance(event, RunStopped) for event in events):
            self.store.update(run, until=None)

    def _dispatch(self) -> None:
        """Start queued runs, each owner in turn, while there is room."""
        workers = self._cluster.workers("train")
        for run_id, address in list(self._at.items()):
            if address not in workers and self._tasks[run_id].status == "pending":  # it would wait for it for ever
                del self._at[run_id]
                self._tasks.pop(run_id).cancel()
                self._retry(run_id, self.store.run(run_id).attempt)
        free = [address for address in workers if address not in self._at.values()]
        training, most = self._training(), self.settings.session_training
        for run in self._queue():
            if not free:
                return
            if (not most or training[run.owner] < most) and self._data_ready(run):
                self._start(run, free.pop(0))
                training[run.owner] += 1

    def _start(self, run: Run, address: str) -> None:
        self._record_cut(run)
        attempt = run.attempt + 1
        self.store.update(run.id, attempt=attempt)
        if run.checkpoint is None and run.step:  # it never reached a checkpoint: from the beginning
            self.store.update(run.id, step=0)
        task = self._cluster.submit(
            "train",
            worker.train_run,
            run.id,
            attempt,
            run.settled,
            self.store.weights_folder(run.id),
            run.checkpoint or 0,
            run.until,
            self.store.cuts(run.id),
            self.settings,
            self._topic,
            key=f"train:{run.id}:{attempt}",
            workers=[address],  # Dask would queue a second run behind the first while the other worker is warming up
        )
        log.info("started", run=run.id, attempt=attempt, step=run.checkpoint or 0, worker=address)
        self._at[run.id] = address
        self._tasks[run.id] = task
        task.add_done_callback(lambda task: self._inbox.put(lambda: self._ended(run.id, attempt, task)))

    def _ended(self, run: str, attempt: int, task: Future[Any]) -> None:
        """A task is over: finished, stopped, or its worker died."""
        if self._tasks.get(run) is not task:
            return
        del self._tasks[run]
        self._at.pop(run, None)
        if task.status == "error":
            error = task.exception()
            if isinstance(error, KilledWorker):
                self._retry(run, attempt)
            else:
                self._fail(run, f"{_reason(error)} Everything measured before was kept.")
        elif (status := self.store.run(run).status) != "running":
            log.info("ended", run=run, attempt=attempt, status=status, step=self.store.run(run).step)
        else:  # it ended, but its last events never came
            self._retry(run, attempt)
        self._dispatch()

    def _retry(self, run: str, attempt: int) -> None:
        """Queue a run again after its worker died or events were lost, unless it keeps dying at the same place."""
        found = self.store.run(run)
        if found.attempt != attempt or not found.active:
            return
        log.warning("worker lost", run=run, attempt=attempt, step=found.step, checkpoint=found.checkpoint)
        self._deaths[run, found.checkpoint] += 1
        self._ask_to_stop(run, attempt)
        if self._deaths[run, found.checkpoint] >= MAX_DEATHS:
            self._fail(run, f"its worker died {MAX_DEATHS} times at step {found.step}; everything before was kept.")
        else:
            self.store.update(run, status="queued")
        self._wake()

    def _data_ready(self, run: Run) -> bool:
        """True if the run's data set is here; else it is being downloaded, once for all who wait for it."""
        name = run.spec.data
        if self.settings.scheduler or datasets.available(name, self.settings.data):
            return True
        if name not in self._fetching:
            self.downloads[name] = (0, DATASETS[name].download_bytes)
            key = f"data:{name}:{secrets.token_hex(2)}"
            task = self._cluster.submit("ask", worker.fetch_data, name, self.settings, self._topic, key=key)
            self._fetching[name] = task
            task.add_done_callback(lambda task: self._inbox.put(lambda: self._fetched(name, task)))
        return False

    def _fetched(self, name: str, task: Future[Any]) -> None:
        del self._fetching[name]
        self.downloads.pop(name, None)
        if task.status == "error":
            for run in self._queue():
                if run.spec.data == name:
                    self._fail(run.id, _reason(task.exception()))
        self._dispatch()

    def _fail(self, run: str, why: str) -> None:
        """In one write: nobody sees a failure without its reason."""
        log.error("failed", run=run, why=why[:500])
        self.store.update(run, status="failed", message=why[:500])

    def _queue(self) -> list[Run]:
        """Runs that wait for a worker, in the order of their turns."""
        waiting = [run for run in self.store.runs(["queued"])[::-1] if run.id not in self._tasks]
        return [waiting[index] for index in turns([run.owner for run in waiting], self._training())]

    def _training(self) -> Counter[str]:
        """Runs of each owner that have a worker."""
        return Counter(run.owner for run in self.store.runs(ACTIVE) if run.id in self._tasks)


def can_be_cut(run: Run) -> bool:
    """True if its weights are this program's own and it has steps to make."""
    return run.origin == "trained" and run.status not in ("finished", "diverged")


def _reason(error: BaseException | None) -> str:
    """One sentence for people, whatever went wrong."""
    if isinstance(error, OSError) and error.strerror:
        return f"The disk refused: {error.strerror} ({Path(str(error.filename)).name})."
    if isinstance(error, ValueError | StoreError):
        return str(error)
    return f"Training stopped with an error of the program ({type(error).__name__}: {error})."


_engine: Engine | None = None


def start(settings: Settings | None = None) -> Engine:
    """Start this process's engine. Raises StoreError where the store cannot be used."""
    global _engine  # noqa: PLW0603  st.cache_resource would not do: any browser can clear it
    if _engine is None:
        _engine = Engine(settings or load())
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
