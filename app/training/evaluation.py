"""A net, or a run's weights at a kept moment, on the test set; files of weights, read only if they are whole."""

import errno
from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from app.base.settings import Settings
from app.data.images import Images, load_for, prepare
from app.store.files.checkpoints import DamagedError, check, weights_file, write_atomically
from app.training.cut_forward import cut_output
from app.values.cut_spec import WHOLE, CutSpec
from app.values.datasets import DataError, available, check_images, find
from app.values.events import EpochEvaluated
from app.values.results import Evaluation
from app.values.run_spec import RunSpec
from models.nets.net import Net, build
from models.plan import plan

ARRIVAL = 3_000_000_000_000  # multiply-adds of an evaluation on arrival: about a minute of two cores
EVALUATION_BATCH = 500


def evaluate_run(
    spec: RunSpec, folder: Path, step: int, settings: Settings, images: int | None = None, digest: str = ""
) -> Evaluation:
    """Error and loss on the first `images` test images, float32, on the CPU. `digest`: SHA-256 of the weights."""
    loaded = load_for(spec, settings)
    check_images(loaded.info)
    net = build(spec.net)
    load_weights(net, weights_file(folder, step), digest)
    return evaluate(net, loaded, images)


def on_arrival(spec: RunSpec, folder: Path, settings: Settings) -> list[EpochEvaluated]:
    """The test error of weights that were trained elsewhere; none where their data set is not at hand.

    Of a deep net, the error on the first test images only: as many as ARRIVAL allows.
    """
    dataset = find(spec.data, settings.store)
    if dataset is None or not available(spec.data, settings.data):
        return []
    try:
        result = evaluate_run(spec, folder, 0, settings, max(1, ARRIVAL // plan(spec.net, dataset.size).macs))
    except DataError:  # its files are damaged: that says nothing against the weights
        return []
    return [
        EpochEvaluated(
            step=0,
            epoch=0,
            test_error=result.error,
            test_loss=result.loss,
            test_images=result.images,
            images_per_second=0,
        )
    ]


def load_weights(net: nn.Module, path: Path, digest: str = "") -> None:
    """Fill `net` from a file of weights, float16 or float32, whose SHA-256 is `digest`. Raises DamagedError."""
    kept = read_tensors(path, digest)
    net.load_state_dict({name: value.float() if value.is_floating_point() else value for name, value in kept.items()})


@torch.no_grad()
def evaluate(net: Net, images: Images, count: int | None = None, cut: CutSpec = WHOLE) -> Evaluation:
    """Error and loss on the first `count` test images, of the whole net or under `cut`; evaluation mode, float32."""
    net.eval()
    total = min(count or len(images.test), len(images.test))
    losses, wrong = [], []
    for begin in range(0, total, EVALUATION_BATCH):
        chosen = slice(begin, min(begin + EVALUATION_BATCH, total))
        y = images.test_labels[chosen]
        logits = cut_output(net, prepare(images.test[chosen], images.info, torch.float32), cut)
        losses.append(F.cross_entropy(logits, y, reduction="sum"))
        wrong.append((logits.argmax(1) != y).sum())
    # Read once, in the end: a device is not waited for batch by batch.
    loss, errors = sum(torch.stack(losses).tolist()), sum(torch.stack(wrong).tolist())
    return Evaluation(error=100 * errors / total, loss=loss / total, images=total)


def write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> str:
    """Returns the file's SHA-256. Raises OSError."""

    def write(part: Path) -> None:
        try:
            save_file(dict(tensors), part)
        except SafetensorError as error:  # it wraps what the disk said
            raise OSError(errno.EIO, f"{path.name} could not be written ({error})", str(path)) from error

    return write_atomically(path, write)


def read_tensors(path: Path, digest: str = "") -> dict[str, Tensor]:
    """The tensors of a file whose SHA-256 is `digest`; empty: not known. Raises DamagedError."""
    check(path, digest)
    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise DamagedError(f"{path.name} is not there") from error
    except (SafetensorError, OSError) as error:
        raise DamagedError(f"{path.name} cannot be read: {error}") from error
