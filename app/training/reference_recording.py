"""Recording the reference runs that the store adopts: trained here, by this engine, and nowhere edited."""

import gzip
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from app.base.settings import Settings
from app.data.images import Images, load
from app.store.files.checkpoints import kept, weights_file
from app.store.files.references import Reference
from app.training.evaluation import evaluate, load_weights, write_tensors
from app.training.loop import resolve, train
from app.values.datasets import BUNDLED, DATASETS
from app.values.events import CheckpointSaved, Event, StepMeasured, to_json
from app.values.run_spec import RunSpec, net_title
from models.nets.net import Net, build
from models.spec import NetSpec

SAME = 0.02  # points of test error within which weights in float16 are as good: 2 images of 10,000


def record(wanted: Sequence[Reference], folder: Path, settings: Settings, say: Callable[[str], None]) -> None:
    """Train these reference runs and put them into `folder`, which holds the old ones until then."""
    for reference in wanted:
        dataset, images = DATASETS[reference.data], load(reference.data, settings)
        net = NetSpec.parse(reference.net).fitted(dataset.channels, dataset.classes)
        # One thread, as in a race of two on two cores.
        spec = resolve(RunSpec(net=net, data=reference.data, seed=reference.seed, threads=1))
        with tempfile.TemporaryDirectory() as scratch:
            begun = time.monotonic()
            events = list(train(spec, images, Path(scratch)))
            seconds = time.monotonic() - begun
            last = max(event.step for event in events if isinstance(event, CheckpointSaved))
            bundled = [
                event for event in events if not isinstance(event, CheckpointSaved) or _stays(event, reference, last)
            ]
            kept_in_half = _bundle(folder / reference.run, spec, bundled, Path(scratch), images)
            say(f"{net_title(net)} on {dataset.title}, seed {spec.seed}: trained in {seconds:.0f} s; {kept_in_half}")


def _stays(event: CheckpointSaved, reference: Reference, last: int) -> bool:
    wanted = {"moments": event.moment, "ends": event.step in (0, last), "none": False}
    return wanted[reference.weights]


def _bundle(target: Path, spec: RunSpec, events: list[Event], weights: Path, images: Images) -> str:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    moments = {event.step for event in events if isinstance(event, CheckpointSaved)}
    halved = {step: _halve(spec, weights, target, step, images) for step in kept(weights) if step in moments}
    where = [] if spec.data == BUNDLED else [DATASETS[spec.data].title]
    which = [f"seed {spec.seed}"] if spec.seed else []
    record = {
        "name": f"{net_title(spec.net)} ({', '.join([*where, 'reference', *which])})",
        "created": int(time.time()),
        "spec": spec.model_dump(mode="json"),
        "weights": {step: digest for step, (_, digest) in halved.items()},
    }
    (target / "events.json.gz").write_bytes(
        gzip.compress(to_json([_short(event) for event in events]).encode(), mtime=0)
    )
    (target / "run.json").write_text(json.dumps(record, indent=2) + "\n")  # last: with it, the run is there
    return f"{len(halved)} moments in float16, {sum(spared for spared, _ in halved.values())} tensors apart"


def _short(event: Event) -> Event:
    """The same event, its float32 numbers written with as many digits as float32 has: half the file."""
    if isinstance(event, CheckpointSaved):  # the digests are those of other files: of the weights before rounding
        return CheckpointSaved(step=event.step, moment=event.moment)
    if not isinstance(event, StepMeasured):
        return event
    norms = tuple(float(str(norm)) for norm in np.array(event.norms, np.float32))
    return event.model_copy(update={"loss": float(str(np.float32(event.loss))), "norms": norms})


def _halve(spec: RunSpec, source: Path, target: Path, step: int, images: Images) -> tuple[int, str]:
    """Copy one moment's weights in float16, the test error unchanged (`SAME`).

    Returns the number of tensors not halved, and the SHA-256 of the file.

    Normalisation's numbers are few, and a running variance can be beyond float16's range: they stay float32. Where
    rounding moves an image over the border, the smallest weights stay float32 too, as many as it takes.
    """
    net: Net = build(spec.net)
    state = load_file(weights_file(source, step))
    weights = sorted((name for name in state if state[name].ndim > 1), key=lambda name: state[name].numel())
    load_weights(net, weights_file(source, step))
    error = evaluate(net, images).error
    for spared in range(len(weights) + 1):
        halved = set(weights[spared:])
        mixed = {name: value.half() if name in halved else value for name, value in state.items()}
        digest = write_tensors(weights_file(target, step), mixed)
        load_weights(net, weights_file(target, step))
        if abs(evaluate(net, images).error - error) < SAME + 1e-9:
            return spared, digest
    raise AssertionError("float32 weights give float32 errors")
