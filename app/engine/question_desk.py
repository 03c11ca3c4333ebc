"""Questions to trained nets, put to workers once, their answers kept in the store.

A page asks as often as it is drawn: what it gets is the answer, or how far it is. What no page asks any more stands
still within seconds, and goes on where it was when one asks again; in the end, or when others need its place, it is
given up. What is asked of a person's own picture is that person's: nobody else is answered with it, and it goes when
they have gone.
"""

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import takewhile
from typing import Any

from distributed import Future

from app.base import logs
from app.base.histograms import ANSWER_SECONDS
from app.base.settings import Settings
from app.engine import worker
from app.engine.cluster import Cluster, Lane
from app.engine.policy.limits import room_for
from app.engine.policy.ownership import Ownership
from app.engine.policy.visitor import Visitor
from app.store.database import StoreError
from app.store.run import Run
from app.store.store import About, Store
from app.values.questions import Question
from app.values.results import Result, UnreadableError, from_bytes

KEPT = 64  # answers in memory
STALE_SECONDS = 60.0  # a failed question may be asked again after so long
UNWATCHED_SECONDS = 4.0  # a page that waits asks several times a second, one in a hidden tab once a second
GIVEN_UP_SECONDS = 300.0

log = logs.events(__name__)


@dataclass(frozen=True)
class Answer:
    """The result, or how far it is (`done` of `total` parts; 0 of 0: nobody knows yet), or why there is none.

    `begun`: a worker has it. `since`: it began or, before, was asked, on the monotonic clock.
    `owner`: of the picture of their own that it shows, if it shows one.
    """

    result: Result | None = None
    done: int = 0
    total: int = 0
    trouble: str = ""
    begun: bool = False
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


@dataclass
class _Task:
    """A question that a worker has or shall have. `name`: of this time that it was put; flags bear it."""

    name: str
    lane: Lane
    future: Future[Any]
    looked_for: float = field(default_factory=time.monotonic)
    still_since: float | None = None  # nobody looks for it; it stands still

    @property
    def unwatched(self) -> bool:
        """True while it stands still."""
        return self.still_since is not None


class QuestionDesk:
    """Where questions are put. Everything public may be called from any thread."""

    def __init__(self, cluster: Cluster, store: Store, settings: Settings, ownership: Ownership) -> None:
        self._cluster, self._store, self._settings, self._ownership = cluster, store, settings, ownership
        self._topic = f"answers-{secrets.token_hex(4)}"
        self._submitting = threading.Lock()  # one at a time; held while Dask's own thread is waited for
        self._lock = threading.Lock()  # never: Dask's thread takes it, when it hears of progress
        self._known: OrderedDict[str, Answer] = OrderedDict()
        self._tasks: dict[str, _Task] = {}  # by question, in the order in which they were put
        cluster.subscribe(self._topic, self._heard)

    def ask(self, question: Question, by: Visitor) -> Answer:
        """The answer so far; the first to ask sets a worker to it.

        Raises KeyError where they see no such run, ValueError where no weights were kept at the step.
        """
        run = self._ownership.run(question.run, by) if question.run else None
        key, owner = _key(question, by), by.owner if question.shows_own_picture else ""
        if known := self._looked_for(key):
            return known
        about = self._about(question, run)
        kept = self._kept(key)
        with self._submitting:
            with self._lock:
                if kept is not None:
                    return self._keep(key, Answer(kept, owner=owner))
                if key in self._tasks:  # somebody else was quicker
                    return self._known[key]
            name = f"{key}-{time.time()}"
            try:
                future = self._cluster.submit(
                    question.lane,
                    worker.answer,
                    question,
                    *about,
                    self._settings,
                    self._topic,
                    name,
                    not self._store.runs.all(["running"]),
                    key,
                    key=name,
                )
            except TimeoutError as error:
                with self._lock:
                    return self._keep(key, Answer(trouble=str(error), owner=owner))
            with self._lock:
                self._tasks[key] = _Task(name, question.lane, future)
                asked = self._keep(key, Answer(owner=owner))
        future.add_done_callback(lambda future: self._ended(question, key, owner, future))
        return asked

    def _looked_for(self, key: str) -> Answer | None:
        """What is known of a question, now that a page looks for it; None where it is to be asked, or asked again."""
        with self._lock:
            task, known = self._tasks.get(key), self._known.get(key)
            if task:
                task.looked_for = time.monotonic()
            if known and known.trouble and time.monotonic() - known.since > STALE_SECONDS:
                known = None
            if known:
                self._known.move_to_end(key)
        if task and task.unwatched:
            self._watch(key, task)
        return known

    def has(self, question: Question, by: Visitor) -> bool:
        """True where they would be answered from the store."""
        if question.run:
            try:
                self._ownership.run(question.run, by)
            except KeyError:
                return False
        return self._store.answers.has(_key(question, by))

    @property
    def under_way(self) -> int:
        """Questions that wait or are worked on; those that stand still are not counted."""
        with self._lock:
            return sum(not task.unwatched for task in self._tasks.values())

    def ahead(self, question: Question, by: Visitor) -> int:
        """How many others of its lane were put before a question that waits, and are not answered."""
        own = _key(question, by)
        with self._lock:
            before = takewhile(lambda key: key != own, self._tasks)
            return sum(self._tasks[key].lane == question.lane and not self._tasks[key].unwatched for key in before)

    def tidy(self) -> None:
        """Let stand still what no page asks for any more; give it up after a while, or where others need its place."""
        now = time.monotonic()
        with self._lock:
            waiting = {task.lane for key, task in self._tasks.items() if not self._known[key].begun}
            idle = [(task, now - task.looked_for) for task in self._tasks.values()]
        for task, seconds in idle:
            if seconds > GIVEN_UP_SECONDS or (task.unwatched and task.lane in waiting):
                self._cluster.raise_flag(worker.drop_flag(task.name))
            elif seconds > UNWATCHED_SECONDS and not task.unwatched:
                task.still_since = now
                self._cluster.raise_flag(worker.unwatched_flag(task.name))

    def forget(self, owner: str) -> None:
        """Let go of what was answered about an owner's own pictures."""
        with self._lock:
            for key, answer in list(self._known.items()):
                if answer.owner == owner and key not in self._tasks:
                    del self._known[key]
        self._store.answers.forget(owner)

    def _watch(self, key: str, task: _Task) -> None:
        """It goes on; while it stood still it did not work, and its pace leaves that out."""
        with self._submitting:
            if task.still_since is None:
                return
            still, task.still_since = time.monotonic() - task.still_since, None
            self._cluster.lower_flag(worker.unwatched_flag(task.name))
        with self._lock:
            if (known := self._known.get(key)) and known.pending:
                self._known[key] = replace(known, since=known.since + still)

    def _about(self, question: Question, run: Run | None) -> About:
        if run and question.step not in self._store.events.moments(run.id):
            raise ValueError(f"no weights of {run.name} were kept at step {question.step:,}")
        return self._store.about(question.run)

    def _kept(self, key: str) -> Result | None:
        """The answer in the store; one that this program cannot read is none, and the question is asked anew."""
        packed = self._store.answers.get(key)
        try:
            return None if packed is None else from_bytes(packed)
        except UnreadableError as error:
            log.warning("answer unreadable", question=key, why=error)
            return None

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
                since = known.since if known.begun else time.monotonic()
                self._known[key] = replace(known, done=done, total=total, begun=True, since=since)

    def _ended(self, question: Question, key: str, owner: str, task: Future[Any]) -> None:
        """On a thread of Dask's client. `owner`: whose own picture it is about, if it is about one."""
        if task.status != "finished":
            error = task.exception() if task.status == "error" else None
            if isinstance(error, worker.Dropped):
                with self._lock:
                    del self._tasks[key], self._known[key]
                return
            if task.status != "cancelled":  # the engine stops
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
            del self._tasks[key]
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
