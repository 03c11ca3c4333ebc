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
from app.base.memory import return_freed_memory
from app.base.settings import Settings
from app.store.files.checkpoints import Digests
from app.values.datasets import BUNDLED, DATASETS
from app.values.events import BlockCut, Event, RunStarted, to_json
from app.values.questions import Question
from app.values.results import to_bytes
from app.values.run_spec import Recipe, RunSpec
from models.spec import NetSpec

log = logs.events(__name__)

FLUSH_SECONDS = 0.2
NICENESS = 10  # pages answer first


def warm(settings: Settings) -> int:
    """Make one step of a tiny net, so that the first run starts at once. Returns the process's id."""
    from app.data.images import load
    from app.training.loop import resolve, train

    _be_nice()
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
    _be_nice()
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

    _be_nice()
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


def take_upload(archive: Path, settings: Settings, title: str) -> dict[str, Any]:
    """Read an uploaded zip into the store. Returns the `DataSet` as plain values."""
    from app.data.zip_safety import Limits
    from app.data.zip_upload import ingest

    limits = Limits(archive_bytes=settings.upload_mb * 1_000_000)
    return ingest(archive, settings.store, title=title, limits=limits).model_dump()


def take_weights(file: Path, spec: RunSpec, folder: Path, settings: Settings, most: int) -> str:
    """Weights of another project → the folder of a run, evaluated. Returns the run's events as JSON."""
    from app.training.checkpoint_import import receive

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
    settings: Settings,
    topic: str,
    alone: bool,
    digests: tuple[tuple[int, str], ...] = (),
) -> bytes:
    """Answer a question, sending how far it is to `topic`; `alone`: no run trains meanwhile. `digests`: of its weights.

    Raises Dropped when nobody waits for it any more.
    """
    import torch

    from app.analysis.answering import answer as find
    from app.analysis.subject import Subject

    _be_nice()
    logs.begin(settings)
    log.info("asked", question=question.key, run=question.run)
    # Where runs train on the same cores, threads that wait for one another take three times as long as one alone.
    cores = os.cpu_count() or 1
    torch.set_num_threads(min(cores, max(2, cores // 2)) if alone else max(1, cores // 4))
    worker = get_worker()
    dropped = _Throttled(Flag(drop_flag(topic, question.key)).is_set)
    due = _Throttled(lambda: True)

    def progress(done: int, total: int) -> None:
        if due():
            worker.log_event(topic, (question.key, done, total))
        if dropped():
            raise Dropped

    return to_bytes(find(question, Subject(spec, folder, epoch_steps, settings, digests), progress))


class Dropped(Exception):  # noqa: N818  nothing is wrong
    """Nobody waits for the answer any more."""


def drop_flag(topic: str, key: str) -> str:
    """Name of the flag that says so."""
    return f"drop:{topic}:{key}"


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


def _be_nice() -> None:
    if hasattr(os, "nice") and os.nice(0) < NICENESS:
        os.nice(NICENESS - os.nice(0))
