"""The store's one SQLite file, in WAL mode: checked when it is opened, and set aside where it is damaged."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.base import logs
from app.store.schema import prepare

log = logs.events(__name__)


class StoreError(RuntimeError):
    """The store cannot be used; the message says what happened, what was kept and what to do."""


class Database:
    """The file in one folder, with the store's tables. Safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notice = ""
        self.changes = 0  # of any run's columns and cuts
        self.lock = threading.RLock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db = self._open(folder / "store.sqlite")
        except (OSError, sqlite3.OperationalError) as error:
            raise StoreError(
                f"the store at {folder} cannot be opened ({error}); nothing was changed. "
                "Free some space or name another folder in RESNET_EXPLORER_STORE."
            ) from error

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            return self._connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = path.with_name(f"store.corrupt-{time.strftime('%Y%m%d-%H%M%S')}.sqlite")
            path.replace(aside)
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self.notice = (
                f"The store's file was damaged ({error}). It was kept as {aside.name} and a new one begun; "
                "weights are untouched in the folder weights."
            )
            log.error("store damaged", kept=aside.name, why=error)
            return self._connect(path)

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("it fails SQLite's own check")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten: it may be somebody's face
            prepare(db)
        except sqlite3.DatabaseError:
            db.close()
            raise
        return db

    @property
    def identity(self) -> str:
        """A name that no other store has, and that stays."""
        return str(self.rows("SELECT id FROM identity")[0]["id"])

    @property
    def version(self) -> tuple[int, int] | None:
        """Another one after every change, by whichever process; None amid a transaction, which may be undone."""
        with self.lock:
            if self._db.in_transaction:
                return None
            [[by_others]] = self._db.execute("PRAGMA data_version")
            return self._db.total_changes, by_others

    def close(self) -> None:
        """Write what is pending and let the file go."""
        with self.lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is written in the block is written together, or not at all."""
        with self.lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # SQLite has itself undone a transaction that filled the disk
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def empty_log(self) -> None:
        """Bring what is written into the file itself and empty the log beside it, where deleted rows still stand."""
        with self.lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """The rows that a query finds."""
        with self.lock:
            return self._db.execute(sql, values).fetchall()
