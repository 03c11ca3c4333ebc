"""What worker processes do: functions that import without torch, so that the server can name them.

They send events, never weights: a message stays in the scheduler's memory for a while.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from distributed import Event as Flag
from distributed import get_worker

from app.base import logs
from app.base.machine import share
from app.base.memory import return_freed_memory
from app.base.settings import Settings
from app.engine.policy.floor import Floor
from app.store.files.checkpoints import Digests
from app.values.datasets import BUNDLED, DATASETS
from app.values.events import BlockCut, Event, RunStarted, to_json
from app.values.questions import Question
from app.values.results import to_bytes
from app.values.run_spec import Recipe, RunSpec
from models.spec import NetSpec

log = logs.events(__name__)

FLUSH_SECONDS = 0.2
NICENESS = {"ask": 5, "train": 10, "study": 15}  # the cores are shared in this order, and pages are before all


def warm(settings: Settings) -> int:
    """Make one step of a tiny net, so that the first run starts at once. Returns the process's id."""
    from app.data.images import load
    from app.training.loop import resolve, train

    _be_nice("train")
    bundled = DATASETS[BUNDLED]
    net = NetSpec.parse("resnet-8:width=4").fitted(bundled.channels, bundled.classes)
    spec = resolve(RunSpec(net=net, recipe=Recipe(steps=1), threads=1), settings.store)
    for _ in train(spec, load(BUNDLED, settings), remember=settings.store):
        pass
    return_freed_memory()
    return os.getpid()


def warm_to_answer(settings: Settings, _trainers: Sequence[int]) -> None:
    """Import what answers need, and read the bundled images: the first question is answered as fast as the second.

    `_trainers`: what `warm` returned, for those that train go first: a small machine has two cores for all.
    """
    _be_nice("ask")
    from app.analysis import answering, subject  # noqa: F401
    from app.base import studies
    from app.data.images import load

    list(studies.modules("measurement"))
    load(BUNDLED, settings)


def train_run(
    run: str,
    attempt: int,
    spec: RunSpec,
    folder: Path,
    start: int,
    until: int | None,
    cuts: list[BlockCut],
    settings: Settings,
    topic: str,
    digests: Digests = Digests(),  # noqa: B008  a frozen value
) -> None:
    """Train one attempt of a run, sending its events to `topic` in order, several to a message."""
    from app.data.images import load
    from app.training.loop import resolve, train

    _be_nice("train")
    logs.begin(settings)
    began = time.monotonic()
    log.info("training", run=run, attempt=attempt, step=start)
    worker = get_worker()
    spec = resolve(spec, settings.store)
    images = load(spec.data, settings, spec.device)
    asked = _Throttled(Flag(stop_flag(topic, run, attempt)).is_set)
    pending: list[Event] = []
    sent = 0.0

    def send() -> None:
        nonlocal sent
        worker.log_event(topic, {"run": run, "attempt": attempt, "events": to_json(pending)})
        pending.clear()
        sent = time.monotonic()

    for event in train(spec, images, folder, start, until, asked, cuts, None, settings.store, digests):
        pending.append(event)
        if isinstance(event, RunStarted) or time.monotonic() - sent > FLUSH_SECONDS:
            send()
    send()
    log.info("trained", run=run, attempt=attempt, seconds=round(time.monotonic() - began, 1))
    return_freed_memory()


def fetch_data(name: str, settings: Settings, topic: str) -> None:
    """Download a data set, sending progress to `topic`."""
    from app.data.downloads import download

    worker = get_worker()

    def progress(done: int, total: int) -> None:
        worker.log_event(topic, {"data": name, "done": done, "total": total})

    download(name, settings.data, progress)


def read_images(archive: Path, settings: Settings, read: Any) -> Any:
    """Read an uploaded zip on for some seconds. `read`: what the last call returned, a `Read`; at first None."""
    from app.data.zip_upload import Read, read_on

    _be_nice("study")
    return read_on(archive, _limits(settings), read or Read())


def keep_images(archive: Path, settings: Settings, title: str) -> dict[str, Any]:
    """What was read of a zip becomes a data set in the store. Returns the `DataSet` as plain values."""
    from app.data.zip_upload import keep

    _be_nice("study")
    return keep(archive, settings.store, title, _limits(settings)).model_dump()


def _limits(settings: Settings) -> Any:
    from app.data.zip_safety import Limits

    return Limits(archive_bytes=settings.upload_mb * 1_000_000, total_pixels=settings.upload_megapixels * 1_000_000)


def take_weights(file: Path, spec: RunSpec, folder: Path, settings: Settings, most: int) -> str:
    """Weights of another project → the folder of a run, evaluated. Returns the run's events as JSON."""
    from app.training.checkpoint_import import receive

    _be_nice("study")
    return to_json(receive(file, spec, folder, most, settings))


def weights_url(model: str) -> str:
    """Where torchvision has the weights of one of its models, as first published."""
    from torchvision.models import get_model_weights

    return str(get_model_weights(model)["IMAGENET1K_V1"].url)


def answer(
    question: Question,
    spec: RunSpec | None,
    folder: Path,
    epoch_steps: int,
    digests: tuple[tuple[int, str], ...],
    settings: Settings,
    topic: str,
    name: str,
    alone: bool,
    key: str,
) -> bytes:
    """Answer a question, sending how far it is to `topic` under `key`.

    `name`: of its flags. `alone`: no run trains meanwhile. `digests`: of its run's weights, by step.

    Between batches it gives way to the others of this process, and stands still while nobody looks for it. Raises
    Dropped when it is given up.
    """
    from app.analysis.answering import answer as find
    from app.analysis.subject import Subject

    _be_nice(question.lane)
    logs.begin(settings)
    log.info("asked", question=key, run=question.run)
    # Where runs train on the same cores, threads that wait for one another take three times as long as one alone.
    cores = share().cores
    threads = min(cores, max(2, cores // 2)) if alone else max(1, cores // 4)
    attended = _Attended(topic, key, name, threads)
    with _FLOOR.held():
        attended.begin()
        return to_bytes(find(question, Subject(spec, folder, epoch_steps, digests, settings), attended))


class _Attended:
    """The progress of a question, `(done, total)`: told, then others go first; it stands still or ends as is wished."""

    def __init__(self, topic: str, key: str, name: str, threads: int) -> None:
        self._topic, self._key, self._threads, self._worker = topic, key, threads, get_worker()
        self._unwatched = Flag(unwatched_flag(name))
        self._dropped = _Throttled(Flag(drop_flag(name)).is_set)
        self._forgotten = _Throttled(self._unwatched.is_set)
        self._due = _Throttled(lambda: True)

    def begin(self) -> None:
        """It has the floor for the first time."""
        self._go_on()
        self._worker.log_event(self._topic, (self._key, 0, 0))

    def __call__(self, done: int, total: int) -> None:
        """Raises Dropped."""
        if self._due():
            self._worker.log_event(self._topic, (self._key, done, total))
        self._end_if_dropped()
        if self._forgotten():
            self._stand_still()
        _FLOOR.give_way()
        self._go_on()

    def _go_on(self) -> None:
        import torch

        torch.set_num_threads(self._threads)  # of the process: another question may have set its own

    def _stand_still(self) -> None:
        _FLOOR.leave()
        try:
            while self._unwatched.is_set():
                self._end_if_dropped()
                time.sleep(FLUSH_SECONDS)
        finally:
            _FLOOR.come_back()

    def _end_if_dropped(self) -> None:
        if self._dropped():
            raise Dropped


class Dropped(Exception):  # noqa: N818  nothing is wrong
    """Nobody waits for the answer any more."""


def drop_flag(name: str) -> str:
    """Name of the flag that says so."""
    return f"drop:{name}"


def unwatched_flag(name: str) -> str:
    """Name of the flag that says that nobody looks for it just now."""
    return f"unwatched:{name}"


def stop_flag(topic: str, run: str, attempt: int) -> str:
    """Name of the flag that asks one attempt of a run to stop."""
    return f"stop:{topic}:{run}:{attempt}"


class _Throttled:
    """A question that costs a message, asked at most every FLUSH_SECONDS."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self.ask, self.next = ask, 0.0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now < self.next:
            return False
        self.next = now + FLUSH_SECONDS
        return self.ask()


_FLOOR = Floor()


def _be_nice(lane: str) -> None:
    if hasattr(os, "nice") and os.nice(0) < NICENESS[lane]:
        os.nice(NICENESS[lane] - os.nice(0))
