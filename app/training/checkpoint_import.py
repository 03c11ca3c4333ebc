"""A file of weights from elsewhere → a finished run: read without running anything in it, renamed, kept.

A PyTorch checkpoint is a pickle, and a pickle is a program. `weights_only` (torch ≥ 2.6) builds tensors and plain
containers and refuses every other call before it is made.
"""

import re
import warnings
import zipfile
from io import BufferedReader, FileIO
from pathlib import Path
from pickle import UnpicklingError

import torch
from safetensors.torch import load_file
from torch.serialization import get_unsafe_globals_in_checkpoint

from app.base.settings import Settings
from app.store.files.checkpoints import weights_file
from app.training.evaluation import on_arrival, write_tensors
from app.values.events import CheckpointSaved, Event, RunFinished, RunStarted
from app.values.run_spec import RunSpec
from models.nets.foreign import convert
from models.nets.net import Net, weight_layers

MAX_BYTES = 4_000_000_000  # on the command line: VGG-19 with its optimiser's state is 1.2 GB
LONGEST_NAME = 1000  # bytes
_CALLED = re.compile(r"GLOBAL:? ([\w.]+)")


def receive(
    file: Path, spec: RunSpec, folder: Path, max_bytes: int = MAX_BYTES, settings: Settings | None = None
) -> list[Event]:
    """The weights in `file`, renamed and checked, go to `folder` as step 0. Returns the events of the finished run.

    With `settings`, which say where data sets lie, the net's test error is among them.

    Raises ValueError, one sentence, for a file that cannot be read or does not fit; `folder` is then as it was.
    """
    state = convert(read(file, max_bytes), spec.net)
    digest = write_tensors(weights_file(folder, 0), state)
    with torch.device("meta"):
        layers = tuple(weight_layers(Net(spec.net)))
    started = RunStarted(
        step=0,
        layers=layers,
        total_steps=0,
        epoch_steps=0,  # its running statistics are sound: none has to be computed anew
        train_images=0,
        device="cpu",
        precision="float32",
        threads=1,
    )
    evaluated = on_arrival(spec, folder, settings) if settings else []
    return [started, CheckpointSaved(step=0, moment=True, weights=digest), *evaluated, RunFinished(step=0)]


def read(file: Path, max_bytes: int = MAX_BYTES) -> object:
    """What is in a safetensors file or a PyTorch checkpoint, on the CPU. Nothing in it is executed.

    Raises ValueError, one sentence, if it is too large, damaged, of another kind, or a program.
    """
    try:
        size = file.stat().st_size
        with file.open("rb") as begun:
            head = begun.read(9)
    except OSError as error:
        raise ValueError(f"{file.name} cannot be read: {error.strerror}") from error
    if size > max_bytes:
        raise ValueError(f"the file has {size / 1e6:,.0f} MB: weights of up to {max_bytes / 1e6:,.0f} MB are taken")
    if head[8:9] != b"{" and head[:2] != b"PK" and head[:1] != b"\x80":
        raise ValueError("the file is neither safetensors nor a PyTorch checkpoint")
    try:
        if head[8:9] == b"{":  # safetensors: the length of its header, then JSON
            return load_file(file)
        if head[:2] == b"PK":
            _check_archive(file, max_bytes)
        with warnings.catch_warnings(), _ShortNames(FileIO(file)) as opened:
            warnings.simplefilter("ignore")  # of a pickle's age: not the reader's concern
            return torch.load(opened, map_location="cpu", weights_only=True)
    except _RefusedError:
        raise
    except UnpicklingError as error:
        raise ValueError(_refused(str(error))) from error
    except Exception as error:  # hostile bytes make a reader raise whatever it likes
        raise ValueError("the file is damaged or incomplete: download or copy it again") from error


class _RefusedError(ValueError):
    """One sentence: what the file is."""


def _check_archive(file: Path, max_bytes: int) -> None:
    """PyTorch stores its tensors uncompressed, and calls nothing but what tensors are made of. Raises _RefusedError."""
    with zipfile.ZipFile(file) as archive:
        total = sum(part.file_size for part in archive.infolist())
    if total > max_bytes:
        raise _RefusedError(f"the file unpacks to {total / 1e6:,.0f} MB: up to {max_bytes / 1e6:,.0f} MB are taken")
    if called := sorted(get_unsafe_globals_in_checkpoint(file)):
        raise _RefusedError(_program(called[0]))


def _refused(reason: str) -> str:
    """A pickle that calls something, or bytes that are no pickle."""
    if match := _CALLED.search(reason):
        return _program(match[1])
    return "the file is damaged, or no checkpoint of PyTorch's: save the net's state_dict() and try again"


def _program(called: str) -> str:
    return (
        f"the file is a program: loading it would call {called[:80]}. It was refused and nothing was run; "
        "save the net's state_dict() alone and try again"
    )


class _ShortNames(BufferedReader):
    """A pickle's names are its lines. torch searches a refused one in quadratic time: for hours, if it is long."""

    def readline(self, size: int | None = -1, /) -> bytes:
        """The next line. Raises UnpicklingError where it is longer than any name."""
        line = super().readline(LONGEST_NAME)
        if len(line) == LONGEST_NAME:
            raise UnpicklingError("a name is too long")
        return line
