"""How long runs will take, from how fast others train or trained here."""

from collections.abc import Sequence

from app.store.run import Run
from app.store.store import Store
from app.values.datasets import DATASETS
from app.values.run_spec import RunSpec
from models.plan import plan

RECENT = 4  # ended runs whose pace is taken where nothing trains


def seconds_left(run: Run, store: Store, waiting: Sequence[Run], slots: int) -> float | None:
    """Seconds until a run ends, its wait included; None while nothing measured tells.

    `waiting`: the queue in the order of its turns. `slots`: runs that train at once.
    """
    running = [other for other in store.runs.all(["running"]) if other.total]
    paces = {other.id: store.events.history(other.id).seconds_per_step() for other in running}
    lasts = {other.id: pace * (other.total - other.step) for other in running if (pace := paces[other.id])}
    if run.status == "running":
        return lasts.get(run.id)
    per_mac = _seconds_per_mac(running, store)
    if run.status != "queued" or per_mac is None:
        return None
    place = next((index for index, other in enumerate(waiting) if other.id == run.id), None)
    if place is None:  # it has left the queue since `run` was read
        return None
    ahead = waiting[: place + 1]
    work = [per_mac * _macs(other.spec) * (other.spec.planned_steps - other.step) for other in ahead]
    return (sum(lasts.values()) + sum(work[:-1])) / slots + work[-1]


def seconds_of_training(spec: RunSpec, steps: int, store: Store) -> float | None:
    """Seconds that a new run would train for; None where nothing has been trained here yet."""
    running = [run for run in store.runs.all(["running"]) if run.total]
    ended = [run for run in store.runs.all(["finished", "paused", "cancelled"]) if run.origin == "trained" and run.step]
    per_mac = _seconds_per_mac(running or ended[:RECENT], store)
    return None if per_mac is None else per_mac * _macs(spec) * steps


def _seconds_per_mac(runs: Sequence[Run], store: Store) -> float | None:
    """A net not yet seen is taken to need time in proportion to its multiply-adds."""
    known = [(run, pace) for run in runs if (pace := store.events.history(run.id).seconds_per_step())]
    return sum(pace / _macs(run.spec) for run, pace in known) / len(known) if known else None


def _macs(spec: RunSpec) -> int:
    dataset = DATASETS.get(spec.data)
    return plan(spec.net, dataset.size if dataset else None).macs * spec.recipe.batch
