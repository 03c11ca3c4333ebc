"""What nobody should send, by kind: tables of makers, and how each kind reaches the served app."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Grounds:
    """What a maker may use. `outside`: a folder beside the store, in which nothing may ever change."""

    rng: random.Random
    outside: Path

    @property
    def marker(self) -> Path:
        """A file that is there once code of an input has run."""
        return self.outside / "ran"


SECRET = b"nobody-outside-may-read-this"  # in a file beside the store
SHOUT = "<img src=x onerror=alert(1)>"  # what must never be a page's HTML

Makers = Mapping[str, Callable[[Grounds], bytes]]


@dataclass(frozen=True)
class Outcome:
    """How the app took one input. `said`: its sentence; `wrong`: what it should never have done."""

    refused: bool
    said: str = ""
    wrong: str = ""
