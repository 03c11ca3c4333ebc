"""A consistent copy of a store while a server uses it, as a folder or one zip; and a store from such a copy."""

import os
import re
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from app.store.database import FILE, StoreError, connect
from app.store.files.checkpoints import DamagedError, check, momentum_file, sync_folder, weights_file, write_atomically
from app.store.integrity.salvage import Salvaged, salvage
from app.store.integrity.verification import Finding, findings, needed, opened

ROUNDS = 10  # a run that trains lets go of old checkpoints meanwhile: then the file is copied anew
# All that a copy holds. The settings' file is not among it: it may hold keys.
NAMES = re.compile(
    r"store\.sqlite|message\.txt|data/own-[0-9a-f]{12}\.(json|safetensors)"
    r"|weights/\w[\w.-]*/\d{7}(\.momentum)?\.safetensors"
)


def backup(store: Path, target: Path) -> list[Finding]:
    """Copy a store to `target`, a new folder or, if its name ends so, a new .zip. Returns what was found damaged.

    Raises FileExistsError, FileNotFoundError, OSError, StoreError.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already: name another file or folder. Nothing was changed")
    if not (store / FILE).is_file():
        raise FileNotFoundError(f"there is no store at {store}: nothing to copy")
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.absolute().parent) as name:
        folder = Path(name) / "store"
        folder.mkdir()
        try:
            _copy(store, folder)
        except sqlite3.DatabaseError as error:
            raise StoreError(f"{FILE} cannot be read ({error}): python -m app salvage reads what can be") from error
        wrong = list(findings(folder))
        _sync(folder)
        if target.suffix == ".zip":
            write_atomically(target, lambda part: _zip(folder, part))
        else:
            folder.replace(target)
            sync_folder(target.absolute().parent)
    return wrong


def restore(source: Path, store: Path) -> list[Finding]:
    """Make the store that a copy holds. Returns what is damaged in it. Raises FileExistsError, ValueError, OSError.

    The caller holds the store's lock; a store that has a file already stays as it is.
    """
    if (store / FILE).exists():
        raise FileExistsError(
            f"there is a store at {store} already: move it away, or name another folder in RESNET_EXPLORER_STORE. "
            "Nothing was changed"
        )
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=store) as name:
        folder = Path(name)
        _take(source, folder)
        if not (folder / FILE).is_file():
            raise ValueError(f"{source} is no backup of a store: there is no {FILE} in it. Nothing was changed")
        wrong = list(findings(folder))
        _sync(folder)
        for path in sorted(folder.iterdir(), key=lambda path: path.name == FILE):  # last: with it, the store is there
            if path.name in ("weights", "data"):
                shutil.copytree(path, store / path.name, dirs_exist_ok=True, copy_function=_moved)
            elif not path.name.startswith(f"{FILE}-"):
                path.replace(store / path.name)
        _sync(store)
    return wrong


def salvage_file(damaged: Path, target: Path) -> Salvaged:
    """Read what can be read of a damaged file, which stays as it is, into a new one.

    Raises FileExistsError, FileNotFoundError, OSError, StoreError.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already: name another file. Nothing was changed")
    if not damaged.is_file():
        raise FileNotFoundError(f"there is no file {damaged}")
    try:
        db, seals = connect(target)
        with closing(db):
            saved = salvage(damaged, db, seals)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"nothing could be read of {damaged}: {error}") from error
    return saved


def _copy(store: Path, folder: Path) -> None:
    for _ in range(ROUNDS):
        with closing(opened(store / FILE)) as db, closing(sqlite3.connect(folder / FILE)) as copy:
            db.backup(copy)
        with closing(opened(folder / FILE)) as copy:
            if _copy_weights(copy, store / "weights", folder / "weights"):
                break
    for path in sorted((store / "data").glob("own-*")):
        (folder / "data").mkdir(exist_ok=True)
        shutil.copyfile(path, folder / "data" / path.name)
    with suppress(FileNotFoundError):
        shutil.copyfile(store / "message.txt", folder / "message.txt")


def _copy_weights(db: sqlite3.Connection, source: Path, target: Path) -> bool:
    """What a run goes on from first, for it is let go first. Returns False where something was let go meanwhile."""
    runs = db.execute(
        "SELECT id, checkpoint, status FROM runs WHERE origin != 'reference' ORDER BY status != 'running'"
    )
    complete = True
    for run, newest, status in runs.fetchall():
        for step, (digests, is_newest) in sorted(needed(db, run, newest).items(), reverse=True):
            files = {weights_file: digests.weights} | ({momentum_file: digests.momentum} if is_newest else {})
            for file, digest in files.items():
                there, here = file(source / run, step), file(target / run, step)
                if here.exists() and not _other(here, digest):
                    continue
                here.parent.mkdir(parents=True, exist_ok=True)
                try:
                    shutil.copyfile(there, here)
                except FileNotFoundError:
                    complete &= not (is_newest and status in ("running", "queued"))
    return complete


def _other(path: Path, digest: str) -> bool:
    try:
        check(path, digest)
    except DamagedError:
        return True
    return not digest


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _zip(folder: Path, part: Path) -> None:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(folder):
            if NAMES.fullmatch(name := path.relative_to(folder).as_posix()):
                archive.write(path, name)


def _take(source: Path, folder: Path) -> None:
    """What a copy holds, and nothing else that stands in it."""
    if source.is_dir():
        for path in _files(source):
            if NAMES.fullmatch(name := path.relative_to(source).as_posix()):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, folder / name)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                if NAMES.fullmatch(entry.filename):
                    archive.extract(entry, folder)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise ValueError(f"{source} cannot be read ({error}): nothing was changed") from error


def _moved(source: str, target: str) -> str:
    Path(source).replace(target)
    return target


def _sync(folder: Path) -> None:
    """Have all of it on the disk itself."""
    for path in (*_files(folder), folder, *(path for path in folder.rglob("*") if path.is_dir())):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("r+b") as file:
                os.fsync(file.fileno())
