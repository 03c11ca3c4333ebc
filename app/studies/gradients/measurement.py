"""How large the gradient is at every layer and every block of a net.

He et al. 2015, *Deep Residual Learning for Image Recognition*, section 4.1: "we also verify that the backward
propagated gradients exhibit healthy norms with BN". A weight under batch normalisation has a gradient in proportion to
1 ÷ its own norm, so that the gradient with respect to what a block puts out says more than that of its weights.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from app.analysis.answering import answers
from app.analysis.moment import recompute_statistics
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import Images, prepare
from app.studies.gradients.likeness import NEAR, STATISTICS_IMAGES, likeness
from app.studies.gradients.questions import (
    Distribution,
    DistributionQuestion,
    Gradients,
    GradientsQuestion,
    Sizes,
    SizesQuestion,
)
from app.training.probes import Mode, block_names, outputs, undisturbed
from app.values.arrays import Floats, Ints
from models.nets.net import Net, weight_layers
from models.plan import plan
from models.spec import NetSpec

BINS = 81
LIKENESS_IMAGES = 32


def batch(images: Images, count: int, nth: int = 0) -> tuple[Tensor, Tensor]:
    """The first `count` training images, or the nth so many: N×C×H×W, ready for a net, and their labels, N."""
    those = slice(nth * count, (nth + 1) * count)
    return prepare(images.train[those], images.info), images.train_labels[those]


def gradients(net: Net, x: Tensor, y: Tensor, mode: Mode = "training") -> Gradients:
    """Norm and RMS of the loss's gradient at every weight layer and block. x: N×C×H×W; y: N, labels.

    The RMS is over all numbers of the batch's output; as the loss is a mean, it falls as 1 ÷ N. A net at its first step
    has no running statistics: in evaluation mode it must be given some first.
    """
    weights = weight_layers(net)
    seen: dict[str, Tensor] = {}
    with undisturbed(net, mode, seed=0), outputs(net, [*weights, *places(net)], seen.__setitem__), torch.enable_grad():
        loss = F.cross_entropy(net(x), y)
        computed = torch.autograd.grad(loss, [*weights.values(), *seen.values()], allow_unused=True)
    weight_norm = np.array([norm(gradient) for gradient in computed[: len(weights)]])
    rms = {
        name: norm(g) / math.sqrt(seen[name].numel()) for name, g in zip(seen, computed[len(weights) :], strict=True)
    }
    return Gradients(
        layers=tuple(weights),
        on_shortcut=tuple(layer.projection for layer in plan(net.spec).layers),
        weight_norm=weight_norm,
        weight_rms=weight_norm / np.sqrt([weight.numel() for weight in weights.values()]),
        weight_size=np.array([norm(weight.detach()) for weight in weights.values()]),
        output_rms=np.array([rms.get(name, 0.0) for name in weights]),
        places=tuple(places(net)),
        stages=stages(net.spec),
        block_rms=np.array([rms[name] for name in places(net)]),
        loss=float(loss.detach()),
        images=len(x),
        mode=mode,
    )


def sizes(net: Net, images: Images, count: int, batches: int, step: int, progress: Progress = quiet) -> Sizes:
    """Gradients of one batch of `count` training images after another, as many as there are, at most `batches`."""
    full = max(min(batches, len(images.train) // count), 1)
    found = []
    for nth in range(full):
        progress(nth, full)
        found.append(gradients(net, *batch(images, count, nth)))
    near: Floats = np.empty(0)
    if step == 0:
        recompute_statistics(net, images, STATISTICS_IMAGES)
        near = likeness(net, *batch(images, LIKENESS_IMAGES), (NEAR,))[:, 0]
    first = found[0]
    return Sizes(
        places=first.places,
        stages=first.stages,
        block_rms=np.array([one.block_rms for one in found]),
        layers=first.layers,
        layer_stages=layer_stages(net.spec),
        weight_norm=np.array([one.weight_norm for one in found]),
        weight_size=first.weight_size,
        likeness=near,
        images=first.images,
    )


def block_rms(net: Net, x: Tensor, y: Tensor, mode: Mode = "training") -> Floats:
    """`gradients(…).block_rms` alone, in half the time: no gradient of a weight is computed."""
    seen: dict[str, Tensor] = {}
    with undisturbed(net, mode, seed=0), outputs(net, places(net), seen.__setitem__), torch.enable_grad():
        gradients = torch.autograd.grad(F.cross_entropy(net(x), y), list(seen.values()))
    return np.array([norm(gradient) / math.sqrt(gradient.numel()) for gradient in gradients])


def places(net: Net) -> list[str]:
    """Where the activation gradient is measured: what the stem puts out, and each block."""
    return ["stem", *block_names(net)]


def norm(gradient: Tensor | None) -> float:
    """L2 norm; 0 for none, which is what a dropped branch has."""
    # Summed in float64: 1e-25 has no square in float32.
    return 0.0 if gradient is None else float(torch.linalg.vector_norm(gradient, dtype=torch.float64))


def stages(spec: NetSpec) -> Ints:
    """The stage of the stem's output and of each block's; the stem belongs to the first where its shape is the same."""
    blocks = plan(spec).blocks
    first = blocks[0]
    alike = not first.reshapes and first.pooled == 1 and first.inputs == first.outputs
    return np.array([first.stage if alike else -1, *(block.stage for block in blocks)])


def layer_stages(spec: NetSpec) -> Ints:
    """The stage of each weight layer that is on the way through the branches; −1 for those beside it, and the head."""
    planned, stem = plan(spec), int(stages(spec)[0])
    return np.array(
        [
            stem
            if layer.role == "stem"
            else planned.blocks[layer.block].stage
            if layer.role == "branch" and layer.block is not None
            else -1
            for layer in planned.layers
        ]
    )


def distribution(net: Net, x: Tensor, y: Tensor, layer: str, mode: Mode = "training") -> Distribution:
    """The numbers of the weight gradient of `layer` in bins. Raises KeyError for a layer that the net has not."""
    weight = weight_layers(net)[layer]
    with undisturbed(net, mode, seed=0), torch.enable_grad():
        (gradient,) = torch.autograd.grad(F.cross_entropy(net(x), y), [weight], allow_unused=True)
    values = np.zeros(weight.numel()) if gradient is None else gradient.double().flatten().numpy()
    reach = float(np.abs(values).max()) or 1.0
    counts, edges = np.histogram(values, BINS, (-reach, reach))
    std = float(values.std())
    fourth = float(((values - values.mean()) ** 4).mean())
    return Distribution(
        layer=layer,
        edges=edges,
        counts=counts,
        mean=float(values.mean()),
        std=std,
        kurtosis=fourth / std**4 - 3 if std else 0.0,
        zeros=float((values == 0).mean()),
    )


@answers(GradientsQuestion)
def answer_gradients(question: GradientsQuestion, subject: Subject, _progress: Progress) -> Gradients:
    """Every layer and block."""
    return gradients(subject.kept(question.step), *batch(subject.images, question.images))


@answers(SizesQuestion)
def answer_sizes(question: SizesQuestion, subject: Subject, progress: Progress) -> Sizes:
    """Batch after batch; at initialisation also how alike the gradients of neighbours are."""
    net = subject.kept(question.step)
    return sizes(net, subject.images, question.images, question.batches, question.step, progress)


@answers(DistributionQuestion)
def answer_distribution(question: DistributionQuestion, subject: Subject, _progress: Progress) -> Distribution:
    """One layer's weight gradient. Raises ValueError where the net has no such layer."""
    try:
        return distribution(subject.kept(question.step), *batch(subject.images, question.images), question.layer)
    except KeyError as error:
        raise ValueError(f"this net has no layer {question.layer}") from error
