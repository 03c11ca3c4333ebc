"""Runs, their events and their results: tables of one file, weights beside it.

Only the server or the command line opens the file; workers send events and write weights.
"""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from app.base.settings import ASSETS, Settings
from app.store.answer_table import AnswerTable
from app.store.database import Database
from app.store.event_log import EventLog
from app.store.files import checkpoints
from app.store.files.bundled_answers import BundledAnswers
from app.store.files.checkpoints import Weights
from app.store.files.references import recordings
from app.store.owner_table import OwnerTable
from app.store.run import Run
from app.store.run_group import RunGroup, grouped
from app.store.run_table import RunTable
from app.values.events import Event
from app.values.run_spec import RunSpec, net_title

BUNDLED = BundledAnswers()  # one file for all stores of this process


class Store:
    """The store in one folder: `runs`, `events`, `answers`, `weights`, `owners`. Safe to use from several threads."""

    def __init__(self, folder: Path, references: Path | None = None) -> None:
        self.folder = folder
        self._references = references
        self._database = Database(folder)
        self.runs = RunTable(self._database)
        self.events = EventLog(self._database, self.runs)
        self.answers = AnswerTable(self._database, BUNDLED)
        self.owners = OwnerTable(self._database)
        self.weights = Weights(folder / "weights", references)

    @property
    def notice(self) -> str:
        """What is to be said of how the store was found; empty: nothing."""
        return self._database.notice

    @property
    def identity(self) -> str:
        """A name that no other store has, and that stays."""
        return self._database.identity

    @property
    def changes(self) -> int:
        """Of any run's columns and cuts; what is measured is not counted."""
        return self._database.changes

    def close(self) -> None:
        """Write what is pending and let the file go."""
        self._database.close()

    def enter_import(self, run: str, name: str, spec: RunSpec, events: Sequence[Event], owner: str = "") -> Run:
        """A run that was trained elsewhere, under an id from `new_id`; its weights are in its folder already."""
        self.runs.insert(run, name or net_title(spec.net), spec, "imported", time.time(), owner)
        self.events.record(run, 0, events)
        return self.runs.get(run)

    def group(self, run: Run) -> list[Run]:
        """The runs that stand in one group with this one, itself among them, by seed: as the list of runs has them."""
        groups = self.groups([other for other in self.runs.all() if other.kin == run.kin])
        return next((list(group.runs) for group in groups if run.id in group.ids), [run])

    def group_of_each(self, runs: Sequence[Run]) -> tuple[tuple[Run, ...], ...]:
        """The group of each; alone where two seeds of one spec are looked at side by side."""
        chosen = Counter(run.alike for run in runs)
        return tuple((run,) if chosen[run.alike] > 1 else tuple(self.group(run)) for run in runs)

    def groups(self, runs: Sequence[Run]) -> list[RunGroup]:
        """All of `runs`, newest first, as their groups; a seed that was trained again has the older run in another."""
        return grouped(runs, lambda run: bool(self.events.cuts(run.id)))

    def adopt_references(self) -> None:
        """Enter every reference run that is not there yet."""
        if self._references is not None:
            for told in recordings(self._references, {run.id for run in self.runs.all()}):
                self.runs.insert(told.run, told.name, told.spec, "reference", told.created)
                self.events.record(told.run, 0, told.events)

    def delete(self, run: str) -> None:
        """Forget a run and its weights. Reference runs stay. Raises ValueError while it is queued or running."""
        doomed = self.runs.get(run)
        if doomed.active:
            raise ValueError(f"{doomed.name} is {doomed.status}: stop it before deleting it")
        if doomed.origin == "reference":
            raise ValueError(f"{doomed.name} is a reference run and comes with the program")
        self.runs.delete(run)
        self.events.forget(run)
        shutil.rmtree(self.weights.folder(run), ignore_errors=True)

    def prune(self, run: str) -> None:
        """Delete the files of weights that neither an analysis nor a resumption needs."""
        newest = self.runs.get(run).checkpoint
        if newest is not None:
            checkpoints.prune(self.weights.folder(run), newest, set(self.events.moments(run)))

    def size(self) -> int:
        """Bytes of everything in the store's folder; pages that the file has free are not counted."""
        free = self._database.rows(
            "SELECT freelist_count * page_size AS free FROM pragma_freelist_count, pragma_page_size"
        )
        files = (path.lstat() for path in self.folder.rglob("*") if path.is_file())
        return sum(file.st_size for file in files) - int(free[0]["free"])


def open_store(settings: Settings) -> Store:
    """The store of these settings, the reference runs in it. Raises StoreError where it cannot be used."""
    store = Store(settings.store, ASSETS / "reference")
    store.adopt_references()
    return store
