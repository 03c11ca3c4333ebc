"""A run's weights, at a kept moment, on the test set."""

from pathlib import Path

from app.checkpoints import weights_file
from app.data import load_for
from app.datasets import DataError, available, check_images, find
from app.events import EpochEvaluated
from app.results.evaluations import Evaluation
from app.settings import Settings
from app.spec import RunSpec
from app.training import evaluate, load_weights
from models.nets import build
from models.plan import plan

ARRIVAL = 3_000_000_000_000  # multiply-adds of an evaluation on arrival: about a minute of two cores


def evaluate_run(spec: RunSpec, folder: Path, step: int, settings: Settings, images: int | None = None) -> Evaluation:
    """Error and loss on the first `images` test images, float32, on the CPU."""
    loaded = load_for(spec, settings)
    check_images(loaded.info)
    net = build(spec.net)
    load_weights(net, weights_file(folder, step))
    return evaluate(net, loaded, images)


def on_arrival(spec: RunSpec, folder: Path, settings: Settings) -> list[EpochEvaluated]:
    """The test error of weights that were trained elsewhere; none where their data set is not at hand.

    Of a deep net, the error on the first test images only: as many as ARRIVAL allows.
    """
    about = find(spec.data, settings.store)
    if about is None or not available(spec.data, settings.data):
        return []
    try:
        found = evaluate_run(spec, folder, 0, settings, max(1, ARRIVAL // plan(spec.net, about.size).macs))
    except DataError:  # its files are damaged: that says nothing against the weights
        return []
    return [
        EpochEvaluated(
            step=0,
            epoch=0,
            test_error=found.error,
            test_loss=found.loss,
            test_images=found.images,
            images_per_second=0,
        )
    ]
