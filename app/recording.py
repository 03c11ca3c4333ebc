"""Recording the reference runs that `app.references` adopts: trained here, by this engine, and nowhere edited."""

import gzip
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file, save_file

from app.checkpoints import kept, weights_file
from app.data import Images, load
from app.datasets import BUNDLED, DATASETS
from app.events import CheckpointSaved, Event, to_json
from app.references import NAMES
from app.settings import Settings
from app.spec import RunSpec, net_title
from app.training import evaluate, load_weights, resolve, train
from models.nets import Net, build
from models.spec import NetSpec

WIDTH = 8


def record_references(folder: Path, settings: Settings, say: Callable[[str], None]) -> None:
    """Train every reference run and put it into `folder`, which holds the old ones until then."""
    images = load(BUNDLED, settings)
    dataset = DATASETS[BUNDLED]
    for name in NAMES:
        net = NetSpec.parse(f"{name}:width={WIDTH}").fitted(dataset.channels, dataset.classes)
        spec = resolve(RunSpec(net=net, threads=1))  # as in a race of two on two cores
        with tempfile.TemporaryDirectory() as scratch:
            begun = time.monotonic()
            events = [
                event
                for event in train(spec, images, Path(scratch))
                if not (isinstance(event, CheckpointSaved) and not event.moment)
            ]
            seconds = time.monotonic() - begun
            kept_in_half = _bundle(folder, spec, events, Path(scratch), images)
            say(f"{net_title(net)}: trained in {seconds:.0f} s; {kept_in_half}")


def _bundle(folder: Path, spec: RunSpec, events: list[Event], weights: Path, images: Images) -> str:
    run = f"reference-{spec.net.name}"
    target = folder / run
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    moments = {event.step for event in events if isinstance(event, CheckpointSaved)}
    spared = [_halve(spec, weights, target, step, images) for step in kept(weights) if step in moments]
    about = {
        "name": f"{net_title(spec.net)} (reference)",
        "created": int(time.time()),
        "spec": spec.model_dump(mode="json"),
    }
    (target / "run.json").write_text(json.dumps(about, indent=2) + "\n")
    (target / "events.json.gz").write_bytes(gzip.compress(to_json(events).encode(), mtime=0))
    return f"{len(spared)} moments in float16, {sum(spared)} tensors apart"


def _halve(spec: RunSpec, source: Path, target: Path, step: int, images: Images) -> int:
    """Copy one moment's weights in float16, the number of wrong test images unchanged. Returns the tensors not halved.

    Normalisation's numbers are few, and a running variance can be beyond float16's range: they stay float32. Where
    rounding moves an image over the border, the smallest weights stay float32 too, as many as it takes.
    """
    net: Net = build(spec.net)
    state = load_file(weights_file(source, step))
    weights = sorted((name for name in state if state[name].ndim > 1), key=lambda name: state[name].numel())
    load_weights(net, weights_file(source, step))
    wrong = evaluate(net, images).error
    for spared in range(len(weights) + 1):
        halved = set(weights[spared:])
        mixed = {name: value.half() if name in halved else value for name, value in state.items()}
        save_file(mixed, weights_file(target, step))
        load_weights(net, weights_file(target, step))
        if evaluate(net, images).error == wrong:
            return spared
    raise AssertionError("float32 weights give float32 errors")
