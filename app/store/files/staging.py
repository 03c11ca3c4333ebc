"""Where a file that arrives waits until a worker has read it: in the store, which workers see wherever they run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PREFIX = "arriving-"


@contextmanager
def arriving(store: Path) -> Iterator[Path]:
    """A folder for one file, gone when the block ends."""
    with TemporaryDirectory(prefix=PREFIX, dir=store) as folder:
        yield Path(folder)


def sweep(store: Path) -> None:
    """Remove what a killed server has left. For the one engine that holds the store, as it starts."""
    for folder in store.glob(f"{PREFIX}*"):
        shutil.rmtree(folder, ignore_errors=True)
