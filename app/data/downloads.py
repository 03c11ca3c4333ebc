"""Data sets of torchvision's, downloaded: once, whole or not at all, with progress that everyone sees."""

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any

from filelock import FileLock

from app.values.datasets import BUNDLED, DATASETS, FILES, DataError, DataUnavailable, available

Progress = Callable[[int, int], None]  # bytes done, bytes in all

WATCH_SECONDS = 0.25  # between two reports of progress
SILENCE_SECONDS = 30.0  # a server that sends nothing for so long is given up


def torchvision_class(name: str) -> Any:
    """What reads that data set, and downloads it."""
    import torchvision.datasets  # here, because it takes 1.5 s, and the bundled set does without

    return getattr(torchvision.datasets, FILES[name].torchvision)


def download(name: str, root: Path, progress: Progress | None = None) -> None:
    """Put a torchvision data set under the data folder `root`, once, however many processes ask at a time.

    One of them downloads, the others wait, and all see its progress. What arrives is kept in a folder of its own
    until torchvision has checked it, so a download that breaks off leaves nothing behind that looks whole; archives
    that were put under `root` by hand are used. If `progress` raises, waiting ends and the download goes on.
    Raises DataUnavailable if it fails.
    """
    if name not in FILES:
        raise DataError(f"{name[:60]!r} is not downloaded: {', '.join(FILES)} are")
    total = DATASETS[name].download_bytes
    job: Future[None] = Future()
    # A daemon: a server that never answers must not keep this process from ending.
    threading.Thread(target=_run, args=(job, name, root), name=f"download {name}", daemon=True).start()
    done = 0  # never falls, though the archives are removed in the end
    while not job.done():
        wait([job], timeout=WATCH_SECONDS)
        done = max(done, min(_arrived(name, root), total))
        if progress and not job.done():
            progress(done, total)
    job.result()
    if progress:
        progress(total, total)


def _run(job: Future[None], name: str, root: Path) -> None:
    """Settle `job`: done, or failed with a sentence for people."""
    try:
        _fetch(name, root)
    except Exception as error:  # network, disk, checksum, archive: torchvision lets everything through
        job.set_exception(_unavailable(name, root, error))
    else:
        job.set_result(None)


def _staging(name: str, root: Path) -> Path:
    return root / f".{name}.part"


def _fetch(name: str, root: Path) -> None:
    if socket.getdefaulttimeout() is None:  # torchvision sets none: a stalled server would be waited for, for ever
        socket.setdefaulttimeout(SILENCE_SECONDS)
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / f".{name}.lock"):
        if available(name, root):  # another process was first
            return
        staging = _staging(name, root)
        shutil.rmtree(staging, ignore_errors=True)  # of a process that was killed
        try:
            for archive in FILES[name].archives:
                if (root / archive).is_file():
                    (staging / archive).parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(root / archive, staging / archive)
            torchvision_class(name)(staging, download=True)
            for file in FILES[name].files:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staging / file, root / file)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _arrived(name: str, root: Path) -> int:
    """Bytes of the archives that are on disk by now, whichever process is downloading."""
    done = 0
    for archive in FILES[name].archives:
        with contextlib.suppress(OSError):  # not begun, or finished and moved, in between
            done += (_staging(name, root) / archive).stat().st_size
    return done


def _unavailable(name: str, root: Path, error: Exception) -> DataUnavailable:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    reason = (str(reason).strip().splitlines() or [type(error).__name__])[-1]  # torchvision lists mirror after mirror
    reason = reason.removeprefix("<urlopen error ").removesuffix(">")
    archives = ", ".join(Path(archive).name for archive in FILES[name].archives)
    folder = (root / FILES[name].archives[0]).parent
    result = DataUnavailable(
        f"{DATASETS[name].title} could not be downloaded ({reason[:200]}). Nothing was lost. "
        f"{DATASETS[BUNDLED].title} ({BUNDLED}) is bundled and works offline. "
        f"Try again later, or put {archives} into {folder} by hand."
    )
    result.__cause__ = error
    return result
