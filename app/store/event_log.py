"""The events of runs, in order: written once, superseded from the checkpoint on that a run went on from.

(run, step) is unique: a resumed run's events take the place of those after the checkpoint it went on from.
"""

import math
import sqlite3
from collections.abc import Sequence
from contextlib import suppress

import numpy as np

from app.store.database import Database
from app.store.files.checkpoints import Digests
from app.store.history import History
from app.store.run_table import RunTable
from app.values.cut_spec import CutSpec
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

MOST_HISTORIES = 48  # in memory: a race of four nets and ten seeds is 40
# What a run that goes on from a step measures and keeps anew: the tables, and their rows in terms of that step.
SUPERSEDED = (("steps", ">="), ("epochs", ">"), ("moments", ">"), ("digests", ">"), ("outcomes", None))


class EventGapError(RuntimeError):
    """Events are missing before the ones given: the run must go on from its checkpoint."""


class EventLog:
    """What was measured in every run. Safe to use from several threads."""

    def __init__(self, database: Database, runs: RunTable) -> None:
        self._database, self._runs = database, runs
        self._histories: dict[str, History] = {}

    def record(self, run: str, attempt: int, events: Sequence[Event]) -> None:
        """Append events in order, all or none. Those of an attempt that is no longer current are passed over.

        Raises EventGapError where a step before them is missing, StoreError where the disk is full.
        """
        with self._database.transaction() as db:
            row = db.execute("SELECT attempt, step FROM runs WHERE id = ?", (run,)).fetchone()
            if row is None or row["attempt"] != attempt:
                return
            step: int = row["step"]
            for event in events:
                step = self._apply(db, run, step, event)
            db.execute("UPDATE runs SET step = ? WHERE id = ?", (step, run))
        with self._database.lock:
            for event in events:
                if isinstance(event, RunStarted | BlockCut):
                    self._histories.pop(run, None)
                    self._database.changes += 1

    @staticmethod
    def _apply(db: sqlite3.Connection, run: str, step: int, event: Event) -> int:
        """Write one event; returns the updates made after it."""
        if isinstance(event, RunStarted):
            if event.step > step:
                raise EventGapError(f"{run} went on from step {event.step}, but only {step} are known")
            for table, since in SUPERSEDED:
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
            _save(db, run, event)
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
        with self._database.lock:
            history = self._histories.get(run)
            if history is None:
                history = self._histories[run] = History(self._runs.get(run).started, self.cuts(run))
            if len(self._histories) > MOST_HISTORIES:  # the oldest one goes; it can be read again
                self._histories.pop(next(name for name in self._histories if name != run))
            history.extend(
                _unbroken(
                    history.next_step,
                    self._database.rows(
                        "SELECT step, loss, error, lr, seconds, norms FROM steps WHERE run = ? AND step >= ? "
                        "ORDER BY step",
                        *(run, history.next_step),
                    ),
                ),
                self._database.rows(
                    "SELECT * FROM epochs WHERE run = ? AND step > ? ORDER BY step", run, history.last_epoch
                ),
            )
            if history.started is None:
                history.started = self._runs.get(run).started
            return history

    def steps(self, run: str, begin: int, count: int) -> list[StepMeasured]:
        """Up to `count` steps from `begin` on, as they were measured."""
        rows = self._database.rows(
            "SELECT * FROM steps WHERE run = ? AND step >= ? ORDER BY step LIMIT ?", run, begin, count
        )
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
        rows = self._database.rows("SELECT * FROM epochs WHERE run = ? ORDER BY step", run)
        fields = [field for field in EpochEvaluated.model_fields if field != "kind"]
        return [
            EpochEvaluated.model_validate({field: math.nan if row[field] is None else row[field] for field in fields})
            for row in rows
        ]

    def cuts(self, run: str) -> list[BlockCut]:
        """What was cut while the run trained, or put back, in order."""
        rows = self._database.rows("SELECT * FROM cuts WHERE run = ? ORDER BY step", run)
        cuts = []
        for row in rows:
            with suppress(ValueError):  # a damaged one: the store has said so, and pages stand
                cuts.append(BlockCut(step=row["step"], cut=CutSpec.parse(row["cut"])))
        return cuts

    def diverged(self, run: str) -> RunDiverged | None:
        """How the run diverged, if it did."""
        rows = self._database.rows("SELECT event FROM outcomes WHERE run = ?", run)
        with suppress(ValueError):  # as above
            return RunDiverged.model_validate_json(rows[0]["event"]) if rows else None
        return None

    def moments(self, run: str) -> list[int]:
        """Steps whose weights are kept for analyses, in order."""
        return [row["step"] for row in self._database.rows("SELECT step FROM moments WHERE run = ? ORDER BY step", run)]

    def digests(self, run: str) -> dict[int, Digests]:
        """Of the checkpoints that a run may be asked about or go on from, by step; older programs wrote none."""
        rows = self._database.rows("SELECT step, weights, momentum FROM digests WHERE run = ? ORDER BY step", run)
        return {row["step"]: Digests(row["weights"], row["momentum"]) for row in rows}

    def forget_digests(self, run: str, wanted: set[int]) -> None:
        """Let go of those whose files were deleted: all but the wanted steps'."""
        if gone := [step for step in self.digests(run) if step not in wanted]:
            with self._database.transaction() as db:
                db.executemany("DELETE FROM digests WHERE run = ? AND step = ?", [(run, step) for step in gone])

    def forget(self, run: str) -> None:
        """Let go of what is remembered of a run that was deleted."""
        with self._database.lock:
            self._histories.pop(run, None)


def _save(db: sqlite3.Connection, run: str, event: CheckpointSaved) -> None:
    db.execute("UPDATE runs SET checkpoint = ? WHERE id = ?", (event.step, run))
    db.execute("DELETE FROM digests WHERE run = ? AND step = ?", (run, event.step))
    if event.weights:
        db.execute("INSERT INTO digests VALUES (?, ?, ?, ?)", (run, event.step, event.weights, event.momentum))
    if event.moment:
        db.execute("INSERT OR IGNORE INTO moments VALUES (?, ?)", (run, event.step))


def _unbroken(begin: int, rows: list[sqlite3.Row]) -> list[sqlite3.Row]:
    """The rows of the steps from `begin` on, up to one that is missing: a history's rows are its steps."""
    if rows and rows[-1]["step"] == begin + len(rows) - 1:
        return rows
    return [row for nth, row in enumerate(rows) if row["step"] == begin + nth]
