"""Where a run's weights lie: one folder a run, one file a step, and beside the newest the momentum to go on from."""

import hashlib
import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

FIRST_MOMENTS = (0, 1, 10, 100)
RECORD = "run.json"  # what a reference run is, beside its weights

_WEIGHTS = re.compile(r"(\d{7})\.safetensors")


class Digests(NamedTuple):
    """SHA-256 of a checkpoint's two files, in hexadecimal; empty: not known."""

    weights: str = ""
    momentum: str = ""


class DamagedError(ValueError):
    """A file of weights is not there, or not what was written. The message says which and what."""


def is_moment(step: int, epoch_steps: int) -> bool:
    """True for the steps whose weights are kept for analyses: 0, 1, 10, 100 and each epoch's end."""
    return step in FIRST_MOMENTS or step % epoch_steps == 0


def weights_file(folder: Path, step: int) -> Path:
    """The net's parameters and buffers after `step` updates."""
    return folder / f"{step:07d}.safetensors"


def momentum_file(folder: Path, step: int) -> Path:
    """The optimiser's momentum after `step` updates."""
    return folder / f"{step:07d}.momentum.safetensors"


def kept(folder: Path) -> list[int]:
    """Steps whose weights are in `folder`, in order."""
    if not folder.is_dir():
        return []
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _WEIGHTS.fullmatch(path.name)))


def prune(folder: Path, newest: int, moments: set[int], spare: int | None = None) -> None:
    """Delete what neither an analysis nor a resumption from `newest`, or if that is damaged from `spare`, needs.

    Called by the one who keeps the events, never by the one who trains: a checkpoint may go only after a later one is
    known to the store.
    """
    for step in kept(folder):
        if step < newest and step != spare:
            momentum_file(folder, step).unlink(missing_ok=True)
            if step not in moments:
                weights_file(folder, step).unlink(missing_ok=True)


def check(path: Path, digest: str) -> None:
    """Raises DamagedError where the file is not the one with this SHA-256; an empty one is not compared."""
    if not digest:
        return
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise DamagedError(f"{path.name} is not there") from error
    except OSError as error:
        raise DamagedError(f"{path.name} cannot be read: {error.strerror}") from error
    if found != digest:
        raise DamagedError(f"{path.name} is not what was written: its checksum is wrong")


def write_atomically(path: Path, write: Callable[[Path], None]) -> str:
    """`write` to a neighbour of `path`, then rename: a reader sees the whole file or none, even after a power cut.

    Returns its SHA-256. Raises OSError.
    """
    new = [folder for folder in (path.parent, *path.parent.parents) if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(part)
        with part.open("r+b") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):  # of a disk that became read-only: what happened before is what matters
            part.unlink(missing_ok=True)
    for folder in (path.parent, *(folder.parent for folder in new)):
        sync_folder(folder)
    return digest


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk itself. Windows does that by itself, and knows no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Weights:
    """Where the weights of each run lie: in its folder of the store or, of a reference run, among the assets."""

    def __init__(self, own: Path, references: Path | None) -> None:
        self.own, self._references = own, references

    def folder(self, run: str) -> Path:
        """Where a run's weights lie."""
        if self._references is not None and (self._references / run / RECORD).exists():
            return self._references / run
        return self.own / run

    def bundled(self, run: str) -> bool:
        """True for a reference run, whose weights come with the program."""
        return self.folder(run).parent != self.own

    def of_runs(self) -> set[str]:
        """Names of the folders in the store that hold weights."""
        if not self.own.is_dir():
            return set()
        return {folder.name for folder in self.own.iterdir() if folder.is_dir() and kept(folder)}
