"""Everything that happens to runs, one thing after another on one thread: events, ends of tasks, wishes, a look around.

A run is always wherever the store says: after a crash of a worker or of the server it goes on from its newest
checkpoint, under a new attempt number, and events of older attempts no longer count.
"""

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Future, KilledWorker

from app.base import logs
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster
from app.engine.disk_wait import DiskWait
from app.engine.policy import limits
from app.engine.policy.reasons import AWAY, reason
from app.engine.policy.silence import LOOK_SECONDS, Silence
from app.engine.policy.turns import turns
from app.store.event_log import EventGapError
from app.store.files.checkpoints import DamagedError, Digests
from app.store.run import ACTIVE, Run
from app.store.store import Store
from app.values import datasets
from app.values.datasets import DATASETS
from app.values.events import BlockCut, Event, RunStopped, StepMeasured, from_json

MAX_DEATHS = 4  # of a run's workers, without a checkpoint between them

log = logs.events(__name__)


class RunQueue:
    """The queue of one engine, and the one thread that moves it. Everything public may be called from any thread."""

    def __init__(self, settings: Settings, store: Store, cluster: Cluster) -> None:
        self.settings, self.store = settings, store
        self.downloads: dict[str, tuple[int, int]] = {}  # bytes done and to do, of those under way
        self.trouble = ""  # why nothing more can be stored or trained, if so
        self._cluster = cluster
        self._topic = f"events-{store.identity}"  # of the store: a run that outlives its server hears the next one
        self._inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._tasks: dict[str, Future[Any]] = {}
        self._at: dict[str, str] = {}  # the worker that each task was given to
        self._fetching: dict[str, Future[Any]] = {}
        self._deaths: Counter[tuple[str, int | None]] = Counter()
        self.silence = Silence(store)
        self._disk = DiskWait(lambda trouble: setattr(self, "trouble", trouble))
        cluster.subscribe(self._topic, self._heard)
        self._thread = threading.Thread(target=self._run, name="run queue", daemon=True)

    def start(self) -> None:
        """Begin, with the runs that trained when the last server went away.

        On workers of their own they may train still: those attempts are asked to stop.
        """
        for run in self.store.runs.all(["running"]):
            self._ask_to_stop(run.id, run.attempt)
            self.store.runs.update(run.id, status="queued")
        self._thread.start()
        self.wake()

    def stop(self) -> None:
        """End, once what has happened is taken in."""
        self._disk.end()
        self._inbox.put(None)
        self._thread.join(timeout=10)

    @property
    def alive(self) -> bool:
        """True while what happens is taken in."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look soon whether a run can start."""
        self._inbox.put(self._dispatch)

    def end(self, run: str, status: str, message: str = "") -> None:
        """Stop a run that waits or trains, or cancel a paused one."""
        stopped = self.store.runs.get(run)
        if not (stopped.active or (status == "cancelled" and stopped.status == "paused")):
            return
        self.store.runs.update(run, status=status, message=message[:500])
        log.info("stopped", run=run, attempt=stopped.attempt, status=status, step=stopped.step)
        if run in self._tasks:
            self._ask_to_stop(run, stopped.attempt)
        self.wake()

    def cut(self, run: str) -> None:
        """Train a run under the cut that was asked of it, from its next step on."""
        self._inbox.put(lambda: self._cut(run))

    def busy(self, run: str) -> bool:
        """True while a worker has the run, even one that is about to stop."""
        return run in self._tasks

    def waiting(self) -> list[Run]:
        """Runs that wait for a worker, in the order of their turns."""
        waiting = [run for run in self.store.runs.all(["queued"])[::-1] if run.id not in self._tasks]
        return [waiting[index] for index in turns([run.owner for run in waiting], self.training())]

    def training(self) -> Counter[str]:
        """How many runs of each owner have a worker."""
        return Counter(run.owner for run in self.store.runs.all(ACTIVE) if run.id in self._tasks)

    # ── on the queue's own thread ──

    def _run(self) -> None:
        while (happened := self._next()) is not None:
            try:
                self._disk.until_written(happened)
                self._give_up_hung()
            except Exception:
                log.error("what happened could not be taken in", with_traceback=True)

    def _next(self) -> Callable[[], None] | None:
        """What happened next; now and then a look around, for workers that came back."""
        try:
            return self._inbox.get(timeout=LOOK_SECONDS)
        except Empty:
            return self._dispatch

    def _heard(self, event: tuple[float, Any]) -> None:
        """A message from a worker, on the client's own thread: only put aside here."""
        message = event[1]
        if "data" in message:
            progress = {message["data"]: (message["done"], message["total"])}
            self._inbox.put(lambda: self.downloads.update(progress))
            return
        self.silence.heard(message["run"])
        if self._disk.held(len(message["events"])):
            self._inbox.put(lambda: self._take(message))
        else:  # the gap is seen later, and the run goes on from its checkpoint
            self._ask_to_stop(message["run"], message["attempt"])

    def _take(self, message: dict[str, Any]) -> None:
        run, attempt = message["run"], message["attempt"]
        events = from_json(message["events"])
        try:
            self._disk.until_written(lambda: self.store.events.record(run, attempt, events))
        except EventGapError as gap:
            log.warning("events lost", run=run, attempt=attempt, why=gap)
            self._disk.until_written(lambda: self._retry(run, attempt))
        finally:
            self._disk.let_go(len(message["events"]))
        self._disk.until_written(lambda: self._taken(run, events))

    def _taken(self, run: str, events: Sequence[Event]) -> None:
        if not all(isinstance(event, StepMeasured) for event in events):  # steps leave no file
            self.store.prune(run)
        most = self.settings.max_minutes
        if most and (why := limits.overlong(self.store.events.history(run).seconds, self.settings)):
            self.end(run, "cancelled", why)
        if any(isinstance(event, RunStopped) for event in events):
            self.store.runs.update(run, until=None)

    def _dispatch(self) -> None:
        """Start queued runs, each owner in turn, while there is room."""
        if not self._cluster.connected():
            self.trouble = self.trouble or AWAY
            return
        if self.trouble == AWAY:
            self.trouble = ""
        workers = self._cluster.workers("train")
        for run_id, address in list(self._at.items()):
            # It would wait for it for ever. No worker at all: the scheduler did not answer, and nothing is known.
            if workers and address not in workers and self._tasks[run_id].status == "pending":
                self._retry(run_id, self.store.runs.get(run_id).attempt)
                del self._at[run_id]
                self._tasks.pop(run_id).cancel()
        free = [address for address in workers if address not in self._at.values()]
        training, most = self.training(), self.settings.session_training
        for run in self.waiting():
            if not free:
                return
            if (not most or training[run.owner] < most) and self._data_ready(run):
                self._start(run, free.pop(0))
                training[run.owner] += 1

    def _give_up_hung(self) -> None:
        """Kill workers that make no step any more: their runs go on as after any death."""
        for run in self.silence.look(self._at) if self._cluster.connected() else ():
            log.warning("worker hung", run=run, worker=self._at[run])
            self._cluster.kill(self._at[run])

    def _start(self, run: Run, address: str) -> None:
        # Where steps before the checkpoint were lost with a damaged file, all are made again.
        start = run.checkpoint if run.checkpoint and run.checkpoint <= run.step else 0
        self._record_cut(run, start)
        attempt = run.attempt + 1
        self.store.runs.update(run.id, attempt=attempt)
        task = self._cluster.submit(
            "train",
            worker.train_run,
            run.id,
            attempt,
            run.settled,
            self.store.weights.folder(run.id),
            start,
            run.until,
            self.store.events.cuts(run.id),
            self.settings,
            self._topic,
            self.store.digests(run.id).get(start, Digests()),
            key=f"train:{run.id}:{attempt}",
            workers=[address],  # Dask would queue a second run behind the first while the other worker is warming up
        )
        log.info("started", run=run.id, attempt=attempt, step=start, worker=address)
        self._at[run.id] = address
        self.silence.begun(run.id)
        self._tasks[run.id] = task
        task.add_done_callback(lambda task: self._inbox.put(lambda: self._ended(run.id, attempt, task)))

    def _ended(self, run: str, attempt: int, task: Future[Any]) -> None:
        """A task is over: finished, stopped, or its worker died."""
        if self._tasks.get(run) is not task:
            return
        with suppress(KeyError):  # the run was deleted meanwhile, and its worker is free
            if task.status == "error":
                error = task.exception()
                if isinstance(error, KilledWorker):
                    self._retry(run, attempt)
                elif isinstance(error, DamagedError) and self.store.runs.get(run).checkpoint:
                    log.error("weights damaged", run=run, attempt=attempt, why=error)
                    self.store.fall_back(run, str(error))  # it is queued still: it had not begun
                else:
                    self._fail(run, f"{reason(error)} Everything measured before was kept.")
            elif (ended := self.store.runs.get(run)).status != "running":
                log.info("ended", run=run, attempt=attempt, status=ended.status, step=ended.step)
            else:  # its last events never came; or the scheduler went away, which is no fault of the run's
                self._retry(run, attempt, deaths=int(task.status != "cancelled"))
        del self._tasks[run]  # not before all of it is written: until then it may be done again
        self._at.pop(run, None)
        self._dispatch()

    def _retry(self, run: str, attempt: int, deaths: int = 1) -> None:
        """Queue a run again after its worker died or events were lost, unless it keeps dying at the same place."""
        lost = self.store.runs.get(run)
        if lost.attempt != attempt or not lost.active:
            return
        log.warning("worker lost", run=run, attempt=attempt, step=lost.step, checkpoint=lost.checkpoint)
        died = self._deaths[run, lost.checkpoint] + deaths
        if died >= MAX_DEATHS:
            self._fail(run, f"its worker died {MAX_DEATHS} times at step {lost.step}; everything before was kept.")
        else:
            self.store.runs.update(run, status="queued")
        self._deaths[run, lost.checkpoint] = died
        self._ask_to_stop(run, attempt)
        self.wake()

    def _ask_to_stop(self, run: str, attempt: int) -> None:
        """The worker looks after every step."""
        self._cluster.raise_flag(worker.stop_flag(self._topic, run, attempt))

    def _cut(self, run: str) -> None:
        running = self.store.runs.get(run)
        if run not in self._tasks:
            self._record_cut(running, running.checkpoint or 0)
        elif running.active and running.cut_asked is not None:  # else it has started with the cut meanwhile
            self.store.runs.update(run, status="queued")  # it goes on as soon as it has stopped
            self._ask_to_stop(run, running.attempt)

    def _record_cut(self, run: Run, step: int) -> None:
        """The cut that was asked for, if one was, from the step on where the run goes on."""
        if run.cut_asked is not None:
            self.store.events.record(run.id, run.attempt, [BlockCut(step=step, cut=run.cut_asked)])

    def _data_ready(self, run: Run) -> bool:
        """True if the run's data set is here; else it is being downloaded, once for all who wait for it."""
        name = run.spec.data
        if self.settings.scheduler or datasets.available(name, self.settings.data):
            return True
        if name not in self._fetching:
            self.downloads[name] = (0, DATASETS[name].download_bytes)
            key = f"data:{name}:{secrets.token_hex(2)}"
            task = self._cluster.submit("study", worker.fetch_data, name, self.settings, self._topic, key=key)
            self._fetching[name] = task
            task.add_done_callback(lambda task: self._inbox.put(lambda: self._fetched(name, task)))
        return False

    def _fetched(self, name: str, task: Future[Any]) -> None:
        if task.status == "error":
            for run in self.waiting():
                if run.spec.data == name:
                    self._fail(run.id, reason(task.exception()))
        self._fetching.pop(name, None)
        self.downloads.pop(name, None)
        self._dispatch()

    def _fail(self, run: str, why: str) -> None:
        """In one write: nobody sees a failure without its reason."""
        log.error("failed", run=run, why=why[:500])
        self.store.runs.update(run, status="failed", message=why[:500])
