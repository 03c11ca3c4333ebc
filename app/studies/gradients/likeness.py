"""How alike the gradients of neighbouring inputs are.

Balduzzi et al. 2017, *The Shattered Gradients Problem*, say it of inputs on a line; here the line leads from one image
to another.
"""

import torch
from torch import Tensor

from app.training.probes import undisturbed
from app.values.arrays import Floats
from models.nets.net import Net

NEAR = 0.01  # of the way to another image: a neighbour nobody could tell apart
STATISTICS_IMAGES = 500  # of which running statistics are made for a net at initialisation


def likeness(net: Net, x: Tensor, y: Tensor, distances: tuple[float, ...]) -> Floats:
    """Cosine between the input gradient at each image and at points on the straight line to the next one, N × D.

    x: N×C×H×W; y: N, the class whose logit is differentiated, all along the line. Evaluation mode, since batch
    statistics would make an image's gradient depend on its neighbours; the running ones must be sound.
    """
    towards = x.roll(1, 0) - x
    start = _input_gradient(net, x, y)
    return torch.stack(
        [torch.cosine_similarity(start, _input_gradient(net, x + part * towards, y), dim=1) for part in distances], 1
    ).numpy()


def _input_gradient(net: Net, x: Tensor, y: Tensor) -> Tensor:
    """The gradient of each image's own logit with respect to its pixels: N × pixels, float64."""
    x = x.detach().clone().requires_grad_()
    with undisturbed(net, "evaluation"), torch.enable_grad():
        (gradient,) = torch.autograd.grad(net(x).gather(1, y[:, None]).sum(), x)
    return gradient.flatten(1).double()
