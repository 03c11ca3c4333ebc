"""Whether a store is whole: its file, what was measured in each run, the weights that are said to be there.

Nothing is changed, and a server may be using the store meanwhile.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from app.store.database import FILE, beside
from app.store.files import checkpoints
from app.store.files.checkpoints import DamagedError, Digests, check, momentum_file, weights_file
from app.store.integrity import wal
from app.store.integrity.seals import broken


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was written; `run` empty: of no run."""

    what: str  # file, events, answers, weights
    run: str
    told: str

    @property
    def line(self) -> str:
        """On one line."""
        return f"{self.what}: {f'{self.run}: ' if self.run else ''}{self.told}"


def findings(folder: Path, references: Path | None = None) -> Iterator[Finding]:
    """All that is wrong with the store in a folder, and with the reference runs beside the program."""
    path = folder / FILE
    if not path.is_file() or not path.stat().st_size:
        yield Finding("file", "", f"{FILE} {'is empty' if path.is_file() else 'is not there'}")
    else:
        if wal.damaged(beside(path, "-wal")):
            yield Finding("file", "", f"{FILE}-wal is damaged: the last entries are lost")
        try:
            with closing(opened(path)) as db:
                yield from _of_file(db)
                yield from _of_weights(db, folder / "weights")
        except (sqlite3.DatabaseError, UnicodeError) as error:
            yield Finding("file", "", f"{FILE} cannot be read ({error}): python -m app salvage reads what can be")
    if references is not None:
        yield from _of_references(references)


def opened(path: Path) -> sqlite3.Connection:
    """A store's file, to be read only, as it is at this moment. Raises sqlite3.DatabaseError."""
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:  # on a disk that cannot be written there is no log to share
        db = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.text_factory = lambda raw: raw.decode(errors="replace")
    return db


def _of_file(db: sqlite3.Connection) -> Iterator[Finding]:
    for (said,) in db.execute("PRAGMA integrity_check"):
        if said != "ok":
            yield Finding("file", "", str(said).partition("\n")[0])
    db.execute("BEGIN")
    try:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'seals'").fetchone():
            for table, run in broken(db):
                what = "answers" if table == "answers" else "events" if run else "file"
                yield Finding(what, run, f"its rows in the table {table} are not those that were written")
        counted = "SELECT id, step, (SELECT count(*) FROM steps WHERE run = id AND step < runs.step) AS there FROM runs"
        for run, step, there in db.execute(counted):
            if there != step:
                yield Finding("events", str(run), f"{step - there} of its {step} steps are not there")
    finally:
        db.execute("ROLLBACK")


def needed(db: sqlite3.Connection, run: str, newest: int | None) -> dict[int, tuple[Digests, bool]]:
    """By step, what a run may be asked about or go on from: its digests, and whether momentum belongs to it."""
    moments = [row["step"] for row in db.execute("SELECT step FROM moments WHERE run = ?", (run,))]
    known: dict[int, Digests] = {}
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'digests'").fetchone():
        rows = db.execute("SELECT step, weights, momentum FROM digests WHERE run = ?", (run,))
        known = {row["step"]: Digests(row["weights"], row["momentum"]) for row in rows}
    wanted = sorted({*moments, *([] if newest is None else [newest])})
    return {step: (known.get(step, Digests()), step == newest) for step in wanted}


def _of_weights(db: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    known = set()
    for run, newest, status in db.execute(
        "SELECT id, checkpoint, status FROM runs WHERE origin != 'reference'"
    ).fetchall():
        known.add(run)
        for step, (digests, is_newest) in needed(db, run, newest).items():
            files = {weights_file(folder / run, step): digests.weights}
            if is_newest and digests.momentum and status not in ("finished", "diverged"):
                files[momentum_file(folder / run, step)] = digests.momentum
            for file, digest in files.items():
                if told := _wrong(file, digest):
                    now = db.execute("SELECT checkpoint FROM runs WHERE id = ?", (run,)).fetchone()
                    if now is None or (is_newest and now[0] != newest):
                        continue  # the server has gone on meanwhile, and this one was let go
                    yield Finding("weights", run, told)
    for run in sorted({path.name for path in folder.iterdir() if path.is_dir()} - known if folder.is_dir() else ()):
        if checkpoints.kept(folder / run):
            yield Finding("weights", run, "its weights are there, and no run is")


def _of_references(folder: Path) -> Iterator[Finding]:
    from app.store.files.references import digests, recordings

    for told in recordings(folder, ()):
        if isinstance(told, str):
            yield Finding("events", told, "what comes with the program is damaged: restore assets/reference")
    for place in sorted(path.parent for path in folder.glob(f"*/{checkpoints.RECORD}")):
        for step, digest in digests(place).items():
            if wrong := _wrong(weights_file(place, step), digest.weights):
                yield Finding("weights", place.name, wrong)


def _wrong(file: Path, digest: str) -> str:
    """What is wrong with a file of weights; of one without a digest, only that it is not there or empty."""
    try:
        check(file, digest)
        if not file.stat().st_size:
            return f"{file.name} is empty"
    except DamagedError as error:
        return str(error)
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}"
    return ""
