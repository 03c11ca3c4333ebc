"""What this server accepts: limits of one run, and of all the runs of one browser."""

from app.base.settings import Settings
from app.engine.cluster import free_memory
from app.engine.estimates import seconds_of_training
from app.store.checkpoints import FIRST_MOMENTS
from app.store.store import Store
from app.values import datasets
from app.values.datasets import DataSet
from app.values.run_spec import RunSpec
from models.plan import plan


class RefusedError(ValueError):
    """A run that is not accepted; the message says why and what would be. `limit`: the setting, data or memory."""

    def __init__(self, message: str, limit: str) -> None:
        super().__init__(message)
        self.limit = limit


def find_data(spec: RunSpec, settings: Settings) -> DataSet:
    """The data set of a run. Raises RefusedError where it is gone."""
    about = datasets.find(spec.data, settings.store)
    if about is None:
        raise RefusedError(f"the data set {spec.data} is not in this store: upload it again", "data")
    return about


def check_net(spec: RunSpec, settings: Settings) -> None:
    """Raise RefusedError where there is nothing to train on, or the net is too large for this server or machine."""
    about = find_data(spec, settings)
    if not about.train_images:
        said = f"{about.title}'s images are not here: nets can be looked into, and not trained on them"
        raise RefusedError(said, "data")
    laid, limit = plan(spec.net, about.size), settings.max_parameters
    if laid.params > limit:
        said = f"{spec.net.name} has {laid.params:,} parameters; this server takes up to {limit:,}"
        raise RefusedError(said, "max_parameters")
    needed, free = laid.training_bytes(spec.recipe.batch, 4), free_memory()
    if not settings.scheduler and spec.device != "cuda" and free is not None and needed > free:
        raise RefusedError(
            f"{spec.net.name} at batch {spec.recipe.batch} needs about {needed / 1e9:,.1f} GB to train; "
            f"{free / 1e9:,.1f} GB are free on this machine",
            "memory",
        )


def check_length(spec: RunSpec, settings: Settings, store: Store) -> None:
    """Raise RefusedError where a run would train on too much or for too long."""
    images, epochs, steps = _length(spec, settings)
    asked = [
        ("max_images", images, "training images"),
        ("max_epochs", epochs, "epochs"),
        ("max_steps", steps, "steps"),
    ]
    for name, count, unit in asked:
        limit = getattr(settings, name)
        if limit and count > limit:
            raise RefusedError(f"{count:,} {unit} asked for; this server takes up to {limit:,}", name)
    seconds = seconds_of_training(spec, steps, store) if settings.max_minutes else None
    if seconds and seconds > 60 * settings.max_minutes:
        raise RefusedError(
            f"{spec.net.name} would train for about {seconds / 60:,.0f} minutes at this server's pace; "
            f"it takes runs of up to {settings.max_minutes:,}",
            "max_minutes",
        )


def bytes_kept(spec: RunSpec, settings: Settings) -> int:
    """About what a run leaves in the store: weights of its moments, its newest momentum, all norms."""
    _, epochs, steps = _length(spec, settings)
    laid = plan(spec.net, find_data(spec, settings).size)
    return 4 * laid.params * (len(FIRST_MOMENTS) + epochs + 1) + 4 * len(laid.layers) * steps


def check_disk(needed: int, settings: Settings, store: Store) -> None:
    """Raise RefusedError where so many bytes more are beyond the room that the store may take."""
    limit = settings.max_disk_mb
    if limit and (held := store.size()) + needed > 1_000_000 * limit:
        raise RefusedError(
            f"this server keeps up to {limit:,} MB and holds {held / 1e6:,.0f}; this needs about {needed / 1e6:,.1f} "
            "more. Delete runs that are no longer needed, then ask again",
            "max_disk_mb",
        )


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


def _length(spec: RunSpec, settings: Settings) -> tuple[int, int, int]:
    """Training images, epochs (the last may be a part of one) and steps that a run asks for."""
    about = find_data(spec, settings)
    images = min(spec.images or about.train_images, about.train_images)
    an_epoch = max(1, images // spec.recipe.batch)
    steps = spec.recipe.steps or spec.recipe.epochs * an_epoch
    return images, -(-steps // an_epoch), steps


def overlong(seconds: float, settings: Settings) -> str:
    """Why a run that has trained for so long ends now; empty while it may go on."""
    minutes = settings.max_minutes
    if not minutes or seconds <= 60 * minutes:
        return ""
    return f"it has trained for {minutes:,} minutes, the longest that this server takes; everything measured was kept"
