"""Questions to trained nets, put to workers once, their answers kept in the store.

A page asks as often as it is drawn: what it gets is the answer, or how far it is. What is asked of a person's own
picture is that person's: nobody else is answered with it, and it goes when they have gone.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from distributed import Future

from app.base import logs
from app.base.histograms import ANSWER_SECONDS
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster
from app.engine.policy.limits import room_for
from app.engine.policy.ownership import Ownership
from app.engine.policy.visitor import Visitor
from app.store.database import StoreError
from app.store.run import Run
from app.store.store import Store
from app.values.questions import Question
from app.values.results import Result, UnreadableError, from_bytes

KEPT = 64  # answers in memory
STALE_SECONDS = 60.0  # a failed question may be asked again after so long
GONE_SECONDS = 30.0  # a page that has not looked for an answer by then waits for it no more

log = logs.events(__name__)


@dataclass(frozen=True)
class Answer:
    """The result, or how far it is (`done` of `total` parts; 0 of 0: nobody knows yet), or why there is none.

    `owner`: of the picture of their own that it shows, if it shows one.
    """

    result: Result | None = None
    done: int = 0
    total: int = 0
    trouble: str = ""
    owner: str = ""
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

    def __init__(self, cluster: Cluster, store: Store, settings: Settings, ownership: Ownership) -> None:
        self._cluster, self._store, self._settings, self._ownership = cluster, store, settings, ownership
        self._topic = f"answers-{secrets.token_hex(4)}"
        self._submitting = threading.Lock()  # one at a time; held while Dask's own thread is waited for
        self._lock = threading.Lock()  # never: Dask's thread takes it, when it hears of progress
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._tasks: dict[str, Future[Any]] = {}
        self._looked_for: dict[str, dict[str, float]] = {}  # of each task: when each owner last did
        cluster.subscribe(self._topic, self._heard)

    def ask(self, question: Question, by: Visitor) -> Answer:
        """The answer so far; the first to ask sets a worker to it.

        Raises KeyError where they see no such run, ValueError where no weights were kept at the step.
        """
        run = self._ownership.run(question.run, by) if question.run else None
        key, owner = _key(question, by), by.owner if question.shows_own_picture else ""
        with self._lock:
            if key in self._tasks:
                self._looked_for[key][by.owner] = time.monotonic()
            known = self._known.get(key)
            if known and not (known.trouble and time.monotonic() - known.since > STALE_SECONDS):
                self._known.move_to_end(key)
                return known
        subject = self._subject(question, run)
        kept = self._kept(key)
        with self._submitting:
            with self._lock:
                if kept is not None:
                    return self._keep(key, Answer(kept, owner=owner))
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
                    key,
                    key=f"{key}-{time.time()}",
                )
            except TimeoutError as error:
                with self._lock:
                    return self._keep(key, Answer(trouble=str(error), owner=owner))
            with self._lock:
                self._tasks[key] = task
                self._looked_for[key] = {by.owner: time.monotonic()}
                asked = self._keep(key, Answer(owner=owner))
        task.add_done_callback(lambda task: self._ended(question, key, owner, task))
        return asked

    def has(self, question: Question, by: Visitor) -> bool:
        """True where they would be answered from the store."""
        if question.run:
            try:
                self._ownership.run(question.run, by)
            except KeyError:
                return False
        return self._store.answers.has(_key(question, by))

    def drop(self, question: Question, by: Visitor) -> None:
        """Wait for an answer no more; where nobody else does, the work on it stops."""
        key, now = _key(question, by), time.monotonic()
        with self._lock:
            waiting = self._looked_for.get(key, {})
            waiting.pop(by.owner, None)
            if any(now - looked < GONE_SECONDS for looked in waiting.values()):
                return
        if key in self._tasks:
            self._drop(key)

    def forget(self, owner: str) -> None:
        """Let go of what was answered about an owner's own pictures."""
        with self._lock:
            for key, answer in list(self._known.items()):
                if answer.owner == owner and key not in self._tasks:
                    del self._known[key]
        self._store.answers.forget(owner)

    def drop_forgotten(self, seconds: float) -> None:
        """Stop working on what nobody has looked for during so many seconds: pages ask as often as they are drawn."""
        with self._lock:
            now = time.monotonic()
            looked = {key: max(self._looked_for[key].values(), default=0.0) for key in self._tasks}
            forgotten = [key for key, last in looked.items() if now - last > seconds]
        for key in forgotten:
            self._drop(key)

    def _subject(self, question: Question, run: Run | None) -> tuple[Any, ...]:
        """The spec of the run asked about, its folder of weights, and its steps per epoch."""
        if run is None:
            return None, Path(), 0
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

    def _ended(self, question: Question, key: str, owner: str, task: Future[Any]) -> None:
        """On a thread of Dask's client. `owner`: whose own picture it is about, if it is about one."""
        if task.status != "finished":
            error = task.exception() if task.status == "error" else None
            if isinstance(error, worker.Dropped):
                with self._lock:
                    del self._tasks[key], self._looked_for[key], self._known[key]
                return
            log.error("question failed", question=key, run=question.run, why=repr(error))
            answer = Answer(trouble=_reason(error), owner=owner)
        else:
            packed = task.result()
            answer = Answer(from_bytes(packed), owner=owner)
            seconds = time.monotonic() - self._known[key].since
            ANSWER_SECONDS.labels(question.lane).observe(seconds)
            kind = type(question).__name__
            log.info("answered", question=key, run=question.run, kind=kind, seconds=round(seconds, 2))
            try:
                if room_for(len(packed), self._settings, self._store):
                    self._store.answers.keep(key, question.run, question.model_dump_json(), packed, owner)
            except (StoreError, KeyError, OSError) as error:  # a full disk; a run, or a file of it, deleted meanwhile
                log.warning("answer not kept", question=key, run=question.run, why=error)
        with self._lock:
            del self._tasks[key], self._looked_for[key]
            self._keep(key, answer)


def _key(question: Question, by: Visitor) -> str:
    """A name for the question and its answer. One about a picture of their own is theirs, and tells nobody whose."""
    if not question.shows_own_picture:
        return question.key
    return f"{question.kind}-own-{blake2b(f'{by.owner} {question.key}'.encode(), digest_size=12).hexdigest()}"


def _reason(error: BaseException | None) -> str:
    if isinstance(error, ValueError | OSError):
        return str(error)
    what = f" ({type(error).__name__}: {error})" if error else ""
    return f"The question could not be answered{what}. Nothing else is harmed; ask again in a minute."
