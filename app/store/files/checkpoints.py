"""Where a run's weights lie: one folder a run, one file a step, and beside the newest the momentum to go on from."""

import os
import re
from collections.abc import Callable
from pathlib import Path

FIRST_MOMENTS = (0, 1, 10, 100)
RECORD = "run.json"  # what a reference run is, beside its weights

_WEIGHTS = re.compile(r"(\d{7})\.safetensors")


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


def prune(folder: Path, newest: int, moments: set[int]) -> None:
    """Delete what neither an analysis nor a resumption from `newest` needs.

    Called by the one who keeps the events, never by the one who trains: a checkpoint may go only after a later one is
    known to the store.
    """
    for step in kept(folder):
        if step < newest:
            momentum_file(folder, step).unlink(missing_ok=True)
            if step not in moments:
                weights_file(folder, step).unlink(missing_ok=True)


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """`write` to a neighbour of `path`, then rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        write(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


class Weights:
    """Where the weights of each run lie: in its folder of the store or, of a reference run, among the assets."""

    def __init__(self, own: Path, references: Path | None) -> None:
        self._own, self._references = own, references

    def folder(self, run: str) -> Path:
        """Where a run's weights lie."""
        if self._references is not None and (self._references / run / RECORD).exists():
            return self._references / run
        return self._own / run
