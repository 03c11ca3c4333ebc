"""How long runs will take, from how fast others train or trained here."""

from collections.abc import Sequence

from app.store.run import Run
from app.store.store import Store
from app.values import datasets
from app.values.datasets import DataSet
from app.values.run_spec import RunSpec
from models.plan import plan

RECENT = 4  # ended runs whose pace is taken where nothing trains


def seconds_left(run: Run, store: Store, waiting: Sequence[Run], slots: int) -> float | None:
    """Seconds until a run ends, its wait included; None while nothing measured tells.

    `waiting`: the queue in the order of its turns. `slots`: runs that train at once.
    """
    if run.status == "running":
        return _remaining(run, store)
    running = [other for other in store.runs.all(["running"]) if other.total]
    per_mac = _seconds_per_mac(running, store)
    if run.status != "queued" or per_mac is None:
        return None
    place = next((index for index, other in enumerate(waiting) if other.id == run.id), None)
    if place is None:  # it has left the queue since `run` was read
        return None
    work = [per_mac * _macs_left(other, store) for other in waiting[: place + 1]]
    lasts = [_remaining(other, store) or 0.0 for other in running]
    return (sum(lasts) + sum(work[:-1])) / slots + work[-1]


def _remaining(run: Run, store: Store) -> float | None:
    """Seconds until a run that trains ends; None until its pace is known."""
    pace = store.events.history(run.id).seconds_per_step()
    return pace * (run.total - run.step) if pace and run.total else None


def seconds_of_training(spec: RunSpec, data: DataSet, steps: int, store: Store) -> float | None:
    """Seconds that a new run would train for; None where nothing has been trained here yet."""
    running = [run for run in store.runs.all(["running"]) if run.total]
    ended = [run for run in store.runs.all(["finished", "paused", "cancelled"]) if run.origin == "trained" and run.step]
    per_mac = _seconds_per_mac(running or ended[:RECENT], store)
    return None if per_mac is None else per_mac * _macs(spec, data) * steps


def _seconds_per_mac(runs: Sequence[Run], store: Store) -> float | None:
    """A net not yet seen is taken to need time in proportion to its multiply-adds."""
    paces = [(run, pace) for run in runs if (pace := store.events.history(run.id).seconds_per_step())]
    each = [pace / _macs(run.spec, data) for run, pace in paces if (data := _data(run, store))]
    return sum(each) / len(each) if each else None


def _macs_left(run: Run, store: Store) -> int:
    """Multiply-adds, forward, of the steps that a waiting run has to make; 0 where its data set is gone."""
    data = _data(run, store)
    return _macs(run.spec, data) * (run.spec.length(data.train_images).steps - run.step) if data else 0


def _macs(spec: RunSpec, data: DataSet) -> int:
    """Of one step."""
    return plan(spec.net, data.size).macs * spec.recipe.batch


def _data(run: Run, store: Store) -> DataSet | None:
    return datasets.find(run.spec.data, store.folder)
