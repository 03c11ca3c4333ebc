"""Recording the reference runs that `app.references` adopts: trained here, by this engine, and nowhere edited."""

import gzip
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
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
    halves = [_halve(spec, weights, target, step, images) for step in kept(weights) if step in moments]
    about = {
        "name": f"{net_title(spec.net)} (reference)",
        "created": int(time.time()),
        "spec": spec.model_dump(mode="json"),
    }
    (target / "run.json").write_text(json.dumps(about, indent=2) + "\n")
    (target / "events.json.gz").write_bytes(gzip.compress(to_json(events).encode(), mtime=0))
    return f"{sum(halves)} of {len(halves)} moments in float16"


def _halve(spec: RunSpec, source: Path, target: Path, step: int, images: Images) -> bool:
    """Copy one moment's weights in float16, if the number of wrong test images stays the same; else as they are."""
    net: Net = build(spec.net)
    state = load_file(weights_file(source, step))
    # Running variances can be beyond float16's range; normalisation's numbers are few, and stay float32.
    half = {name: value.half() if value.ndim > 1 else value for name, value in state.items()}
    load_weights(net, weights_file(source, step))
    before = evaluate(net, images)
    save_file(half, weights_file(target, step))
    load_weights(net, weights_file(target, step))
    if torch.isclose(torch.tensor(evaluate(net, images).error), torch.tensor(before.error), atol=1e-6):
        return True
    shutil.copyfile(weights_file(source, step), weights_file(target, step))
    return False
