"""What a net makes of an image on its way: feature maps, what excites a channel most, the head read at every depth.

Zeiler and Fergus 2014, *Visualizing and Understanding Convolutional Networks*, section 4: a channel is shown by the
pictures that excite it most. Greff et al. 2017, *Highway and Residual Networks Learn Unrolled Iterative Estimation*;
Jastrzębski et al. 2018, *Residual Connections Encourage Iterative Inference*, section 4: a residual net refines step
by step what it says, and may be asked in between.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.analysis.progress import Progress, quiet
from app.data.images import Images, prepare
from app.studies.features.questions import Confused, DepthRead, Excitement, FeatureMaps
from app.training.cut_forward import block_output, refusal
from app.training.evaluation import EVALUATION_BATCH
from app.training.probes import outputs, undisturbed, ways
from app.values.datasets import DataSet
from models.nets.blocks import Block
from models.nets.net import Net, blocks_of
from models.paper.receptive import Field, fields

PARTS = ("shortcut", "branch", "sum", "output")
MOST = 12  # pictures kept of each channel
LARGE = 2_000_000  # numbers of a block's maps, above which its output alone is kept: those of VGG's first blocks


@torch.no_grad()
def feature_maps(net: Net, picture: Tensor, info: DataSet, at: str, label: int = -1) -> FeatureMaps:
    """Every channel at a place, for one `picture`: C×H×W uint8. `at`: a module's name, `blocks.3`, `stem.conv`.

    A block's shortcut and branch are what each adds to the sum, so that shortcut + branch = sum to the last bit: behind
    a gate or a scale they are what these let pass; of a dense block each fills channels of its own. A plain net's
    shortcut is zero. Raises ValueError for a place that the net has not.
    """
    seen: list[Tensor] = []
    with undisturbed(net, "evaluation"), _watched(net, at, seen):
        logits = net(prepare(picture[None], info))
    field = field_at(net, at, info.size)
    seen = seen[-1:] if seen[-1].numel() > LARGE else seen
    return FeatureMaps(
        at=at,
        parts=PARTS if len(seen) > 1 else ("output",),
        maps=torch.cat(seen).numpy(),
        picture=picture.numpy(),
        probabilities=logits.softmax(1)[0].numpy(),
        label=label,
        field_side=field.side,
        field_jump=field.jump,
        field_start=field.start,
    )


@torch.no_grad()
def most_exciting(
    net: Net,
    images: Images,
    at: str,
    part: str = "output",
    count: int = 1000,
    most: int = MOST,
    progress: Progress = quiet,
) -> Excitement:
    """For each channel the `most` of the first `count` test images with the largest number on their map, and where.

    All channels at once: one pass over the images serves them all. Raises ValueError as `feature_maps` does.
    """
    field = field_at(net, at, images.info.size)
    if part not in (PARTS if _is_block(net, at) else ("output",)):
        raise ValueError(f"{at} has no part {part!r}")
    test = images.test[:count]
    peaks: list[Tensor] = []
    spots: list[Tensor] = []
    width = 1
    with undisturbed(net, "evaluation"):
        for begin in range(0, len(test), EVALUATION_BATCH):
            seen: list[Tensor] = []
            with _watched(net, at, seen):
                net(prepare(test[begin : begin + EVALUATION_BATCH], images.info))
            maps = seen[PARTS.index(part) if len(seen) > 1 else 0]  # N×C×H×W
            width = maps.shape[-1]
            peak, spot = maps.flatten(2).max(2)  # N×C
            peaks.append(peak)
            spots.append(spot)
            progress(min(begin + EVALUATION_BATCH, len(test)), len(test))
    values, places = torch.cat(peaks).T.topk(min(most, len(test)), dim=1)  # C×K
    spot = torch.cat(spots).T.gather(1, places)
    rows, columns = _windows(field, spot, width, images.info.size)
    return Excitement(
        at=at,
        part=part,
        places=places.numpy(),
        values=values.numpy(),
        windows=torch.cat([rows, columns], -1).numpy(),
        images=len(test),
    )


@torch.no_grad()
def most_confused(net: Net, images: Images, count: int = 1000, most: int = 40, progress: Progress = quiet) -> Confused:
    """The errors among the first `count` test images that the net makes with the greatest confidence."""
    test, labels = images.test[:count], images.test_labels[:count]
    logits: list[Tensor] = []
    with undisturbed(net, "evaluation"):
        for begin in range(0, len(test), EVALUATION_BATCH):
            logits.append(net(prepare(test[begin : begin + EVALUATION_BATCH], images.info)).softmax(1))
            progress(min(begin + EVALUATION_BATCH, len(test)), len(test))
    confidence, predicted = torch.cat(logits).max(1)
    wrong = torch.where(predicted != labels, confidence, -1.0)
    places = wrong.argsort(descending=True)[: min(most, int((wrong >= 0).sum()))]
    return Confused(
        places=places.numpy(),
        labels=labels[places].numpy(),
        predicted=predicted[places].numpy(),
        confidence=confidence[places].numpy(),
        images=len(test),
    )


@torch.no_grad()
def depth_read(
    net: Net, x: Tensor, labels: Tensor | None = None, progress: Progress = quiet, batch: int = EVALUATION_BATCH
) -> DepthRead:
    """What the head says after 0, 1, … all blocks, the remaining ones cut. x: N×C×H×W, prepared; labels: N.

    The head could also be applied to the maps at once, but only where they already have its channels: in a CIFAR net
    that is the last third. With the remaining blocks cut (Veit et al. 2016) their shortcuts alone carry the maps to the
    head, whatever the depth, and after the last block it is the net itself. A plain net's blocks that change shapes
    have no shortcut to leave: they stay, and are named in `kept`.
    """
    blocks = blocks_of(net)
    reads = len(blocks) + 1
    sums = torch.zeros(reads, net.spec.classes, dtype=torch.float64)
    correct, loss = torch.zeros(reads, dtype=torch.float64), torch.zeros(reads, dtype=torch.float64)
    with undisturbed(net, "evaluation"):
        for begin in range(0, len(x), batch):
            maps = net.stem(x[begin : begin + batch])
            for read in range(reads):
                if read:
                    maps = blocks[read - 1](maps)
                logits = net.head(_carried(blocks[read:], maps))
                sums[read] += logits.double().softmax(1).sum(0)
                if labels is not None:
                    y = labels[begin : begin + batch]
                    correct[read] += (logits.argmax(1) == y).sum()
                    loss[read] += F.cross_entropy(logits.double(), y, reduction="sum")
                progress(begin * reads + (read + 1) * len(maps), len(x) * reads)
    labelled = labels is not None
    return DepthRead(
        probabilities=(sums / len(x)).numpy(),
        accuracy=(100 * correct / len(x)).numpy() if labelled else np.full(reads, np.nan),
        loss=(loss / len(x)).numpy() if labelled else np.full(reads, np.nan),
        kept=tuple(block.plan.index for block in blocks if refusal(block)),
        images=len(x),
    )


def field_at(net: Net, at: str, size: int) -> Field:
    """The receptive field of a place on images of that side. Raises ValueError for a place that the net has not."""
    try:
        return fields(net.spec, size)[at]
    except KeyError:
        raise ValueError(f"{net.spec.name} has no place {at!r}") from None


def _carried(blocks: list[Block], maps: Tensor) -> Tensor:
    """Through what is left of blocks that are cut."""
    for block in blocks:
        maps = block(maps) if refusal(block) else block_output(block, maps, 0)
    return maps


def _is_block(net: Net, at: str) -> bool:
    return isinstance(net.get_submodule(at), Block)


@contextmanager
def _watched(net: Net, at: str, seen: list[Tensor]) -> Iterator[None]:
    """Inside, one pass; after it, what it left at a place is in `seen`: its parts, N×C×H×W each (N×C as N×C×1×1)."""
    field_at(net, at, net.spec.image_size)  # a place that is not there is said before anything is computed
    met: list[tuple[Tensor, Tensor | None, Tensor | None]] = []
    left: list[Tensor] = []
    block = [at] if _is_block(net, at) else []
    with ways(net, block, lambda _, *xsf: met.append(xsf)), outputs(net, [at], lambda _, y: left.append(y)):
        yield
    parts = [part for xsf in met for part in _added(net.get_submodule(f"{at}.join"), *xsf)]
    seen.extend(part if part.ndim == 4 else part[:, :, None, None] for part in (*parts, *left))


def _added(join: nn.Module, x: Tensor, s: Tensor | None, f: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """What the shortcut adds to the join, what the branch adds, and the join itself."""
    assert f is not None  # in evaluation mode no branch is dropped
    if s is None:
        return torch.zeros_like(f), f, f
    return join(x, s, torch.zeros_like(f)), join(x, torch.zeros_like(s), f), join(x, s, f)


def _windows(field: Field, spot: Tensor, width: int, image: int) -> tuple[Tensor, Tensor]:
    """First and last + 1 image row, and column, of the fields of numbers at flat places of maps so wide: C×K×2 each."""

    def window(places: Tensor) -> Tensor:
        begin = field.start + places * field.jump
        return torch.stack([begin.clamp(min=0), (begin + field.side).clamp(max=image)], -1)

    return window(spot // width), window(spot % width)
