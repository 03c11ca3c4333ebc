"""Results as bytes, for the store and between processes: without pickles."""

import io
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from app.studies.attributions import results as attributions
from app.studies.features import results as features
from app.studies.gradients import results as gradients
from app.studies.identity import results as identity
from app.studies.lesions import results as lesions
from app.studies.paths import results as paths
from app.values import evaluations, series

Result = Any  # one of RESULTS: arrays, numbers, texts, and tuples of numbers and texts
RESULTS: dict[str, type[Any]] = {
    name: kind
    for module in (attributions, evaluations, features, gradients, identity, lesions, paths, series)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and is_dataclass(kind)
}


def to_bytes(result: Result) -> bytes:
    """A result as an .npz without pickles: its arrays, and the rest as JSON."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    rest = {name: value for name, value in values.items() if name not in arrays}
    file = io.BytesIO()
    text = json.dumps({"result": type(result).__name__, **rest}).encode()
    np.savez_compressed(file, allow_pickle=False, _rest=np.frombuffer(text, np.uint8), **arrays)
    return file.getvalue()


def from_bytes(packed: bytes) -> Result:
    """Read back what `to_bytes` wrote."""
    with np.load(io.BytesIO(packed), allow_pickle=False) as kept:
        rest = json.loads(kept["_rest"].tobytes())
        arrays = {name: kept[name] for name in kept.files if name != "_rest"}
    values = {name: _tuples(value) for name, value in rest.items() if name != "result"}
    return RESULTS[rest["result"]](**values, **arrays)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
