"""What this machine was found to do, measured once and remembered beside the runs, so that all its workers agree."""

import time
from collections.abc import Callable, Collection
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found", bound=str)

PATIENCE = 5.0  # seconds for another process of this machine to write down what it found


def remembered(
    folder: Path | None, what: str, machine: str, known: Collection[Found], measure: Callable[[], Found]
) -> Found:
    """One of `known`: what stands in `folder` about `what` on this `machine`, else what `measure` finds, written down.

    Of those who measure at once, the first is believed. `folder` None, or one that cannot be written: nothing is
    remembered.
    """
    if folder is None:
        return measure()
    place = folder / f"{what}-{blake2b(machine.encode(), digest_size=6).hexdigest()}.txt"
    verdict = _read(place, known)
    if verdict is None:
        try:
            with place.open("x", encoding="utf-8") as file:
                file.write(f"{measure()}\n{machine}\n")
        except FileExistsError:
            pass
        except OSError:  # a store that cannot be written: the run itself will say so
            return measure()
        verdict = _read(place, known)
    return verdict or measure()


def _read(place: Path, known: Collection[Found]) -> Found | None:
    """What stands there; None where nobody has begun to measure."""
    until = time.monotonic() + PATIENCE
    while place.exists():
        told = place.read_text(encoding="utf-8").partition("\n")[0]
        for one in known:
            if told == one:
                return one
        if time.monotonic() > until:  # it was killed while it measured
            place.unlink(missing_ok=True)
            break
        time.sleep(0.05)
    return None
