"""What an analysis returns: a frozen dataclass of named arrays, numbers and texts; never a tensor, never a figure.

    @result
    class SingleLesions: …

A result travels and is kept as bytes, without pickles.
"""

import io
import json
from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform

import numpy as np

Result = Any  # one of RESULTS: arrays, numbers, texts, and tuples of numbers and texts
RESULTS: dict[str, type[Any]] = {}  # of the studies that were imported, by name

Kind = TypeVar("Kind", bound=type[Any])


class UnreadableError(ValueError):
    """Bytes that are no result of today's program: an answer kept by another version, or a damaged one."""


@dataclass_transform(frozen_default=True)
def result(kind: Kind) -> Kind:
    """Make a class of fields a result. Raises ValueError where another one has its name."""
    if kind.__name__ in RESULTS and RESULTS[kind.__name__].__module__ != kind.__module__:
        raise ValueError(f"two results are called {kind.__name__}")
    RESULTS[kind.__name__] = dataclass(frozen=True)(kind)
    return kind


@result
class Evaluation:
    """Error (percent) and mean cross-entropy (nats) over so many test images."""

    error: float
    loss: float
    images: int


def to_bytes(found: Result) -> bytes:
    """A result as an .npz without pickles: its arrays, and the rest as JSON."""
    values = {field.name: getattr(found, field.name) for field in fields(found)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    rest = {name: value for name, value in values.items() if name not in arrays}
    file = io.BytesIO()
    text = json.dumps({"result": type(found).__name__, **rest}).encode()
    np.savez_compressed(file, allow_pickle=False, _rest=np.frombuffer(text, np.uint8), **arrays)
    return file.getvalue()


def from_bytes(packed: bytes) -> Result:
    """Read back what `to_bytes` wrote. Raises UnreadableError for anything else, fields of another version included."""
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
            rest = json.loads(kept["_rest"].tobytes())
            arrays = {name: kept[name] for name in kept.files if name != "_rest"}
        values = {name: _tuples(value) for name, value in rest.items() if name != "result"}
        return RESULTS[rest["result"]](**values, **arrays)
    except Exception as error:  # zip, JSON and NumPy each have their own ways to say so
        raise UnreadableError(f"not a result of this program: {error!r}") from error


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
