"""Where runs are wished for: submit, pause, resume, cut, cancel. What then happens to them: `app.engine.run_queue`."""

from collections.abc import Mapping, Sequence

from app.base import logs
from app.base.settings import Settings
from app.engine.cluster import Cluster, cores
from app.engine.policy import limits
from app.engine.policy.estimates import seconds_left
from app.engine.policy.limits import Refusals, RefusedError
from app.engine.run_queue import RunQueue
from app.store.run import ACTIVE, Run
from app.store.store import Store
from app.values import datasets
from app.values.cut_spec import CutSpec
from app.values.run_spec import RunSpec

log = logs.events(__name__)


class RunDesk:
    """The door to runs. Everything public may be called from any thread."""

    def __init__(self, settings: Settings, store: Store, cluster: Cluster, queue: RunQueue, refusals: Refusals) -> None:
        self._settings, self._store, self._cluster, self._queue = settings, store, cluster, queue
        self._refusals = refusals

    @property
    def slots(self) -> int:
        """Runs that can train at once."""
        return len(self._cluster.workers("train"))

    @property
    def downloads(self) -> Mapping[str, tuple[int, int]]:
        """Data sets that runs wait for, as they are fetched: bytes done and to do."""
        return self._queue.downloads

    def submit(self, specs: Sequence[RunSpec], owner: str = "") -> list[Run]:
        """Queue runs of one owner, to start together where there is room. Raises RefusedError before any is queued."""
        with self._refusals.counted():
            asked = [limits.request(spec, self._settings) for spec in specs]
            for request in asked:
                limits.check_net(request, self._settings)
                limits.check_length(request, self._settings, self._store)
            self._check_session(owner, len(asked))
            limits.check_disk(sum(request.bytes_kept for request in asked), self._settings, self._store)
        together = min(max(1, self.slots), len(specs) + self._queue.training().total())
        threads = max(1, cores() // together)
        runs = [
            self._store.runs.create(spec if spec.threads else spec.model_copy(update={"threads": threads}), owner=owner)
            for spec in specs
        ]
        for run in runs:
            log.info("submitted", run=run.id, data=run.spec.data)
        self._queue.wake()
        return runs

    def pause(self, run: str) -> None:
        """Keep the weights and stop; the worker is free for others."""
        self._queue.end(run, "paused")

    def cancel(self, run: str) -> None:
        """Stop for good, keeping everything measured."""
        self._queue.end(run, "cancelled")

    def resume(self, run: str, steps: int | None = None) -> None:
        """Go on from the newest checkpoint, for `steps` updates or to the end. Raises RefusedError."""
        stopped = self._store.runs.get(run)
        if stopped.status in ("paused", "cancelled", "failed") and stopped.origin == "trained":
            with self._refusals.counted():
                self._check_session(stopped.owner, 1)
                if why := limits.overlong(self._store.events.history(run).seconds, self._settings):
                    raise RefusedError(why, "max_minutes")
            until = stopped.step + steps if steps else None
            self._store.runs.update(run, status="queued", until=until, message="")
            log.info("resumed", run=run, step=stopped.step)
            self._queue.wake()

    def cut(self, run: str, cut: CutSpec) -> None:
        """Train a run under `cut` from where it is; the empty one puts all blocks back.

        One under way stops at its next step and goes on from there. Raises ValueError, with shapes, for a cut that
        does not fit the net, RefusedError for a run that has ended.
        """
        asked = self._store.runs.get(run)
        if not asked.can_be_cut:
            raise RefusedError(f"{asked.name} is {asked.status}: only a run with steps to make can be cut", "status")
        data = datasets.find(asked.spec.data, self._settings.store)
        cut.check(asked.spec.net, data.size if data else None)
        self._store.runs.update(run, cut_asked=str(cut))  # in the store, so that it outlives this server
        self._queue.cut(run)

    def place(self, run: str) -> int:
        """Runs that will start before this one, or 0."""
        return next((index for index, other in enumerate(self._queue.waiting()) if other.id == run), 0)

    def held(self, run: Run) -> bool:
        """True while a waiting run is passed over, because as many of its owner's train as may at once."""
        limit = self._settings.session_training
        return bool(limit) and self._queue.training()[run.owner] >= limit

    def seconds_left(self, run: Run) -> float | None:
        """Seconds until a run ends, its wait included; None while nothing measured tells."""
        waiting = self._queue.waiting() if run.status == "queued" else []
        return seconds_left(run, self._store, waiting, max(1, self.slots))

    def _check_session(self, owner: str, asked: int) -> None:
        if owner:  # without one it is the command line's
            active = sum(run.owner == owner for run in self._store.runs.all(ACTIVE))
            limits.check_session(active, asked, self._settings)
