"""The store's one SQLite file, in WAL mode: checked when it is opened; of a damaged one, what can be read is kept."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.base import logs
from app.base.prose import prose
from app.store.integrity import wal
from app.store.integrity.salvage import salvage
from app.store.integrity.seals import Sealed, Seals, broken
from app.store.schema import NewerVersionError, prepare

FILE = "store.sqlite"
# What a disk does, not a damaged file: nothing is put aside for it.
OF_THE_DISK = {
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_BUSY),
    *(sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_AUTH),
}
NAMED = 5  # runs that a notice names
TORN_SECONDS = 0.05  # another process may be writing its log just now

log = logs.events(__name__)


class StoreError(RuntimeError):
    """The store cannot be used; the message says what happened, what was kept and what to do."""


class Database:
    """The file in one folder, with the store's tables. Safe to use from several threads of one process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[str] = []
        self.broken: list[Sealed] = []  # whose rows were found to be others than were written
        self.changes = 0  # of any run's columns and cuts
        self.lock = threading.RLock()
        self._settled = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._db, self._seals = self._open(folder / FILE)
        except (OSError, sqlite3.DatabaseError, NewerVersionError) as error:
            raise StoreError(
                f"the store at {folder} cannot be opened ({error}); nothing was changed. "
                "Free some space or name another folder in RESNET_EXPLORER_STORE."
            ) from error

    def _open(self, path: Path) -> tuple[sqlite3.Connection, Seals]:
        if path.is_file() and path.stat().st_size == 0:
            kept = put_aside(path) if beside(path, "-wal").is_file() else None
            self._say("emptied", kept=f" It was kept as {kept.name}." if kept else "")
        elif _torn(path):
            self._say("log-damaged")
        try:
            opened = connect(path)
        except sqlite3.DatabaseError as error:
            if of_the_disk(error):
                raise
            return self._begun_anew(path, error)
        self.broken = broken(opened[0])
        if self.broken:
            runs = sorted({one.run for one in self.broken if one.run})
            named = runs[:NAMED] + ["…"] * (len(runs) > NAMED)
            tables = ", ".join(sorted({one.table for one in self.broken}))
            self._say("rows-damaged", tables=tables, runs=", ".join(named) or "none")
        return opened

    def _begun_anew(self, path: Path, error: sqlite3.DatabaseError) -> tuple[sqlite3.Connection, Seals]:
        """With all that can be read of a damaged file, which is kept."""
        aside = put_aside(path)
        db, seals = connect(path)
        try:
            saved = salvage(aside, db, seals)
            told = prose("store")["salvaged"].format(runs=saved.runs, lost=saved.told)
        except (OSError, sqlite3.DatabaseError) as problem:
            told = prose("store")["not-salvaged"].format(why=problem)
        self._say("damaged", why=error, kept=aside.name, saved=told)
        return db, seals

    def _say(self, passage: str, **about: object) -> None:
        self.notices.append(prose("store")[passage].format(**about))
        log.error("store damaged", passage=passage, why=str(about)[:200])

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

    def settle(self) -> None:
        """Bring what was written into the file itself, so that a copy of the file alone has it. Waits for nobody."""
        with self.lock:
            if self._db.total_changes != self._settled and not self._db.in_transaction:
                self._settled = self._db.total_changes
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Write what is pending and let the file go."""
        with self.lock:
            try:
                self.settle()
            except sqlite3.OperationalError as error:  # a full disk: the log beside it has everything
                log.warning("store not settled", why=error)
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is written in the block is written together, or not at all. Raises StoreError where the disk refuses."""
        with self.lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                    self._seals.write(self._db)
                    self._db.execute("COMMIT")
                except BaseException:
                    self._seals.drop()
                    if self._db.in_transaction:  # SQLite has itself undone a transaction that filled the disk
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.DatabaseError as error:
                raise _said("unwritten", error) from error

    def empty_log(self) -> None:
        """Bring what is written into the file itself and empty the log beside it, where deleted rows still stand."""
        with self.lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """The rows that a query finds. Raises StoreError where the file cannot be read."""
        with self.lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise _said("unread", error) from error


def connect(path: Path) -> tuple[sqlite3.Connection, Seals]:
    """A file that SQLite finds sound, with today's tables. Raises sqlite3.DatabaseError, NewerVersionError."""
    db = sqlite3.connect(path, check_same_thread=False, timeout=10, isolation_level=None)
    try:
        db.row_factory = sqlite3.Row
        db.text_factory = lambda raw: raw.decode(errors="replace")  # a damaged name hides nothing but itself
        if db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("it fails SQLite's own check")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # what was said to be kept outlives a power cut
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA secure_delete = ON")  # what is forgotten is overwritten: it may be somebody's face
        db.execute("PRAGMA temp_store = MEMORY")
        prepare(db)
        return db, Seals(db)
    except UnicodeError as error:  # SQLite quotes damaged names, and Python cannot read what it says
        db.close()
        raise sqlite3.DatabaseError("its schema is damaged") from error
    except BaseException:
        db.close()
        raise


def of_the_disk(error: sqlite3.Error) -> bool:
    """True where it is the disk or another process that refuses, and not the file that is damaged."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF in OF_THE_DISK


def _said(passage: str, error: sqlite3.DatabaseError) -> Exception:
    """What the disk or a damaged file has refused, in a sentence; what is a mistake of ours stays what it is."""
    ours = isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError)
    return error if ours else StoreError(prose("store")[passage].format(why=error))


def beside(path: Path, suffix: str) -> Path:
    """SQLite's file of that suffix."""
    return path.with_name(path.name + suffix)


def put_aside(path: Path) -> Path:
    """Give a damaged file, and the log that belongs to it, a name that no other has. Returns it."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = (f"store.corrupt-{stamp}{nth}.sqlite" for nth in ("", *(f"-{count}" for count in range(2, 1000))))
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    path.replace(aside)
    if beside(path, "-wal").exists():
        beside(path, "-wal").replace(beside(aside, "-wal"))
    beside(path, "-shm").unlink(missing_ok=True)
    return aside


def _torn(path: Path) -> bool:
    for _ in range(3):
        if not wal.damaged(beside(path, "-wal")):
            return False
        time.sleep(TORN_SECONDS)
    return True
