"""One byte of a store is another one: what is then read is what was written, or it is said that something is not."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from safetensors.torch import load_file

from app.store.database import StoreError
from app.store.files.checkpoints import DamagedError, Digests
from app.store.integrity.seals import TABLES
from app.store.store import Store
from app.training.evaluation import read_tensors

Came = Literal["said", "harmless", "silent"]

Rows = dict[str, list[tuple[object, ...]]]


def flipped(path: Path, chance: random.Random) -> str:
    """Change one byte of a file, somewhere. Returns where, and what it was and is."""
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content))
    before, content[at] = content[at], content[at] ^ (1 << chance.randrange(8))
    path.write_bytes(content)
    return f"{path.name} at {at}: {before} → {content[at]}"


def rows(store: Store) -> Rows:
    """All that a store's file says, by table."""
    return {table: [tuple(row) for row in store._database.rows(f"SELECT * FROM {table}")] for table in TABLES}


def in_file(folder: Path, times: int, chance: random.Random, file: str = "store.sqlite") -> Iterator[tuple[str, Came]]:
    """Flip a byte in the file of the store in `folder`, in a copy each time, and open it as a server does."""
    with_log = folder.with_name(f"{folder.name}-before")
    shutil.copytree(folder, with_log)
    opened = Store(with_log)
    truth = rows(opened)
    opened.close()
    for nth in range(times):
        copy = folder.with_name(f"{folder.name}-flipped")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        where = f"{nth}: {flipped(copy / file, chance)}"
        try:
            store = Store(copy)
        except StoreError:
            yield where, "said"
            continue
        try:
            same = rows(store) == truth
        except StoreError:
            yield where, "said"
        else:
            yield where, "said" if store.notice else "harmless" if same else "silent"
        finally:
            store.close()


def in_weights(store: Store, folder: Path, times: int, chance: random.Random) -> Iterator[tuple[str, Came]]:
    """Flip a byte in a file of weights that a store knows, in a copy each time, and read it as a worker does."""
    known = [
        (store.weights.folder(run.id) / name, digest)
        for run in store.runs.all()
        for step, digests in store.digests(run.id).items()
        for name, digest in _files(step, digests).items()
    ]
    for nth in range(times):
        source, digest = chance.choice(known)
        copy = folder / source.name
        shutil.copyfile(source, copy)
        where = f"{nth}: {source.parent.name}/{flipped(copy, chance)}"
        try:
            read = read_tensors(copy, digest)
        except DamagedError:
            yield where, "said"
        else:
            truth = load_file(source)
            same = read.keys() == truth.keys() and all(read[name].equal(value) for name, value in truth.items())
            yield where, "harmless" if same else "silent"


def _files(step: int, digests: Digests) -> dict[str, str]:
    files = {f"{step:07d}.safetensors": digests.weights, f"{step:07d}.momentum.safetensors": digests.momentum}
    return {name: digest for name, digest in files.items() if digest}
