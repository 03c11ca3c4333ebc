"""Files of tensors: written whole and onto the disk itself, read only if they are what was written."""

import errno
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.store.files.checkpoints import DamagedError, check, write_atomically


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Returns the file's SHA-256. Raises OSError."""

    def write(part: Path) -> None:
        try:
            save_file(dict(tensors), part)
        except SafetensorError as error:  # it wraps what the disk said
            raise OSError(errno.EIO, f"{path.name} could not be written ({error})", str(path)) from error

    return write_atomically(path, write)


def read_tensors(path: Path, digest: str = "") -> dict[str, Tensor]:
    """The tensors of a file whose SHA-256 is `digest`; empty: not known. Raises DamagedError."""
    check(path, digest)
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise DamagedError(f"{path.name} is not there") from error
    except (SafetensorError, OSError) as error:
        raise DamagedError(f"{path.name} cannot be read: {error}") from error
