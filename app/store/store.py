"""Runs, their events and their results: tables of one file, weights beside it.

Only the server or the command line opens the file; workers send events and write weights.
"""

import shutil
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from app.base.prose import prose
from app.base.settings import ASSETS, Settings
from app.store.answer_table import AnswerTable
from app.store.database import Database
from app.store.event_log import EventLog
from app.store.files import checkpoints
from app.store.files.bundled_answers import BundledAnswers
from app.store.files.checkpoints import Digests, Weights, momentum_file, weights_file
from app.store.files.references import Recording, recordings
from app.store.files.references import digests as bundled_digests
from app.store.owner_table import OwnerTable
from app.store.run import Run
from app.store.run_group import RunGroup, grouped
from app.store.run_table import RunTable
from app.values.events import Event
from app.values.run_spec import RunSpec, net_title

BUNDLED = BundledAnswers()  # one file for all stores of this process


class About(NamedTuple):
    """A run's spec (None: no run), its folder of weights, its steps per epoch, and the weights' SHA-256 by step."""

    spec: RunSpec | None = None
    folder: Path = Path()
    epoch_steps: int = 0
    digests: tuple[tuple[int, str], ...] = ()


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
        told = list(self._database.notices)
        if unreadable := self.runs.unreadable:
            told.append(prose("store")["unreadable"].format(count=len(unreadable), runs=", ".join(unreadable[:5])))
        return " ".join(told)

    @property
    def identity(self) -> str:
        """A name that no other store has, and that stays."""
        return self._database.identity

    @property
    def changes(self) -> int:
        """Of any run's columns and cuts; what is measured is not counted."""
        return self._database.changes

    def settle(self) -> None:
        """Bring what was written into the file itself, so that a copy of the file alone has it."""
        self._database.settle()

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
        """Enter every reference run that is not there yet, and anew what is damaged of those that are."""
        if self._references is None:
            return
        known = {run.id for run in self.runs.all() if run.origin == "reference"}
        for run in known & {sealed.run for sealed in self._database.broken}:
            self.runs.delete(run)
            self.events.forget(run)
        damaged = []
        for told in recordings(self._references, {run.id for run in self.runs.all()}):
            if isinstance(told, Recording):
                self.runs.insert(told.run, told.name, told.spec, "reference", told.created)
                self.events.record(told.run, 0, told.events)
            else:
                damaged.append(told)
        if damaged:
            self._database.notices.append(prose("store")["references"].format(runs=", ".join(damaged)))

    def miss_runs(self) -> None:
        """Say so where the file is new, and weights of runs lie beside it."""
        lost = self.weights.of_runs()
        if lost and not any(run.origin != "reference" for run in self.runs.all()) and not self.runs.unreadable:
            self._database.notices.append(prose("store")["orphans"].format(count=len(lost)))

    def digests(self, run: str) -> dict[int, Digests]:
        """Of the weights that a run may be asked about or go on from, by step; a program of before wrote none."""
        return bundled_digests(self.weights.folder(run)) if self.weights.bundled(run) else self.events.digests(run)

    def about(self, run: str) -> About:
        """What a question about a run is about; of none, where `run` is empty. Raises KeyError."""
        if not run:
            return About()
        known = self.runs.get(run)
        digests = tuple((step, digests.weights) for step, digests in self.digests(run).items())
        return About(known.spec, self.weights.folder(run), known.epoch_steps, digests)

    def fall_back(self, run: str, why: str) -> None:
        """Have a run whose newest checkpoint is damaged go on from the one before it, or from the beginning."""
        folder, damaged = self.weights.folder(run), self.runs.get(run).checkpoint or 0
        before = [
            step
            for step, digests in self.events.digests(run).items()
            if step < damaged and digests.momentum
            if weights_file(folder, step).is_file() and momentum_file(folder, step).is_file()
        ]
        step = max(before, default=None)
        message = prose("store")["fallen-back"].format(damaged=damaged, why=why, step=step or 0)
        self.runs.update(run, checkpoint=step, message=message[:500])

    def fork(self, run: str, owner: str) -> Run:
        """A paused run of that owner's that is where `run` was at its newest checkpoint, its weights and all.

        Raises OSError where the disk refuses.
        """
        for last in (False, True):
            first = self.runs.get(run)
            new = self.runs.new_id(first.spec)
            try:
                checkpoints.copy(self.weights.folder(run), self.weights.folder(new), first.checkpoint)
                break
            except FileNotFoundError:  # a newer checkpoint has taken its place meanwhile
                if last:
                    raise
        self.events.fork(first, new, owner)
        return self.runs.get(new)

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
        """Delete the files of weights that neither an analysis nor a resumption needs.

        While a run trains, the checkpoint before the newest is kept too: the newest may turn out to be damaged.
        """
        kept = self.runs.get(run)
        newest, moments = kept.checkpoint, set(self.events.moments(run))
        if newest is not None and not self.weights.bundled(run):
            known = [step for step, digests in self.events.digests(run).items() if step < newest and digests.momentum]
            spare = max(known, default=None) if kept.active else None
            checkpoints.prune(self.weights.folder(run), newest, moments, spare)
            self.events.forget_digests(run, {*moments, newest, *([] if spare is None else [spare])})

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
    store.miss_runs()
    store.settle()
    return store
