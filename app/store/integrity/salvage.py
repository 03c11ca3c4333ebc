"""What can still be read of a damaged file, row by row, put into a sound one.

SQLite's shell has `.recover` for it, its library has nothing. A table is read from both ends up to the damage, and
what lies between run by run and step by step; the header of a copy is first made what every store's header is.
"""

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.base.prose import prose
from app.store.integrity import seals
from app.store.integrity.seals import TABLES, Sealed, Seals

# The parts of a header that are the same in every store, with a page of 4096 bytes: https://sqlite.org/fileformat2.html
HEADER = {0: b"SQLite format 3\0\x10\x00\x02\x02\x00\x40\x20\x20", 44: b"\0\0\0\x04", 56: b"\0\0\0\x01"}
MOST_TRIED = 100_000  # rows that are asked for one by one between two damages

Row = tuple[Any, ...]


@dataclass
class Salvaged:
    """What was read of a damaged file: rows by table, and what of each run is not as it was written."""

    rows: Counter[str] = field(default_factory=Counter)
    lost: set[Sealed] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)  # tables that could not be read to the end

    @property
    def runs(self) -> int:
        """How many runs."""
        return self.rows["runs"]

    @property
    def told(self) -> str:
        """What is lost, in a few words."""
        parts = {one.table for one in self.lost} | set(self.unread)
        return f"some of the table{'s' if len(parts) > 1 else ''} {', '.join(sorted(parts))}" if parts else "nothing"


def salvage(damaged: Path, db: sqlite3.Connection, sealing: Seals) -> Salvaged:
    """Read a damaged file into `db`, a new one. Raises OSError, sqlite3.DatabaseError; `damaged` stays as it is."""
    saved = Salvaged()
    with tempfile.TemporaryDirectory(prefix="salvaging-", dir=damaged.parent) as folder:
        copy = Path(folder) / "store.sqlite"
        shutil.copyfile(damaged, copy)
        log = damaged.with_name(f"{damaged.name}-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name("store.sqlite-wal"))
        _mend_header(copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as old:
            old.text_factory = lambda raw: raw.decode(errors="replace")
            old.execute("PRAGMA writable_schema = ON")  # what can be read of the schema is enough
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute("DELETE FROM identity")
                for table in TABLES:
                    _fill(old, db, table, saved)
                _compare(old, db, saved)
                sealing.write(db)
                db.execute("COMMIT")
            except BaseException:
                sealing.drop()
                db.execute("ROLLBACK")
                raise
    return saved


def _mend_header(path: Path) -> None:
    with path.open("r+b") as file:
        for at, content in HEADER.items():
            file.seek(at)
            file.write(content)


def _fill(old: sqlite3.Connection, db: sqlite3.Connection, table: str, saved: Salvaged) -> None:
    try:
        there = {name for _, name, *_ in old.execute(f"PRAGMA table_info({table})")}
    except (sqlite3.DatabaseError, UnicodeError):
        there = set()
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})") if name in there]
    if not columns:
        saved.unread.append(table)
        return
    marks = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    for row in _rows(old, table, columns, saved):
        try:
            saved.rows[table] += db.execute(insert, row).rowcount
        except (sqlite3.DatabaseError, UnicodeError, OverflowError):  # of another type, or of a run that is lost
            if table not in saved.unread:
                saved.unread.append(table)
    if table == "identity" and not saved.rows[table]:
        db.execute("INSERT INTO identity SELECT lower(hex(randomblob(8)))")


def _rows(old: sqlite3.Connection, table: str, columns: list[str], saved: Salvaged) -> Iterator[Row]:
    """Every row that can be read, some of them twice."""
    chosen = f"SELECT {', '.join(columns)} FROM {table}"
    stepped = "step" in columns
    order = f"{TABLES[table]}, step" if stepped else "rowid" if table in ("runs", "identity") else columns[0]
    if (yield from _from_both_ends(old, chosen, "", order, ())):
        return
    saved.unread.append(table)
    if stepped:
        for run in _run_ids(old):
            if not (yield from _from_both_ends(old, chosen, "WHERE run = ?", "step", (run,))):
                yield from _one_by_one(old, f"{chosen} WHERE run = ? AND step = ?", (run,))
    elif order == "rowid":
        yield from _one_by_one(old, f"{chosen} WHERE rowid = ?", ())


def _from_both_ends(
    old: sqlite3.Connection, chosen: str, where: str, order: str, about: Row
) -> Generator[Row, None, bool]:
    """Up to what cannot be read. Returns True where that is nothing."""
    for direction in ("", " DESC"):
        by = ", ".join(f"{name}{direction}" for name in order.split(", "))
        try:
            yield from old.execute(f"{chosen} {where} ORDER BY {by}", about)
        except (sqlite3.DatabaseError, UnicodeError):
            continue
        return True
    return False


def _one_by_one(old: sqlite3.Connection, chosen: str, about: Row) -> Iterator[Row]:
    misses = 0
    for number in range(MOST_TRIED):
        row = None
        with suppress(sqlite3.DatabaseError, UnicodeError):
            row = old.execute(chosen, (*about, number)).fetchone()
        misses = 0 if row else misses + 1
        if row:
            yield row
        elif misses > 1000:  # rows of more than one page: beyond the last
            return


def _run_ids(old: sqlite3.Connection) -> list[str]:
    found: set[str] = set()
    for row in _from_both_ends(old, "SELECT id FROM runs", "", "rowid", ()):
        found.add(row[0])
    for row in _one_by_one(old, "SELECT id FROM runs WHERE rowid = ?", ()):
        found.add(row[0])
    return sorted(found)


def _compare(old: sqlite3.Connection, db: sqlite3.Connection, saved: Salvaged) -> None:
    """What is not as it was sealed; runs that lack some of it say so, and one that lacks steps can make them again."""
    with suppress(sqlite3.DatabaseError, UnicodeError):
        then, now = seals.kept(old), seals.found(db)
        saved.lost = {one for one in then.keys() | now.keys() if then.get(one, 0) != now.get(one, 0)}
    db.execute("DELETE FROM runs WHERE origin = 'reference'")  # they come with the program, whole
    incomplete = {one.run for one in saved.lost} | {run for run, *_ in db.execute("SELECT id FROM runs")}
    for run in sorted(incomplete):
        for step, status in db.execute("SELECT step, status FROM runs WHERE id = ?", (run,)).fetchall():
            whole = _unbroken(db, run)
            if whole < step:
                message = prose("store")["steps-lost"].format(step=whole)
                db.execute("DELETE FROM steps WHERE run = ? AND step >= ?", (run, whole))
                db.execute(
                    "UPDATE runs SET step = ?, status = ?, message = ? WHERE id = ?",
                    (whole, "failed" if status != "queued" else status, message, run),
                )
                saved.lost.add(Sealed("steps", run))
            elif any(one.run == run and one.table not in ("answers", "seals") for one in saved.lost):
                db.execute("UPDATE runs SET message = ? WHERE id = ?", (prose("store")["rows-lost"], run))


def _unbroken(db: sqlite3.Connection, run: str) -> int:
    """Steps from the first on, without a gap."""
    steps = [step for (step,) in db.execute("SELECT step FROM steps WHERE run = ? ORDER BY step", (run,))]
    return next((nth for nth, step in enumerate(steps) if nth != step), len(steps))
