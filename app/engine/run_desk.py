"""Where runs are wished for: submit, pause, resume, cut, cancel, and what else one may do with a run.

What then happens to them: `app.engine.run_queue`. Every verb is told who asks, and asks `app.engine.policy.ownership`.
"""

from collections.abc import Mapping, Sequence
from typing import IO

from app.base import logs
from app.base.machine import share
from app.base.settings import Settings
from app.engine.cluster import Cluster
from app.engine.policy import limits
from app.engine.policy.estimates import seconds_left
from app.engine.policy.limits import Refusals, RefusedError
from app.engine.policy.ownership import Ownership, Verb
from app.engine.policy.visitor import Visitor
from app.engine.run_queue import RunQueue
from app.store.run import ACTIVE, Run
from app.store.store import Store
from app.values import datasets
from app.values.cut_spec import CutSpec
from app.values.run_spec import RunSpec

log = logs.events(__name__)


class RunDesk:
    """The door to runs. Everything public may be called from any thread.

    Of a run that `by` does not see, every verb raises KeyError, as of one that is not there; what they may not do with
    one that they see is a RefusedError with a sentence, and the run is as it was.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        cluster: Cluster,
        queue: RunQueue,
        refusals: Refusals,
        ownership: Ownership,
    ) -> None:
        self._settings, self._store, self._cluster, self._queue = settings, store, cluster, queue
        self._refusals, self._ownership = refusals, ownership
        self._from: dict[str, str] = {}  # of runs that wait or train: the address that asked for them

    @property
    def slots(self) -> int:
        """Runs that can train at once."""
        return len(self._cluster.workers("train"))

    @property
    def downloads(self) -> Mapping[str, tuple[int, int]]:
        """Data sets that runs wait for, as they are fetched: bytes done and to do."""
        return self._queue.downloads

    def submit(self, specs: Sequence[RunSpec], by: Visitor) -> list[Run]:
        """Queue runs, to start together where there is room. Raises RefusedError before any is queued.

        The same wish is one run: what trains or has trained already comes out the same, so that they share it.
        """
        same = [self._ownership.same(spec, by) for spec in specs]
        new = iter(self._queued([spec for spec, run in zip(specs, same, strict=True) if run is None], by))
        return [next(new) if run is None else self._joined(run, by) for run in same]

    def _joined(self, run: Run, by: Visitor) -> Run:
        if run.owner != by.owner and self._settings.others != "change":
            self._store.owners.share(run.id, by.owner)
            log.info("shared", run=run.id)
        return run

    def _queued(self, specs: Sequence[RunSpec], by: Visitor) -> list[Run]:
        if not specs:
            return []
        with self._refusals.counted():
            for spec in specs:
                self._ownership.check_data(spec.data, by)
            asked = [limits.request(spec, self._settings) for spec in specs]
            for request in asked:
                limits.check_net(request, self._settings)
                limits.check_length(request, self._settings, self._store)
            self._check_session(by.owner, len(asked))
            self._check_queue(by, len(asked))
            limits.check_disk(sum(request.bytes_kept for request in asked), self._settings, self._store)
        together = min(max(1, self.slots), len(specs) + self._queue.training().total())
        threads = max(1, share().cores // together)
        runs = [
            self._store.runs.create(
                spec if spec.threads else spec.model_copy(update={"threads": threads}), owner=by.owner
            )
            for spec in specs
        ]
        for run in runs:
            self._from[run.id] = by.address
            log.info("submitted", run=run.id, data=run.spec.data)
        self._queue.wake()
        return runs

    def pause(self, run: str, by: Visitor) -> Run:
        """Keep the weights and stop; the worker is free for others. Returns the run that is paused, see `_alone`."""
        run = self._alone(self._allowed("pause", run, by), by).id
        self._queue.end(run, "paused")
        return self._store.runs.get(run)

    def cancel(self, run: str, by: Visitor) -> Run:
        """Stop for good, keeping everything measured. Returns the run that is stopped, see `_alone`."""
        run = self._alone(self._allowed("cancel", run, by), by).id
        self._queue.end(run, "cancelled")
        return self._store.runs.get(run)

    def resume(self, run: str, by: Visitor, steps: int | None = None) -> None:
        """Go on from the newest checkpoint, for `steps` updates or to the end."""
        stopped = self._allowed("resume", run, by)
        if stopped.status in ("paused", "cancelled", "failed") and stopped.origin == "trained":
            with self._refusals.counted():
                self._check_session(stopped.owner, 1)
                self._check_queue(by, 1)
                if why := limits.overlong(self._store.events.history(run).seconds, self._settings):
                    raise RefusedError(why, "max_minutes")
            until = stopped.step + steps if steps else None
            self._from[run] = by.address
            self._store.runs.update(run, status="queued", until=until, message="")
            log.info("resumed", run=run, step=stopped.step)
            self._queue.wake()

    def cut(self, run: str, cut: CutSpec, by: Visitor) -> Run:
        """Train a run under `cut` from where it is; the empty one puts all blocks back. Returns it, see `_alone`.

        One under way stops at its next step and goes on from there. Raises ValueError, with shapes, for a cut that
        does not fit the net.
        """
        asked = self._allowed("cut", run, by)
        if not asked.can_be_cut:
            raise RefusedError(f"{asked.name} is {asked.status}: only a run with steps to make can be cut", "status")
        data = datasets.find(asked.spec.data, self._settings.store)
        cut.check(asked.spec.net, data.size if data else None)
        own = self._alone(asked, by)
        self._store.runs.update(own.id, cut_asked=str(cut))  # in the store, so that it outlives this server
        if own.id != run and asked.active:
            self.resume(own.id, by)
        self._queue.cut(own.id)
        return self._store.runs.get(own.id)

    def rename(self, run: str, name: str, by: Visitor) -> None:
        """Give a run another name."""
        self._allowed("rename", run, by)
        self._store.runs.rename(run, name)

    def pin(self, run: str, pinned: bool, by: Visitor) -> None:
        """Keep a run on top, where its owner changes it no more; or let it go again."""
        self._allowed("pin", run, by)
        self._store.runs.update(run, pinned=pinned)

    def delete(self, run: str, by: Visitor) -> None:
        """Forget a run and its weights; one that is shared they leave. Raises ValueError while it waits or trains."""
        if self._ownership.shared(self._allowed("delete", run, by), by):
            self._store.owners.leave(run, by.owner)
        else:
            self._store.delete(run)

    def _alone(self, run: Run, by: Visitor) -> Run:
        """The run, for `by` to change. One that is shared goes on for the others, and they get their own from here."""
        if not self._ownership.shared(run, by):
            return run
        own = self._store.fork(run.id, by.owner)
        self._store.owners.leave(run.id, by.owner)
        log.info("forked", run=own.id, step=own.step)
        return own

    def export(self, run: str, by: Visitor, step: int | None = None) -> IO[bytes]:
        """Its files in one zip, weights of a kept moment (None: the newest) among them. Raises ValueError, OSError."""
        from app.export.run_files import zipped

        return zipped(self._store, self._ownership.run(run, by).id, step)

    def place(self, run: str) -> int:
        """Runs that will start before this one, or 0."""
        return next((index for index, other in enumerate(self._queue.waiting()) if other.id == run), 0)

    def held(self, run: Run) -> bool:
        """True while a waiting run is passed over, because as many of its owner's train as may at once."""
        limit = self._settings.session_training
        return bool(limit) and self._queue.training()[run.owner] >= limit

    def silent(self, run: Run) -> float | None:
        """Seconds that a run has made no step for, beyond what its pace explains; None while all is well."""
        return self._queue.silence.of(run)

    def seconds_left(self, run: Run) -> float | None:
        """Seconds until a run ends, its wait included; None while nothing measured tells."""
        waiting = self._queue.waiting() if run.status == "queued" else []
        return seconds_left(run, self._store, waiting, max(1, self.slots))

    def _allowed(self, verb: Verb, run: str, by: Visitor) -> Run:
        with self._refusals.counted():
            return self._ownership.allowed(verb, run, by)

    def _check_session(self, owner: str, asked: int) -> None:
        if owner:  # without one it is the command line's
            active = sum(run.owner == owner for run in self._store.runs.all(ACTIVE))
            limits.check_session(active, asked, self._settings)

    def _check_queue(self, by: Visitor, asked: int) -> None:
        if by.role == "visitor":  # a teacher, and the machine, ask for whatever they want
            active = [run.id for run in self._store.runs.all(ACTIVE)]
            self._from = {run: address for run in active if (address := self._from.get(run))}
            of_address = sum(address == by.address for address in self._from.values())
            limits.check_queue(len(active), of_address, asked, self._settings)
