"""A run as the store knows it."""

import sqlite3
from functools import lru_cache
from hashlib import blake2b
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from app.values.cut_spec import CutSpec
from app.values.events import RunStarted
from app.values.run_spec import RunSpec

Status = Literal["queued", "running", "paused", "finished", "diverged", "failed", "cancelled"]
ACTIVE: tuple[Status, ...] = ("queued", "running")


class Run(BaseModel):
    """One run as the store knows it. `step`: updates made; `total`: updates asked for (0: not yet known)."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    spec: RunSpec
    status: Status
    origin: Literal["trained", "reference", "imported"]
    created: float
    attempt: int
    until: int | None
    message: str
    step: int
    checkpoint: int | None
    started: RunStarted | None
    owner: str  # the browser that asked for it, see app/ui/page/visitor.py; empty: the command line
    pinned: bool
    cut_asked: CutSpec | None  # to go on with, and not yet in force
    alike: str  # the same for runs whose specs differ in the seed alone

    @property
    def total(self) -> int:
        """Updates asked for, once the run has started; else 0."""
        return self.started.total_steps if self.started else 0

    @property
    def epoch_steps(self) -> int:
        """Updates of an epoch, once the run has started; else 0."""
        return self.started.epoch_steps if self.started else 0

    @property
    def active(self) -> bool:
        """True while it waits or trains."""
        return self.status in ACTIVE

    @property
    def has_weights(self) -> bool:
        """True once weights of it are kept."""
        return self.checkpoint is not None or self.origin == "imported"

    @property
    def can_be_cut(self) -> bool:
        """True if its weights are this program's own and it has steps to make."""
        return self.origin == "trained" and self.status not in ("finished", "diverged")

    @property
    def kin(self) -> tuple[str, str, str]:
        """Equal for one owner's runs that differ in the seed alone."""
        return self.owner, self.origin, self.alike

    @property
    def stands_alone(self) -> bool:
        """True for a run that is no seed of a group: it failed, was cancelled, or was trained elsewhere."""
        return self.origin == "imported" or self.status in ("failed", "cancelled")

    @property
    def settled(self) -> RunSpec:
        """Its spec, with the device, precision and threads that its first start resolved."""
        if self.started is None or self.origin == "imported":
            return self.spec
        started = self.started
        resolved = {"device": started.device, "precision": started.precision, "threads": started.threads}
        return self.spec.model_copy(update=resolved)

    @classmethod
    def read(cls, row: sqlite3.Row) -> Self:
        """A row of the store's table of runs."""
        started = _started(row["started"]) if row["started"] else None
        asked = None if row["cut_asked"] is None else CutSpec.parse(row["cut_asked"])
        own = {"spec": _spec(row["spec"]), "started": started, "cut_asked": asked, "alike": _alike(row["spec"])}
        return cls.model_validate({**dict(row), **own})


# A page that watches runs reads them every second, in every session; their specs do not change.
_spec = lru_cache(maxsize=512)(RunSpec.model_validate_json)
_started = lru_cache(maxsize=512)(RunStarted.model_validate_json)


@lru_cache(maxsize=512)
def _alike(spec: str) -> str:
    return blake2b(_spec(spec).but_for_seed.model_dump_json().encode(), digest_size=9).hexdigest()
