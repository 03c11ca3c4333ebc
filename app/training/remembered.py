"""What this machine was found to do, measured once and remembered beside the runs, so that all its workers agree."""

from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from app.store.files.checkpoints import write_atomically

Found = TypeVar("Found", bound=str)

LOCK = "measuring.lock"
PATIENCE = 300.0  # seconds that another process may measure; one that dies is not waited for


def remembered(
    folder: Path | None, what: str, machine: str, known: Collection[Found], measure: Callable[[], Found]
) -> Found:
    """One of `known`: what stands in `folder` about `what` on this `machine`, else what `measure` finds, written down.

    Of those who ask at once, one measures and the others wait for it. `folder` None, or one that cannot be written:
    nothing is remembered.
    """
    if folder is None:
        return measure()
    place = folder / f"{what}-{blake2b(machine.encode(), digest_size=6).hexdigest()}.txt"
    if verdict := _read(place, known):
        return verdict
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(folder / LOCK, timeout=PATIENCE, fallback_to_soft=False))
        except (Timeout, OSError):  # a store that cannot be written: the run itself will say so
            return measure()
        verdict = _read(place, known) or measure()
        _write(place, f"{verdict}\n{machine}\n")
        return verdict


def _read(place: Path, known: Collection[Found]) -> Found | None:
    """What stands there; None where it is none of what can be found."""
    try:
        told = place.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, ValueError):
        return None
    return next((finding for finding in known if finding == told), None)


def _write(place: Path, text: str) -> None:
    def write(part: Path) -> None:
        part.write_text(text, encoding="utf-8")

    with suppress(OSError):  # a full disk: the next one measures again
        write_atomically(place, write)
