"""Answers to what every page asks of the reference runs: measured once, and bundled, so that a first visit is complete.

`assets/answers.zip`: each answer under the key of its question, and `index.json`: of each key the question and the
digest of the weights that it was asked of. `make answers` makes it; the suite holds it against fresh measurements.
"""

import json
import zipfile
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from app.base.settings import ASSETS

BUNDLE = ASSETS / "answers.zip"
LIMIT = 6_000_000  # bytes of the file
_INDEX = "index.json"
_NAMES: TypeAdapter[dict[str, tuple[str, str]]] = TypeAdapter(dict[str, tuple[str, str]])


class BundledAnswers:
    """Reads one such file. Safe to use from several threads."""

    def __init__(self, path: Path = BUNDLE) -> None:
        self._path = path

    @cached_property
    def index(self) -> dict[str, tuple[str, str]]:
        """Of each key its question, as JSON, and the digest of the weights; empty where there is no file."""
        if self._zip is None:
            return {}
        return _NAMES.validate_json(self._zip.read(_INDEX))

    def get(self, key: str) -> bytes | None:
        """The answer to the question of this key, if it is among them."""
        return self._zip.read(key) if self._zip is not None and key in self.index else None

    @cached_property
    def _zip(self) -> zipfile.ZipFile | None:
        return zipfile.ZipFile(self._path) if self._path.is_file() else None


def write(path: Path, answers: dict[str, tuple[str, str, bytes]]) -> None:
    """Make such a file of question, digest and answer for each key; of equal answers it is the same, byte for byte."""
    index = {key: (question, digest) for key, (question, digest, _) in sorted(answers.items())}
    members = {_INDEX: json.dumps(index).encode(), **{key: answers[key][2] for key in index}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
