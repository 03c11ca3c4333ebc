"""A run's weights, at a kept moment, on the test set."""

from pathlib import Path

from app.checkpoints import weights_file
from app.data import load_for
from app.results import Evaluation
from app.settings import Settings
from app.spec import RunSpec
from app.training import evaluate, load_weights
from models.nets import build


def evaluate_run(spec: RunSpec, folder: Path, step: int, settings: Settings, images: int | None = None) -> Evaluation:
    """Error and loss on the first `images` test images, float32, on the CPU."""
    net = build(spec.net)
    load_weights(net, weights_file(folder, step))
    return evaluate(net, load_for(spec, settings), images)
