"""The signal on its way forward: how strongly each layer responds, and how small the residuals are.

He et al. 2015, *Deep Residual Learning for Image Recognition*, section 4.2, "Analysis of Layer Responses", figure 7:
the standard deviation of each 3×3 layer's response, after BN and before ReLU and the addition.
"""

import numpy as np
import torch
from torch import Tensor, nn

from app.analysis.answering import answers
from app.analysis.progress import Progress
from app.analysis.subject import Subject
from app.studies.signal.questions import Signal, SignalQuestion
from app.training.probes import Mode, block_names, outputs, undisturbed, ways
from models.nets.blocks import ACTIVATIONS
from models.nets.net import Net
from models.plan import plan


def signal(net: Net, x: Tensor, mode: Mode = "evaluation") -> Signal:
    """Responses, activations and residuals over the images x, N×C×H×W."""
    places = response_places(net)
    kinds = tuple(ACTIVATIONS.values())
    acts = [name for name, module in net.named_modules() if isinstance(module, kinds)]
    std: dict[str, float] = {}
    mean: dict[str, float] = {}
    zeros: dict[str, float] = {}
    dead: dict[str, float] = {}
    ratio: dict[str, float] = {}

    def respond(name: str, response: Tensor) -> None:
        std[name] = float(response.double().std(correction=0))

    def activate(name: str, output: Tensor) -> None:
        zero = output == 0
        mean[name], zeros[name] = float(output.double().mean()), float(zero.double().mean())
        dead[name] = float(zero.transpose(0, 1).flatten(1).all(1).double().mean())  # N×C×… → C

    def split(name: str, _x: Tensor, s: Tensor | None, f: Tensor | None) -> None:
        # What the shortcut passes, not what enters the block: where shapes change these are two things.
        if s is not None and f is not None:
            ratio[name] = float((f.flatten(1).double().norm(dim=1) / s.flatten(1).double().norm(dim=1)).mean())

    with (
        undisturbed(net, mode, seed=0),
        outputs(net, places.values(), respond),
        outputs(net, acts, activate),
        ways(net, block_names(net), split),
        torch.no_grad(),
    ):
        net(x)
    return Signal(
        layers=tuple(places),
        response_std=np.array([std.get(place, np.nan) for place in places.values()]),  # a dropped branch has none
        activations=tuple(name for name in acts if name in mean),
        means=np.array([mean[name] for name in acts if name in mean]),
        zeros=np.array([zeros[name] for name in acts if name in mean]),
        dead=np.array([dead[name] for name in acts if name in mean]),
        blocks=tuple(block_names(net)),
        residual=np.array([ratio.get(name, np.nan) for name in block_names(net)]),
        images=len(x),
    )


def response_places(net: Net) -> dict[str, str]:
    """Where each layer's response is seen: at the batch normalisation that follows it, else at the layer itself.

    The stem and the branches' convolutions: what stands on a shortcut, or after the last block, is no response.
    """
    layers = [layer.name for layer in plan(net.spec).layers if layer.role in ("stem", "branch")]
    modules = dict(net.named_modules())
    return {
        name: norm if isinstance(modules.get(norm := _norm_after(name)), nn.BatchNorm2d) else name for name in layers
    }


def _norm_after(layer: str) -> str:
    """`blocks.3.branch.conv2` → `blocks.3.branch.norm2`."""
    parent, _, own = layer.rpartition(".")
    return f"{parent}.{own.replace('conv', 'norm')}"


@answers(SignalQuestion)
def answer_signal(question: SignalQuestion, subject: Subject, _progress: Progress) -> Signal:
    """Responses and residuals."""
    return signal(subject.net(question.step), subject.test(question.images)[0])
