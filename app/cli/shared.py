"""What every verb of the command line shares: where it prints, how it fails, the store and its moments."""

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NamedTuple, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from app.base import settings
from app.base.settings import Settings
from app.store.store import Store
from app.store.store import open_store as store_of
from app.values import datasets
from app.values.datasets import DataSet, check_images
from models.spec import NetSpec, first_reason

out, err = Console(), Console(stderr=True)

RunName = Annotated[str, typer.Argument(metavar="RUN")]
Images = Annotated[int | None, typer.Option(min=1, help="the first so many test images")]
Step = Annotated[int | None, typer.Option(min=0, help="a kept moment; by default the newest")]
Net = Annotated[str, typer.Argument(metavar="NET", help="a preset's name, with settings: resnet-56:width=8")]
Data = Annotated[str, typer.Option("--dataset", help="a data set's name")]
Width = Annotated[int | None, typer.Option(help="channels of the first stage; the paper's by default")]
Json = Annotated[bool, typer.Option("--json", help="one JSON document on stdout, nothing else")]


def fail(message: str) -> NoReturn:
    """End with one line on stderr and status 2."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(2)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Bad input ends with one line and status 2, never with a traceback."""
    try:
        yield
    except typer.Exit:  # a RuntimeError, and already said
        raise
    except KeyError as error:
        fail(str(error.args[0]))
    except ValueError as error:
        fail(first_reason(error))
    except (OSError, RuntimeError) as error:
        fail(str(error))


def read_settings() -> Settings:
    """The settings in force."""
    with clear_errors():
        return settings.load()


def net_of(text: str, width: int | None) -> NetSpec:
    """The net of that name."""
    with clear_errors():
        spec = NetSpec.parse(text)
        return spec if width is None else NetSpec.model_validate({**spec.model_dump(), "width": width})


def dataset_of(name: str, configured: Settings) -> DataSet:
    """What is known of the data set of that name."""
    with clear_errors():
        dataset = datasets.find(name, configured.store)
        if dataset is None:
            raise ValueError(f"unknown data set {name[:60]!r}: {', '.join(datasets.DATASETS)}")
        return dataset


def open_store(configured: Settings) -> Store:
    """The store, the reference runs in it."""
    with clear_errors():
        store = store_of(configured)
    if store.notice:
        err.print(store.notice, style="yellow", markup=False, highlight=False, soft_wrap=True)
    return store


def kept_step(store: Store, run: str, step: int | None) -> int:
    """The moment asked for, by default the newest; fails if no weights of it are kept."""
    moments = store.events.moments(run)
    if not moments:
        fail(f"{run} has no weights yet")
    if step is not None and step not in moments:
        fail(f"no weights were kept at step {step}: {', '.join(map(str, moments))}")
    return moments[-1] if step is None else step


class Moment(NamedTuple):
    """What is analysed: a `Net` in evaluation mode, the `Images` of its run, the step it was kept at."""

    net: Any
    images: Any
    step: int


def at_moment(run: str, step: int | None, *, own_picture: bool = False) -> Moment:
    """The net of a run as it was at `step` (None: the newest kept). `own_picture`: no test image is asked for."""
    subject, chosen = subject_at(run, step, read_settings())
    if not own_picture:
        check_images(subject.images.info)
    return Moment(subject.net(chosen), subject.images, chosen)


def subject_at(run: str, step: int | None, configured: Settings) -> tuple[Any, int]:
    """What a question about a run is about, a `Subject`, and the step of a kept moment (None: the newest)."""
    store = open_store(configured)
    about, chosen = store.about(run), kept_step(store, run, step)
    from app.analysis.subject import Subject  # PyTorch with it: what is wrong is said before

    return Subject(*about, configured), chosen


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr while it lasts; call it with what is done, and how much there is in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    json.dump(_finite(value), sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _finite(value: Any) -> Any:
    """The same with null for what JSON has no number for: the loss of a net that diverged."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
