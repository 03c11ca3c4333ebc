"""Runs of which a store knows what a worker would have said."""

from typing import Any

from app.store.run import Run
from app.store.store import Store
from app.values.datasets import DATASETS
from app.values.events import Event, RunFinished, RunStarted, StepMeasured
from app.values.run_spec import RunSpec
from models.plan import plan


def measured(store: Store, spec: RunSpec, pace: float, steps: int, *, finished: bool = False, **about: Any) -> Run:
    """A run that trains, or has trained, with so many steps made in `pace` seconds each."""
    layers = tuple(layer.name for layer in plan(spec.net).layers)
    run = store.runs.create(spec, **about)
    said: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1, "train_images": 640}
    events: list[Event] = [
        RunStarted(
            step=0,
            layers=layers,
            total_steps=spec.length(DATASETS[spec.data].train_images).steps,
            epoch_steps=10,
            **said,
        ),
        *(
            StepMeasured(step=step, loss=2.0, error=50.0, lr=0.1, seconds=pace, norms=(0.1,) * len(layers))
            for step in range(steps)
        ),
        *([RunFinished(step=steps)] if finished else []),
    ]
    store.runs.update(run.id, attempt=1)
    store.events.record(run.id, 1, events)
    return store.runs.get(run.id)
