"""What this server accepts: limits of one run, and of all the runs of one browser."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.base import logs
from app.base.machine import share
from app.base.settings import Settings
from app.engine.policy.estimates import seconds_of_training
from app.store.files.checkpoints import FIRST_MOMENTS
from app.store.store import Store
from app.values import datasets
from app.values.datasets import DataSet
from app.values.run_spec import Length, RunSpec
from models.plan import Plan, plan

log = logs.events(__name__)


class RefusedError(ValueError):
    """A run that is not accepted; the message says why and what would be. `limit`: the setting, data or memory."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


class Refusals(Counter[str]):
    """How often each limit has refused since the server began."""

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count a RefusedError that leaves the block."""
        try:
            yield
        except RefusedError as refused:
            self[refused.limit] += 1
            log.info("refused", limit=refused.limit)
            raise


@dataclass(frozen=True)
class Request:
    """A run that is asked for, and what follows from its spec: worked out once, then held against every limit."""

    spec: RunSpec
    data: DataSet
    plan: Plan
    length: Length

    @property
    def bytes_kept(self) -> int:
        """About what the run leaves in the store: weights of its moments, its newest momentum, all norms."""
        weights = self.plan.params * (len(FIRST_MOMENTS) + self.length.epochs + 1)
        return 4 * (weights + len(self.plan.layers) * self.length.steps)


def request(spec: RunSpec, settings: Settings) -> Request:
    """What a spec asks for. Raises RefusedError where its data set is gone or has nothing to train on."""
    data = find_data(spec, settings)
    if not data.train_images:
        reason = f"{data.title}'s images are not here: nets can be looked into, and not trained on them"
        raise RefusedError(reason, "data")
    return Request(spec, data, plan(spec.net, data.size), spec.length(data.train_images))


def find_data(spec: RunSpec, settings: Settings) -> DataSet:
    """The data set of a run. Raises RefusedError where it is gone."""
    dataset = datasets.find(spec.data, settings.store)
    if dataset is None:
        raise no_such_data(spec.data)
    return dataset


def no_such_data(name: str) -> RefusedError:
    """For a data set that is not here, or that is another's and hidden."""
    return RefusedError(f"the data set {name} is not in this store: upload it again", "data")


def check_net(asked: Request, settings: Settings) -> None:
    """Raise RefusedError where the net is too large for this server or machine."""
    spec, laid, limit = asked.spec, asked.plan, settings.max_parameters
    if laid.params > limit:
        reason = f"{spec.net.name} has {laid.params:,} parameters; this server takes up to {limit:,}"
        raise RefusedError(reason, "max_parameters")
    needed, free = laid.training_bytes(spec.recipe.batch, 4), share().free_memory
    if not settings.scheduler and spec.device != "cuda" and free is not None and needed > free:
        raise RefusedError(
            f"{spec.net.name} at batch {spec.recipe.batch} needs about {needed / 1e9:,.1f} GB to train; "
            f"{free / 1e9:,.1f} GB are free on this machine",
            "memory",
        )


def check_length(asked: Request, settings: Settings, store: Store) -> None:
    """Raise RefusedError where a run would train on too much or for too long."""
    length = asked.length
    counts = [
        ("max_images", length.images, "training images"),
        ("max_epochs", length.epochs, "epochs"),
        ("max_steps", length.steps, "steps"),
    ]
    for name, count, unit in counts:
        limit = getattr(settings, name)
        if limit and count > limit:
            raise RefusedError(f"{count:,} {unit} asked for; this server takes up to {limit:,}", name)
    seconds = seconds_of_training(asked.spec, asked.data, length.steps, store) if settings.max_minutes else None
    if seconds and seconds > 60 * settings.max_minutes:
        raise RefusedError(
            f"{asked.spec.net.name} would train for about {seconds / 60:,.0f} minutes at this server's pace; "
            f"it takes runs of up to {settings.max_minutes:,}",
            "max_minutes",
        )


def check_disk(needed: int, settings: Settings, store: Store) -> None:
    """Raise RefusedError where so many bytes more are beyond the room that the store may take."""
    limit = settings.max_disk_mb
    if not room_for(needed, settings, store):
        raise RefusedError(
            f"this server keeps up to {limit:,} MB and holds {store.size() / 1e6:,.0f}; "
            f"this needs about {needed / 1e6:,.1f} more. Delete runs that are no longer needed, then ask again",
            "max_disk_mb",
        )


def room_for(needed: int, settings: Settings, store: Store) -> bool:
    """True if there is room for so many bytes more, once the oldest answers have gone: they can be asked anew."""
    if not settings.max_disk_mb:
        return True
    over = store.size() + needed - 1_000_000 * settings.max_disk_mb
    return over <= 0 or store.answers.thin_out(over)


def check_arrival(spec: RunSpec, bytes_sent: int, settings: Settings, store: Store) -> None:
    """Raise RefusedError where weights from elsewhere are of no data set that is here, or there is no room for them."""
    find_data(spec, settings)
    check_disk(bytes_sent, settings, store)


def check_session(active: int, asked: int, settings: Settings) -> None:
    """Raise RefusedError where a browser with so many runs that wait or train asks for more than it may have."""
    limit = settings.session_runs
    if limit and active + asked > limit:
        others = f" and {active} wait or train already" if active else ""
        raise RefusedError(
            f"{asked} {'run' if asked == 1 else 'runs'} asked for{others}; this server takes up to {limit:,} at a time "
            "from one browser",
            "session_runs",
        )


def check_queue(active: int, of_address: int, asked: int, settings: Settings) -> None:
    """Raise RefusedError where so many runs more are beyond what all may have under way, or one address of it.

    An address has as large a part of the runs as of the pages (`address_sessions` of `max_sessions`): browsers that are
    new, each without a run, are one client all the same.
    """
    limit = settings.queue_runs
    if limit and active + asked > limit:
        raise RefusedError(
            f"{active} runs wait or train, and this server takes up to {limit:,} of all together. Try again when some "
            "have ended",
            "queue_runs",
        )
    if limit and settings.address_sessions and settings.max_sessions:
        share = max(1, limit * settings.address_sessions // settings.max_sessions)
        if of_address + asked > share:
            raise RefusedError(
                f"{of_address} runs that were asked for from your address wait or train; this server takes up to "
                f"{share:,} from one, so that others have their turn. Try again when some have ended",
                "queue_runs",
            )


def overlong(seconds: float, settings: Settings) -> str:
    """Why a run that has trained for so long ends now; empty while it may go on."""
    minutes = settings.max_minutes
    if not minutes or seconds <= 60 * minutes:
        return ""
    return f"it has trained for {minutes:,} minutes, the longest that this server takes; everything measured was kept"
