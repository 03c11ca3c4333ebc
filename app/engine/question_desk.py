"""Questions to trained nets, put to workers once, their answers kept in the store.

A page asks as often as it is drawn: what it gets is the answer, or how far it is.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from distributed import Future

from app.base import logs
from app.base.histograms import ANSWER_SECONDS
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster
from app.store.database import StoreError
from app.store.store import Store
from app.values.questions import Question
from app.values.results import Result, UnreadableError, from_bytes

KEPT = 64  # answers in memory
STALE_SECONDS = 60.0  # a failed question may be asked again after so long

log = logs.events(__name__)


@dataclass(frozen=True)
class Answer:
    """The result, or how far it is (`done` of `total` parts; 0 of 0: nobody knows yet), or why there is none."""

    result: Result | None = None
    done: int = 0
    total: int = 0
    trouble: str = ""
    since: float = field(default_factory=time.monotonic)

    @property
    def pending(self) -> bool:
        """True while there is something to wait for."""
        return self.result is None and not self.trouble

    @property
    def seconds_left(self) -> float | None:
        """At the pace so far; None before there is one."""
        if not self.done:
            return None
        return (time.monotonic() - self.since) * (self.total - self.done) / self.done


class QuestionDesk:
    """Where questions are put. Everything public may be called from any thread."""

    def __init__(self, cluster: Cluster, store: Store, settings: Settings) -> None:
        self._cluster, self._store, self._settings = cluster, store, settings
        self._topic = f"answers-{secrets.token_hex(4)}"
        self._submitting = threading.Lock()  # one at a time; held while Dask's own thread is waited for
        self._lock = threading.Lock()  # never: Dask's thread takes it, when it hears of progress
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._tasks: dict[str, Future[Any]] = {}
        self._looked_for: dict[str, float] = {}
        cluster.subscribe(self._topic, self._heard)

    def ask(self, question: Question) -> Answer:
        """The answer so far; the first to ask sets a worker to it.

        Raises KeyError where there is no such run, ValueError where no weights were kept at the step.
        """
        key = question.key
        with self._lock:
            if key in self._tasks:
                self._looked_for[key] = time.monotonic()
            known = self._known.get(key)
            if known and not (known.trouble and time.monotonic() - known.since > STALE_SECONDS):
                self._known.move_to_end(key)
                return known
        subject = self._subject(question)
        kept = self._kept(key)
        with self._submitting:
            with self._lock:
                if kept is not None:
                    return self._keep(key, Answer(kept))
                if key in self._tasks:  # somebody else was quicker
                    return self._known[key]
            try:
                task = self._cluster.submit(
                    question.lane,
                    worker.answer,
                    question,
                    *subject,
                    self._settings,
                    self._topic,
                    not self._store.runs.all(["running"]),
                    self._store.weight_digests(question.run) if question.run else (),
                    key=f"{key}-{time.time()}",
                )
            except TimeoutError as error:
                with self._lock:
                    return self._keep(key, Answer(trouble=str(error)))
            with self._lock:
                self._tasks[key] = task
                self._looked_for[key] = time.monotonic()
                asked = self._keep(key, Answer())
        task.add_done_callback(lambda task: self._ended(question, task))
        return asked

    def drop(self, question: Question) -> None:
        """Stop working on a question that nobody waits for any more."""
        if question.key in self._tasks:
            self._drop(question.key)

    def drop_forgotten(self, seconds: float) -> None:
        """Stop working on what nobody has looked for during so many seconds: pages ask as often as they are drawn."""
        with self._lock:
            forgotten = [key for key in self._tasks if time.monotonic() - self._looked_for[key] > seconds]
        for key in forgotten:
            self._drop(key)

    def _subject(self, question: Question) -> tuple[Any, ...]:
        """The spec of the run asked about, its folder of weights, and its steps per epoch."""
        if not question.run:
            return None, Path(), 0
        run = self._store.runs.get(question.run)
        moments = self._store.events.moments(run.id)
        if question.step not in moments:
            raise ValueError(f"no weights of {run.name} were kept at step {question.step:,}")
        return run.spec, self._store.weights.folder(run.id), run.epoch_steps

    def _kept(self, key: str) -> Result | None:
        """The answer in the store; one that this program cannot read is none, and the question is asked anew."""
        packed = self._store.answers.get(key)
        try:
            return None if packed is None else from_bytes(packed)
        except UnreadableError as error:
            log.warning("answer unreadable", question=key, why=error)
            return None

    def _drop(self, key: str) -> None:
        self._cluster.raise_flag(worker.drop_flag(self._topic, key))

    def _keep(self, key: str, answer: Answer) -> Answer:
        self._known[key] = answer
        self._known.move_to_end(key)
        answered = [name for name in self._known if name not in self._tasks]
        for oldest in answered[: max(len(self._known) - KEPT, 0)]:
            del self._known[oldest]
        return answer

    def _heard(self, event: tuple[float, Any]) -> None:
        key, done, total = event[1]
        with self._lock:
            known = self._known.get(key)
            if known and known.pending:
                self._known[key] = replace(known, done=done, total=total)

    def _ended(self, question: Question, task: Future[Any]) -> None:
        """On a thread of Dask's client."""
        key = question.key
        if task.status != "finished":
            error = task.exception() if task.status == "error" else None
            if isinstance(error, worker.Dropped):
                with self._lock:
                    del self._tasks[key], self._looked_for[key], self._known[key]
                return
            log.error("question failed", question=key, run=question.run, why=repr(error))
            answer = Answer(trouble=_reason(error))
        else:
            packed = task.result()
            answer = Answer(from_bytes(packed))
            seconds = time.monotonic() - self._known[key].since
            ANSWER_SECONDS.labels(question.lane).observe(seconds)
            kind = type(question).__name__
            log.info("answered", question=key, run=question.run, kind=kind, seconds=round(seconds, 2))
            try:
                self._store.answers.keep(key, question.run, question.model_dump_json(), packed)
            except (StoreError, KeyError) as error:  # a full disk; a run deleted meanwhile
                log.warning("answer not kept", question=key, run=question.run, why=error)
        with self._lock:
            del self._tasks[key], self._looked_for[key]
            self._keep(key, answer)


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ValueError | OSError):
        return str(error)
    what = f" ({type(error).__name__}: {error})" if error else ""
    return f"The question could not be answered{what}. Nothing else is harmed; ask again in a minute."
