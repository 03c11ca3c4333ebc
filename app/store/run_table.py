"""The runs: a row each, with its spec, its status, whose it is and how far it has come."""

import secrets
import sqlite3
import time
from collections.abc import Iterable
from typing import Any

from app.store.database import Database
from app.store.run import Run, Status
from app.values.run_spec import RunSpec, net_title


class RunTable:
    """The table of runs. Safe to use from several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: tuple[tuple[int, int] | None, list[Run]] = (None, [])
        self.unreadable: tuple[str, ...] = ()  # ids of runs that this program cannot read

    def create(self, spec: RunSpec, name: str = "", owner: str = "") -> Run:
        """A new run, queued."""
        run = self.new_id(spec)
        self.insert(run, name or net_title(spec.net), spec, "trained", time.time(), owner)
        return self.get(run)

    @staticmethod
    def new_id(spec: RunSpec) -> str:
        """An id that no run has yet."""
        return f"{spec.net.name}-{secrets.token_hex(4)}"

    def insert(self, run: str, name: str, spec: RunSpec, origin: str, created: float, owner: str = "") -> None:
        """A run with this id, queued."""
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO runs (id, name, spec, status, origin, created, owner) VALUES (?, ?, ?, 'queued', ?, ?, ?)",
                (run, name[:80], spec.model_dump_json(), origin, created, owner),
            )

    def get(self, run: str) -> Run:
        """The run with this id. Raises KeyError with a sentence."""
        rows = self._database.rows("SELECT * FROM runs WHERE id = ?", run)
        if not rows:
            raise self.unknown(run)
        try:
            return Run.read(rows[0])
        except ValueError as error:
            raise KeyError(f"the run {run[:60]!r} cannot be read by this version of the program") from error

    @staticmethod
    def unknown(run: str) -> KeyError:
        """For a run that is not here, or that is not shown to who asks."""
        return KeyError(f"there is no run {run[:60]!r} in this store")

    def all(self, status: Iterable[Status] | None = None) -> list[Run]:
        """All runs, or those of some statuses, newest first."""
        wanted = None if status is None else set(status)
        return [run for run in self._all() if wanted is None or run.status in wanted]

    def _all(self) -> list[Run]:
        """Read when something has changed: one drawing of a page asks many times."""
        with self._database.lock:
            version, runs = self._database.version, self._read[1]
            if version is None or version != self._read[0]:
                rows = self._database.rows("SELECT * FROM runs ORDER BY origin = 'reference', created DESC, rowid DESC")
                runs, self.unreadable = _read(rows)
                self._read = version, runs
            return runs

    def rename(self, run: str, name: str) -> None:
        """Give a run another name, at most 80 characters."""
        with self._database.transaction() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (" ".join(name.split())[:80] or run, run))

    def update(self, run: str, **values: Any) -> None:
        """Set columns of a run: status, message, attempt, until, spec, pinned, cut_asked."""
        if isinstance(values.get("spec"), RunSpec):
            values["spec"] = values["spec"].model_dump_json()
        with self._database.transaction() as db:
            columns = ", ".join(f"{column} = ?" for column in values)
            db.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), run))
        self._database.changes += 1

    def delete(self, run: str) -> None:
        """Take a run's row away, and with it all rows of its events and answers."""
        with self._database.transaction() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))
        self._database.changes += 1


def _read(rows: Iterable[sqlite3.Row]) -> tuple[list[Run], tuple[str, ...]]:
    """The runs, and the ids of those that a newer program or a damaged disk has written: these hide no others."""
    runs, unreadable = [], []
    for row in rows:
        try:
            runs.append(Run.read(row))
        except ValueError:
            unreadable.append(str(row["id"]))
    return runs, tuple(unreadable)
