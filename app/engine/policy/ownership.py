"""Whose a run is, and what that lets a visitor do with it: decided here, for every way in.

The doors of the engine (`app.engine.run_desk`, `question_desk`, `arrivals`) ask before they do anything; pages ask to
know which buttons to draw.
"""

from typing import Literal

from app.base.settings import Settings
from app.engine.policy.limits import RefusedError, no_such_data
from app.engine.policy.visitor import Visitor
from app.engine.weight_downloads import BIG_NETS
from app.store.run import Run, Status
from app.store.store import Store
from app.values import datasets
from app.values.datasets import DataSet
from app.values.run_spec import RunSpec

Verb = Literal["pause", "resume", "cancel", "cut", "rename", "delete", "pin"]
JOINED: tuple[Status, ...] = ("queued", "running", "finished", "diverged")  # what a run is that another may share


class Ownership:
    """What the setting `others` lets each do. Safe to use from several threads."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings, self._store = settings, store

    def sees(self, by: Visitor, run: Run) -> bool:
        """True if a run may be shown, asked about, fed and taken away: what hides one hides it from all of these."""
        if self._sees_all(by):
            return True
        mine = by.owner in self._store.owners.holders(run)
        return run.origin == "reference" or mine or any(net.became(run) for net in BIG_NETS)

    def runs(self, by: Visitor) -> list[Run]:
        """All that they see: pinned ones, then the newest first."""
        return [run for run in sorted(self._store.runs.all(), key=lambda run: not run.pinned) if self.sees(by, run)]

    def run(self, run: str, by: Visitor) -> Run:
        """The run of this id. Raises KeyError where there is none, and in the same words where it is hidden."""
        found = self._store.runs.get(run)
        if not self.sees(by, found):
            raise self._store.runs.unknown(run)
        return found

    def allowed(self, verb: Verb, run: str, by: Visitor) -> Run:
        """The run, for somebody who may do that with it. Raises KeyError as `run` does, RefusedError saying why not."""
        found = self.run(run, by)
        if why := self._why_not(verb, found, by):
            raise RefusedError(why, "others")
        return found

    def may(self, verb: Verb, run: Run, by: Visitor) -> bool:
        """The same as a yes or no, to draw a button by."""
        return self.sees(by, run) and not self._why_not(verb, run, by)

    def data_sets(self, by: Visitor) -> dict[str, DataSet]:
        """The uploaded data sets that they see, by name."""
        everything = {dataset.name: dataset for dataset in datasets.uploaded(self.settings.store)}
        if self._sees_all(by):
            return everything
        sent = self._sent(by)
        return {name: dataset for name, dataset in everything.items() if name in sent}

    def check_data(self, name: str, by: Visitor) -> None:
        """Raise RefusedError where an upload is not here, and in the same words where it is another's and hidden."""
        if name not in datasets.NAMED and not self._sees_all(by) and name not in self._sent(by):
            raise no_such_data(name)

    def same(self, spec: RunSpec, by: Visitor) -> Run | None:
        """The run that is already what they ask for, if there is one that they may come to share.

        Trained here by the same spec, whole, or on its way. Where others are hidden only their own and the machine's:
        it would tell that, and when, somebody else has asked. The command line asks to train, and does.
        """
        if by.role == "machine":
            return None
        return next((run for run in self._store.runs.all(JOINED) if self._is_wished(run, spec, by)), None)

    def _is_wished(self, run: Run, spec: RunSpec, by: Visitor) -> bool:
        threads = spec.threads or run.spec.threads
        if run.origin != "trained" or run.spec != spec.model_copy(update={"threads": threads}):
            return False
        if run.cut_asked is not None or run.until is not None or self._store.events.cuts(run.id):
            return False
        return self._sees_all(by) or not run.owner or by.owner in self._store.owners.holders(run)

    def shared(self, run: Run, by: Visitor) -> bool:
        """True if somebody else has the run, too, so that what `by` does must not change it."""
        if by.keeps_order or self.settings.others == "change":
            return False
        return any(owner != by.owner for owner in self._store.owners.holders(run))

    def looks_after(self, owner: str, by: Visitor) -> bool:
        """True if what this owner began is theirs to end."""
        return by.keeps_order or self.settings.others == "change" or owner == by.owner

    def check_teacher(self, by: Visitor) -> None:
        """Raise RefusedError for all but those who look after the class."""
        if not by.keeps_order:
            raise RefusedError("that is for the teacher: give the key on the page Class", "teacher_key")

    def _sees_all(self, by: Visitor) -> bool:
        return by.keeps_order or self.settings.others != "hide"

    def _sent(self, by: Visitor) -> set[str]:
        return {name for name, owner in self._store.owners.uploads() if owner == by.owner}

    def _why_not(self, verb: Verb, run: Run, by: Visitor) -> str:
        """A sentence; empty where they may."""
        if run.origin == "reference":
            named = verb == "rename" and self.looks_after(run.owner, by)
            return "" if named else f"{run.name} is a reference run: it comes with the program and stays as it is"
        if by.keeps_order:
            return ""
        if verb == "pin":
            return "runs are pinned by the teacher"
        if run.pinned:
            return f"{run.name} is pinned: only the teacher changes it"
        if self.looks_after(run.owner, by) or (verb != "rename" and by.owner in self._store.owners.sharers(run.id)):
            return ""
        return f"{run.name} is another's run: on this server each changes their own only"
