"""Runs, their events and their results: tables of one file, weights beside it.

Only the server or the command line opens the file; workers send events and write weights. (run, step) is unique:
a resumed run's events take the place of those after the checkpoint it went on from.
"""

import math
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from app.store import checkpoints
from app.values.cut_spec import CutSpec
from app.store.database import Database, StoreError
from app.values.events import (
    BlockCut,
    CheckpointSaved,
    EpochEvaluated,
    Event,
    RunDiverged,
    RunFinished,
    RunStarted,
    RunStopped,
    StepMeasured,
)
from app.store.history import History
from app.store.run import Run, Status
from app.values.run_spec import RunSpec, net_title


class EventGapError(RuntimeError):
    """Events are missing before the ones given: the run must go on from its checkpoint."""


class Store(Database):
    """The store in one folder. Safe to use from several threads of one process."""

    def __init__(self, folder: Path, references: Path | None = None) -> None:
        self.changes = 0  # of any run's columns and cuts; what is measured is not counted
        self.references = references
        self._histories: dict[str, History] = {}
        self._nicknames: dict[str, str] | None = None  # read once, and again after a change
        super().__init__(folder)

    # ── runs ──

    def create(self, spec: RunSpec, name: str = "", owner: str = "") -> Run:
        """A new run, queued."""
        run = self.new_id(spec)
        self._insert(run, name or net_title(spec.net), spec, "trained", time.time(), owner)
        return self.run(run)

    @staticmethod
    def new_id(spec: RunSpec) -> str:
        """An id that no run has yet."""
        return f"{spec.net.name}-{secrets.token_hex(4)}"

    def _insert(self, run: str, name: str, spec: RunSpec, origin: str, created: float, owner: str = "") -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO runs (id, name, spec, status, origin, created, owner) VALUES (?, ?, ?, 'queued', ?, ?, ?)",
                (run, name[:80], spec.model_dump_json(), origin, created, owner),
            )

    def enter_reference(self, run: str, name: str, spec: RunSpec, created: float, events: Sequence[Event]) -> None:
        """A reference run and all its events, under its own name."""
        self._insert(run, name, spec, "reference", created)
        self.record(run, 0, events)

    def enter_import(self, run: str, name: str, spec: RunSpec, events: Sequence[Event], owner: str = "") -> Run:
        """A run that was trained elsewhere, under an id from `new_id`; its weights are in its folder already."""
        self._insert(run, name or net_title(spec.net), spec, "imported", time.time(), owner)
        self.record(run, 0, events)
        return self.run(run)

    def run(self, run: str) -> Run:
        """The run with this id. Raises KeyError with a sentence."""
        rows = self._rows("SELECT * FROM runs WHERE id = ?", run)
        if not rows:
            raise KeyError(f"there is no run {run[:60]!r} in this store")
        return Run.read(rows[0])

    def runs(self, status: Iterable[Status] | None = None) -> list[Run]:
        """All runs, or those of some statuses, newest first."""
        rows = self._rows("SELECT * FROM runs ORDER BY origin = 'reference', created DESC, rowid DESC")
        wanted = None if status is None else set(status)
        return [Run.read(row) for row in rows if wanted is None or row["status"] in wanted]

    def rename(self, run: str, name: str) -> None:
        """Give a run another name, at most 80 characters."""
        with self._transaction() as db:
            db.execute("UPDATE runs SET name = ? WHERE id = ?", (" ".join(name.split())[:80] or run, run))

    def delete(self, run: str) -> None:
        """Forget a run and its weights. Reference runs stay. Raises ValueError while it is queued or running."""
        found = self.run(run)
        if found.active:
            raise ValueError(f"{found.name} is {found.status}: stop it before deleting it")
        if found.origin == "reference":
            raise ValueError(f"{found.name} is a reference run and comes with the program")
        with self._transaction() as db:
            db.execute("DELETE FROM runs WHERE id = ?", (run,))
            self._histories.pop(run, None)
        self.changes += 1
        shutil.rmtree(self.weights_folder(run), ignore_errors=True)

    def update(self, run: str, **values: Any) -> None:
        """Set columns of a run: status, message, attempt, until, spec, pinned, cut_asked."""
        if isinstance(values.get("spec"), RunSpec):
            values["spec"] = values["spec"].model_dump_json()
        with self._transaction() as db:
            columns = ", ".join(f"{column} = ?" for column in values)
            db.execute(f"UPDATE runs SET {columns} WHERE id = ?", (*values.values(), run))
        self.changes += 1

    # ── events ──

    def record(self, run: str, attempt: int, events: Sequence[Event]) -> None:
        """Append events in order, all or none. Those of an attempt that is no longer current are passed over.

        Raises EventGapError where a step before them is missing, StoreError where the disk is full.
        """
        try:
            with self._transaction() as db:
                row = db.execute("SELECT attempt, step FROM runs WHERE id = ?", (run,)).fetchone()
                if row is None or row["attempt"] != attempt:
                    return
                step: int = row["step"]
                for event in events:
                    step = self._apply(db, run, step, event)
                db.execute("UPDATE runs SET step = ? WHERE id = ?", (step, run))
        except sqlite3.OperationalError as error:
            raise StoreError(f"events could not be written: {error}") from error
        with self._lock:
            for event in events:
                if isinstance(event, RunStarted | BlockCut):
                    self._histories.pop(run, None)
                    self.changes += 1

    @staticmethod
    def _apply(db: sqlite3.Connection, run: str, step: int, event: Event) -> int:
        """Write one event; returns the updates made after it."""
        if isinstance(event, RunStarted):
            if event.step > step:
                raise EventGapError(f"{run} went on from step {event.step}, but only {step} are known")
            for table, since in (("steps", ">="), ("epochs", ">"), ("moments", ">"), ("outcomes", None)):
                where = "" if since is None else f" AND step {since} {event.step:d}"
                db.execute(f"DELETE FROM {table} WHERE run = ?{where}", (run,))
            db.execute(
                "UPDATE runs SET started = ?, status = iif(status = 'queued', 'running', status) WHERE id = ?",
                (event.model_dump_json(), run),
            )
            return event.step
        if isinstance(event, StepMeasured):
            if event.step != step:
                raise EventGapError(f"{run} sent step {event.step} where step {step} was due")
            norms = np.asarray(event.norms, "<f4").tobytes()
            row = (run, event.step, event.loss, event.error, event.lr, event.seconds, norms)
            db.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            return step + 1
        if isinstance(event, EpochEvaluated):
            row2 = (event.epoch, event.test_error, event.test_loss, event.test_images, event.images_per_second)
            db.execute("INSERT OR REPLACE INTO epochs VALUES (?, ?, ?, ?, ?, ?, ?)", (run, event.step, *row2))
        elif isinstance(event, CheckpointSaved):
            db.execute("UPDATE runs SET checkpoint = ? WHERE id = ?", (event.step, run))
            if event.moment:
                db.execute("INSERT OR IGNORE INTO moments VALUES (?, ?)", (run, event.step))
        elif isinstance(event, RunDiverged):
            db.execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", (run, event.model_dump_json()))
            message = f"{event.what} of {event.layer} not finite at step {event.step}; everything up to there was kept"
            db.execute("UPDATE runs SET status = 'diverged', message = ? WHERE id = ?", (message, run))
        elif isinstance(event, RunFinished):
            db.execute("UPDATE runs SET status = 'finished' WHERE id = ?", (run,))
        elif isinstance(event, RunStopped):
            db.execute("UPDATE runs SET status = 'paused' WHERE id = ? AND status = 'running'", (run,))
        elif isinstance(event, BlockCut):  # it takes the place of what was to come
            db.execute("DELETE FROM cuts WHERE run = ? AND step >= ?", (run, event.step))
            db.execute("INSERT INTO cuts VALUES (?, ?, ?)", (run, event.step, str(event.cut)))
            db.execute("UPDATE runs SET cut_asked = NULL WHERE id = ? AND cut_asked = ?", (run, str(event.cut)))
        return step

    def history(self, run: str) -> History:
        """Everything measured in a run so far; kept in memory and only ever extended by what is new."""
        with self._lock:
            history = self._histories.get(run)
            if history is None:
                history = self._histories[run] = History(self.run(run).started, self.cuts(run))
            if len(self._histories) > 24:  # the oldest one goes; it can be read again
                self._histories.pop(next(name for name in self._histories if name != run))
            history.extend(
                self._rows(
                    "SELECT loss, error, lr, seconds, norms FROM steps WHERE run = ? AND step >= ? ORDER BY step",
                    *(run, history.next_step),
                ),
                self._rows("SELECT * FROM epochs WHERE run = ? AND step > ? ORDER BY step", run, history.last_epoch),
            )
            if history.started is None:
                history.started = self.run(run).started
            return history

    def steps(self, run: str, begin: int, count: int) -> list[StepMeasured]:
        """Up to `count` steps from `begin` on, as they were measured."""
        rows = self._rows("SELECT * FROM steps WHERE run = ? AND step >= ? ORDER BY step LIMIT ?", run, begin, count)
        return [
            StepMeasured(
                step=row["step"],
                loss=math.nan if row["loss"] is None else row["loss"],
                error=row["error"],
                lr=row["lr"],
                seconds=row["seconds"],
                norms=tuple(np.frombuffer(row["norms"], "<f4").tolist()),
            )
            for row in rows
        ]

    def epochs(self, run: str) -> list[EpochEvaluated]:
        """Every evaluation of a run, in order."""
        rows = self._rows("SELECT * FROM epochs WHERE run = ? ORDER BY step", run)
        fields = [field for field in EpochEvaluated.model_fields if field != "kind"]
        return [
            EpochEvaluated.model_validate({field: math.nan if row[field] is None else row[field] for field in fields})
            for row in rows
        ]

    def cuts(self, run: str) -> list[BlockCut]:
        """What was cut while the run trained, or put back, in order."""
        rows = self._rows("SELECT * FROM cuts WHERE run = ? ORDER BY step", run)
        return [BlockCut(step=row["step"], cut=CutSpec.parse(row["cut"])) for row in rows]

    def diverged(self, run: str) -> RunDiverged | None:
        """How the run diverged, if it did."""
        rows = self._rows("SELECT event FROM outcomes WHERE run = ?", run)
        return RunDiverged.model_validate_json(rows[0]["event"]) if rows else None

    # ── nicknames ──

    def nicknames(self) -> dict[str, str]:
        """Nickname of each owner who has one."""
        with self._lock:
            if self._nicknames is None:
                self._nicknames = {row["owner"]: row["name"] for row in self._rows("SELECT * FROM nicknames")}
            return dict(self._nicknames)

    def set_nickname(self, owner: str, name: str) -> None:
        """Call an owner by a name; by none, if it is empty. Raises ValueError where somebody else has it."""
        with self._transaction() as db:
            names = self.nicknames()
            if name and any(name.casefold() == own.casefold() for other, own in names.items() if other != owner):
                raise ValueError(f"somebody else is called {name} already: take another name")
            db.execute("DELETE FROM nicknames WHERE owner = ?", (owner,))
            if name:
                db.execute("INSERT INTO nicknames VALUES (?, ?)", (owner, name))
            self._nicknames = None

    # ── weights ──

    def weights_folder(self, run: str) -> Path:
        """Where a run's weights lie."""
        if self.references is not None and (self.references / run / "run.json").exists():
            return self.references / run
        return self.folder / "weights" / run

    def prune(self, run: str) -> None:
        """Delete the files of weights that neither an analysis nor a resumption needs."""
        newest = self.run(run).checkpoint
        if newest is not None:
            checkpoints.prune(self.weights_folder(run), newest, set(self.moments(run)))

    def moments(self, run: str) -> list[int]:
        """Steps whose weights are kept for analyses, in order."""
        return [row["step"] for row in self._rows("SELECT step FROM moments WHERE run = ? ORDER BY step", run)]

    # ── what was sent, and the room it takes ──

    def own_upload(self, name: str, owner: str) -> None:
        """Write down that this browser sent a data set."""
        with self._transaction() as db:
            db.execute("INSERT OR IGNORE INTO uploads VALUES (?, ?)", (name, owner))

    def disown_upload(self, name: str, owner: str) -> bool:
        """Forget that it did. Returns True while somebody else did too."""
        with self._transaction() as db:
            db.execute("DELETE FROM uploads WHERE name = ? AND owner = ?", (name, owner))
        return any(other == name for other, _ in self.uploads())

    def uploads(self) -> list[tuple[str, str]]:
        """The data sets that were sent, each with the browser that sent it."""
        return [(row["name"], row["owner"]) for row in self._rows("SELECT * FROM uploads")]

    def size(self) -> int:
        """Bytes of everything in the store's folder; pages that the file has free are not counted."""
        free = self._rows("SELECT freelist_count * page_size AS free FROM pragma_freelist_count, pragma_page_size")
        files = (path.lstat() for path in self.folder.rglob("*") if path.is_file())
        return sum(file.st_size for file in files) - int(free[0]["free"])

    # ── answers ──

    def answer(self, key: str) -> bytes | None:
        """What was answered to the question of this key, if anything."""
        rows = self._rows("SELECT result FROM answers WHERE key = ?", key)
        return rows[0]["result"] if rows else None

    def has_answer(self, key: str) -> bool:
        """True if there is one: without reading it."""
        return bool(self._rows("SELECT 1 FROM answers WHERE key = ?", key))

    def keep_answer(self, key: str, run: str, question: str, result: bytes) -> None:
        """Keep an answer as long as its run. Raises StoreError where the disk is full or the run is gone."""
        try:
            with self._transaction() as db:
                row = (key, run or None, question, result, time.time())
                db.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)", row)
        except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
            raise StoreError(f"an answer could not be written: {error}") from error
