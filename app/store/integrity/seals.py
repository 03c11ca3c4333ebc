"""Whether the rows of the store's file are the rows that were written.

SQLite notices a damaged page, never a number that has changed in a sound one. Of every table and run the file keeps a
seal: the XOR over the digests of its rows. Triggers of this connection keep it, whoever writes: a row that is written
or deleted goes into it or out of it, and a lost row breaks it as a changed one does.
"""

import sqlite3
from collections import defaultdict
from hashlib import blake2b
from typing import NamedTuple

# Whose rows are sealed together: the column that names the run; none: those of the whole table.
TABLES = {
    "runs": "id",
    "steps": "run",
    "epochs": "run",
    "moments": "run",
    "digests": "run",
    "cuts": "run",
    "outcomes": "run",
    "answers": "run",
    "own_answers": "",
    "identity": "",
    "uploads": "",
    "nicknames": "",
}


class Sealed(NamedTuple):
    """The rows of one table that belong to one run; `run` empty: to none."""

    table: str
    run: str


class Seals:
    """The seals of one connection: what a transaction changes in them is written with it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._changed: defaultdict[Sealed, int] = defaultdict(int)
        self._gone: set[str] = set()
        db.create_function("sealed", -1, self._change)
        db.create_function("unsealed", 1, self._forget)
        db.execute("PRAGMA recursive_triggers = ON")  # else a row that is replaced is never deleted
        for table in TABLES:
            for when, rows in {"INSERT": ("new",), "DELETE": ("old",), "UPDATE": ("old", "new")}.items():
                changes = " ".join(f"SELECT sealed('{table}', {_values(db, table, row)});" for row in rows)
                db.execute(f"CREATE TEMP TRIGGER seal_{table}_{when} AFTER {when} ON main.{table} BEGIN {changes} END")
        # After the rows that a deleted run takes with it: of a damaged run, too, no seal is left.
        db.execute("CREATE TEMP TRIGGER unseal AFTER DELETE ON main.runs BEGIN SELECT unsealed(old.id); END")

    def write(self, db: sqlite3.Connection) -> None:
        """Write what the transaction under way has changed."""
        for (table, run), change in self._changed.items():
            if run not in self._gone:
                row = db.execute("SELECT seal FROM seals WHERE place = ? AND run = ?", (table, run)).fetchone()
                db.execute(
                    "INSERT OR REPLACE INTO seals VALUES (?, ?, ?)", (table, run, change ^ (row[0] if row else 0))
                )
        db.executemany("DELETE FROM seals WHERE run = ?", [(run,) for run in self._gone])
        self.drop()

    def drop(self) -> None:
        """The transaction was undone."""
        self._changed.clear()
        self._gone.clear()

    def _change(self, table: str, run: str | None, *values: object) -> None:
        self._changed[Sealed(table, run or "")] ^= digest(values)

    def _forget(self, run: str) -> None:
        self._gone.add(run)


def digest(values: tuple[object, ...]) -> int:
    """Of a row, 64 bits with a sign: what SQLite keeps as a whole number."""
    found = blake2b(digest_size=8)
    for value in values:
        if isinstance(value, bytes):
            found.update(b"%d:" % len(value))
            found.update(value)
        else:
            found.update(f"{value!r},".encode("utf-8", "replace"))
    return int.from_bytes(found.digest(), "big", signed=True)


def found(db: sqlite3.Connection) -> dict[Sealed, int]:
    """The seals that the rows of a file should have. Raises sqlite3.DatabaseError where they cannot be read."""
    seals: defaultdict[Sealed, int] = defaultdict(int)
    for table in TABLES:
        for run, *values in db.execute(f"SELECT {_values(db, table, table)} FROM {table}"):
            seals[Sealed(table, str(run or ""))] ^= digest(tuple(values))
    return seals


def kept(db: sqlite3.Connection) -> dict[Sealed, int]:
    """The seals that a file has."""
    return {Sealed(str(table), str(run)): seal for table, run, seal in db.execute("SELECT place, run, seal FROM seals")}


def broken(db: sqlite3.Connection) -> list[Sealed]:
    """Those whose rows are not what was written, in order."""
    whole, then = found(db), kept(db)
    return sorted(one for one in whole.keys() | then.keys() if whole.get(one, 0) != then.get(one, 0))


def seal_anew(db: sqlite3.Connection) -> None:
    """Take the rows to be right as they are: in a file of an older version, which has no seals."""
    db.execute("DELETE FROM seals")
    db.executemany("INSERT INTO seals VALUES (?, ?, ?)", [(*one, seal) for one, seal in found(db).items()])


def _values(db: sqlite3.Connection, table: str, row: str) -> str:
    """The run of a row, then all its columns, as SQL."""
    columns = [name for (name,) in db.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    run = f"{row}.{TABLES[table]}" if TABLES[table] else "''"
    return ", ".join([run, *(f"{row}.{name}" for name in columns)])
