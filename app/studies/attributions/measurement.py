"""Which pixels speak for a class, by Captum's methods, and whether they depend on what was learnt at all.

Saliency: Simonyan et al. 2014, section 3. Integrated Gradients: Sundararajan et al. 2017, eq. 1. Grad-CAM: Selvaraju
et al. 2017, eqs. 1 and 2. Occlusion: Zeiler and Fergus 2014, section 4.2. Conductance: Dhamdhere et al. 2019, eq. 1.
Randomising from the top: Adebayo et al. 2018, *Sanity Checks for Saliency Maps*, section 3.

The baseline is the data set's mean pixel, which is zero where the net takes it. The nets activate nothing in place, so
that Captum's hooks see what was computed.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import (
    InputXGradient,
    IntegratedGradients,
    LayerConductance,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from torch import Tensor, nn

from app.analysis.answering import answers
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import prepare
from app.studies.attributions.questions import (
    STEPS,
    Attribution,
    AttributionQuestion,
    Method,
    Randomised,
    RandomisedQuestion,
)
from app.training.probes import block_names, undisturbed
from app.values.arrays import Floats
from app.values.datasets import DataSet
from models.nets.net import Net, build

METHODS: tuple[Method, ...] = get_args(Method)
PATCH, STRIDE = 5, 2  # pixels, of what is covered; seven times as many on ImageNet's images
STAGES = 6  # of the randomisation, the trained net not counted


@dataclass(frozen=True)
class _Asked:
    """One attribution: x is 1×C×H×W, prepared; `block` what Grad-CAM and conductance look at."""

    net: Net
    x: Tensor
    target: int
    block: nn.Module
    progress: Progress

    def change(self) -> float:
        """By how much the class's logit rises from the baseline to the image."""
        with torch.no_grad():
            logits = self.net(torch.cat([self.x, torch.zeros_like(self.x)]))[:, self.target]
        return float(logits[0] - logits[1])


def attribute(
    net: Net,
    picture: Tensor,
    info: DataSet,
    method: Method,
    target: int | None = None,
    at: str = "",
    progress: Progress = quiet,
) -> Attribution:
    """How much every pixel speaks for a class. `picture`: C×H×W uint8; `target`: the class (None: the predicted one).

    `at`: the block for Grad-CAM and conductance (none said: the last). Colours are added up. Raises ValueError for a
    class or a block that the net has not.
    """
    places = block_names(net)
    at = at or places[-1]
    if at not in places:
        raise ValueError(f"{net.spec.name} has no block {at!r}: they are {places[0]} to {places[-1]}")
    x = prepare(picture[None], info)
    with undisturbed(net, "evaluation"), torch.enable_grad():
        with torch.no_grad():
            probabilities = net(x).softmax(1)[0]
        chosen = int(probabilities.argmax()) if target is None else target
        if not 0 <= chosen < len(probabilities):
            raise ValueError(f"there are {len(probabilities)} classes, from 0: {chosen} is none of them")
        asked = _Asked(net, x, chosen, net.get_submodule(at), progress)
        values = _METHODS[method](asked)
        change = asked.change() if method in COMPLETE else math.nan
    return Attribution(
        method=method,
        at=at if method in AT_BLOCK else "",
        target=chosen,
        values=values,
        picture=picture.numpy(),
        probabilities=probabilities.numpy(),
        completeness=change,
        delta=float(values.sum(dtype=np.float64)) - change,
    )


def randomised(
    net: Net,
    picture: Tensor,
    info: DataSet,
    method: Method,
    target: int | None = None,
    at: str = "",
    seed: int = 1,
    progress: Progress = quiet,
) -> Randomised:
    """The attribution again and again while the net forgets, head first: it must change. Arguments as `attribute`.

    Weights become new initial ones; running statistics stay. The target stays that of the trained net.
    """
    first = attribute(net, picture, info, method, target, at)
    forgetful, fresh = copy.deepcopy(net), build(net.spec, seed)
    parts = ["head", *reversed(block_names(net)), "stem"]
    ends = sorted({round(end) for end in np.linspace(1, len(parts), STAGES)})
    maps, begin = [first.values], 0
    for done, end in enumerate(ends, start=1):
        for part in parts[begin:end]:
            _copy_weights(forgetful.get_submodule(part), fresh.get_submodule(part))
        maps.append(attribute(forgetful, picture, info, method, first.target, at).values)
        begin = end
        progress(done, len(ends))
    return Randomised(
        method=method,
        stages=("trained", *(parts[end - 1] for end in ends)),
        values=np.stack(maps),
        correlation=np.array([rank_correlation(maps[0], values) for values in maps]),
    )


def rank_correlation(first: Floats, second: Floats) -> float:
    """Spearman's, of two maps; 0 where one is flat."""
    ranks = np.stack([_ranks(values.ravel()) for values in (first, second)])
    if not ranks.std(1).all():
        return 0.0
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def _ranks(values: Floats) -> Floats:
    """Each number's place in the order; equal ones share their mean place."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    return np.asarray((ends - (counts + 1) / 2)[where])


@torch.no_grad()
def _copy_weights(to: nn.Module, source: nn.Module) -> None:
    for parameter, new in zip(to.parameters(), source.parameters(), strict=True):
        parameter.copy_(new)


def _watched(asked: _Asked, total: int) -> Callable[[Tensor], Tensor]:
    """The net, saying how many of `total` images have been through it."""
    done = 0

    def forward(x: Tensor) -> Tensor:
        nonlocal done
        done = min(done + len(x), total)
        asked.progress(done, total)
        return asked.net(x)

    return forward


# ── the methods: image, target → H×W ──


def _saliency(asked: _Asked) -> Floats:
    """|∂ logit ÷ ∂ pixel|."""
    return _map(Saliency(asked.net).attribute(asked.x.clone().requires_grad_(), target=asked.target, abs=True))


def _input_x_gradient(asked: _Asked) -> Floats:
    """Pixel × ∂ logit ÷ ∂ pixel."""
    return _map(InputXGradient(asked.net).attribute(asked.x.clone().requires_grad_(), target=asked.target))


def _integrated_gradients(asked: _Asked) -> Floats:
    """The same, averaged along the straight line from the baseline."""
    method = IntegratedGradients(_watched(asked, STEPS))
    return _map(
        method.attribute(
            asked.x, target=asked.target, n_steps=STEPS, internal_batch_size=_at_once(asked.x.shape[-1], 10)
        )
    )


def _grad_cam(asked: _Asked) -> Floats:
    """Where the block's channels speak for the class: their maps, weighed by their mean gradients; never negative."""
    cam = LayerGradCam(asked.net, asked.block).attribute(asked.x, target=asked.target, relu_attributions=True)
    return _map(_resized(_one(cam), asked.x, "bilinear"))


def _at_once(side: int, images: int) -> int:
    """So many of 32 pixels' side; of larger ones fewer, for the memory."""
    return max(1, min(images, images * 32**2 // side**2))


def _occlusion(asked: _Asked) -> Floats:
    """How much the logit falls when a patch is covered by the mean pixel."""
    side = asked.x.shape[-1]
    times = max(1, side // 32)
    patch, stride = times * PATCH, times * STRIDE
    total = math.ceil((side - patch) / stride + 1) ** 2 + 1  # and once with nothing covered
    window, strides = ((asked.x.shape[1], pixels, pixels) for pixels in (patch, stride))
    method = Occlusion(_watched(asked, total))
    drops = method.attribute(
        asked.x, window, strides=strides, target=asked.target, perturbations_per_eval=_at_once(side, 32)
    )
    # Every colour of a covered patch is given the patch's whole effect: one of them, not their sum.
    return _map(drops[:, :1])


def _conductance(asked: _Asked) -> Floats:
    """What passes through the block's numbers on the way from the baseline; spread over the pixels they stand for."""
    method = LayerConductance(asked.net, asked.block)
    shares = method.attribute(
        asked.x, target=asked.target, n_steps=STEPS, internal_batch_size=_at_once(asked.x.shape[-1], 10)
    )
    asked.progress(STEPS, STEPS)
    small = _one(shares).sum(1, keepdim=True)
    large = _resized(small, asked.x, "nearest")
    # Each number is shared out among its pixels, so that the sum, which is the change of the logit, is kept.
    pixels = _resized(_counts(small, asked.x), asked.x, "nearest")
    return _map(large / pixels)


def _counts(small: Tensor, x: Tensor) -> Tensor:
    """How many pixels of x stand for each number of a smaller map, 1×1×h×w."""
    places = torch.arange(small[0, 0].numel(), dtype=torch.float32).view_as(small)
    chosen = _resized(places, x, "nearest").long().flatten()
    return chosen.bincount(minlength=places.numel()).float().view_as(small)


def _resized(maps: Tensor, x: Tensor, mode: str) -> Tensor:
    return F.interpolate(maps, x.shape[2:], mode=mode)


def _one(attributed: Tensor | tuple[Tensor, ...]) -> Tensor:
    return attributed[0] if isinstance(attributed, tuple) else attributed


def _map(found: Tensor) -> Floats:
    """1×C×H×W → H×W."""
    values: Floats = found.detach().sum(1)[0].float().numpy()
    return values


_METHODS: dict[str, Callable[[_Asked], Floats]] = {
    "saliency": _saliency,
    "input-x-gradient": _input_x_gradient,
    "integrated-gradients": _integrated_gradients,
    "grad-cam": _grad_cam,
    "occlusion": _occlusion,
    "conductance": _conductance,
}
COMPLETE: tuple[Method, ...] = ("integrated-gradients", "conductance")  # their values add up to the change of the logit
AT_BLOCK = ("grad-cam", "conductance")


@answers(AttributionQuestion)
def answer_attribution(question: AttributionQuestion, subject: Subject, progress: Progress) -> Attribution:
    """What speaks for a class."""
    asked, (picture, _) = question, subject.picture(question.picture)
    net, info = subject.net(asked.step), subject.images.info
    return attribute(net, picture, info, asked.method, asked.target, asked.at or "", progress=progress)


@answers(RandomisedQuestion)
def answer_randomised(question: RandomisedQuestion, subject: Subject, progress: Progress) -> Randomised:
    """The same, while the net forgets."""
    asked, (picture, _) = question, subject.picture(question.picture)
    net, info = subject.net(asked.step), subject.images.info
    return randomised(net, picture, info, asked.method, asked.target, asked.at or "", progress=progress)
