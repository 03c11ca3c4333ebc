"""Is the gradient a signal or noise? Its autocorrelation along the input.

Balduzzi et al. 2017, *The Shattered Gradients Problem: If resnets are the answer, then what is the question?*, figure 1
and section 2: fully connected nets from one number to one number. Then the same question for images.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from app.analysis.answering import answers
from app.analysis.moment import recompute_statistics
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import Images
from app.studies.gradients.likeness import STATISTICS_IMAGES, likeness
from app.studies.gradients.measurement import batch
from app.studies.shattered.questions import Neighbours, NeighboursQuestion, Shattered, ShatteredQuestion
from app.values.arrays import Floats
from models.nets.net import build, generator
from models.spec import NetSpec

NEURONS = 200
POINTS = 256  # inputs, evenly spaced on −2…2
NETS = 20
LAGS = 40
BAND = (5.0, 95.0)  # percentiles over the nets
DISTANCES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


@dataclass(frozen=True)
class Chain:
    """A fully connected net of `depth` layers of 200 neurons: h ← W σ(h), with a shortcut h ← h + β W σ(h).

    With BN, σ sees normalised numbers (Balduzzi 2017, section 3.3).
    """

    depth: int
    shortcut: bool = False
    beta: float = 1.0
    norm: bool = False

    @property
    def name(self) -> str:
        """`50 layers, shortcuts, β 0.1, BN`."""
        shortcut = f", shortcuts, β {self.beta:g}" if self.shortcut else ""
        return f"{self.depth} layer{'s' * (self.depth > 1)}{shortcut}{', BN' * self.norm}"


# Figure 1, whose deep nets are normalised too; and what more layers and a larger β do.
CHAINS = (
    Chain(1),
    Chain(24, norm=True),
    Chain(50, norm=True),
    Chain(50, shortcut=True, beta=0.1, norm=True),
    Chain(50, shortcut=True, beta=1.0, norm=True),
)


def shattered(
    chains: tuple[Chain, ...] = CHAINS, nets: int = NETS, seed: int = 0, lags: int = LAGS, progress: Progress = quiet
) -> Shattered:
    """Gradients along the input for nets of each kind, and brown and white noise on the same grid."""
    x = np.linspace(-2, 2, POINTS)
    curves = []
    for done, chain in enumerate(chains):
        progress(done, len(chains))
        curves.append(gradient_of(chain, x, nets, seed))
    white = torch.randn(nets, POINTS, generator=generator(seed, "white"), dtype=torch.float64).numpy()
    brown = torch.randn(nets, POINTS, generator=generator(seed, "brown"), dtype=torch.float64).cumsum(1).numpy()
    curves += [brown, white]
    each = [autocorrelation(curve, lags) for curve in curves]
    progress(len(chains), len(chains))
    return Shattered(
        names=(*(chain.name for chain in chains), "brown noise", "white noise"),
        inputs=x,
        gradients=np.stack([curve[0] for curve in curves]),
        lags=np.arange(lags + 1),
        autocorrelation=np.stack([curve.mean(0) for curve in each]),
        low=np.stack([np.percentile(curve, BAND[0], axis=0) for curve in each]),
        high=np.stack([np.percentile(curve, BAND[1], axis=0) for curve in each]),
        nets=nets,
    )


def gradient_of(chain: Chain, x: Floats, nets: int, seed: int) -> Floats:
    """df/dx at each x (X) for each of so many nets: nets × X."""
    at = torch.from_numpy(x).float().expand(nets, -1).clone().requires_grad_()  # each net its own: one backward pass
    (gradient,) = torch.autograd.grad(values_of(chain, at, seed).sum(), at)
    return gradient.double().numpy()


def values_of(chain: Chain, at: Tensor, seed: int) -> Tensor:
    """f(x) for each row of inputs, a net of its own for each: nets × X → nets × X.

    He's weights; the first layer's are normal, and so are its biases, so that its neurons bend between −2 and 2. The
    other layers have none. The statistics of BN are those over x, and are held: f is a function of one number.
    """
    nets = len(at)
    own = generator(seed, "shattered", chain.depth)
    first, bias = (torch.randn(nets, 1, NEURONS, generator=own) for _ in range(2))
    h = at[..., None] * first + bias  # nets × X × neurons
    for _ in range(chain.depth - 1):
        weight = torch.randn(nets, NEURONS, NEURONS, generator=own) * (2 / NEURONS) ** 0.5
        f = torch.bmm(_sigma(chain, h), weight)
        h = h + chain.beta * f if chain.shortcut else f
    last = torch.randn(nets, NEURONS, 1, generator=own) / NEURONS**0.5
    return torch.bmm(_sigma(chain, h), last)[..., 0]


def _sigma(chain: Chain, h: Tensor) -> Tensor:
    if chain.norm:
        with torch.no_grad():
            mean, std = h.mean(1, keepdim=True), h.std(1, keepdim=True)
        h = (h - mean) / (std + 1e-5)
    return h.relu()


def autocorrelation(gradients: Floats, lags: int) -> Floats:
    """Autocorrelation of each net's gradient at lags 0…`lags`: nets × X → nets × (lags + 1).

    Mean removed net by net, sums over what overlaps, divided by lag 0. Average over nets afterwards. NaN for a gradient
    that is constant.
    """
    centred = gradients - gradients.mean(1, keepdims=True)
    points = centred.shape[1]
    sums = [(centred[:, : points - lag] * centred[:, lag:]).sum(1) for lag in range(lags + 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.stack(sums, 1) / sums[0][:, None]


# ---- images --------------------------------------------------------------------------------------------------------


def neighbours(
    nets: tuple[NetSpec, ...],
    images: Images,
    seeds: tuple[int, ...] = (0, 1, 2),
    count: int = 32,
    distances: tuple[float, ...] = DISTANCES,
    progress: Progress = quiet,
) -> Neighbours:
    """How alike the input gradients of an image and its neighbours are, in nets at initialisation."""
    x, y = batch(images, count)
    found = np.empty((len(nets), len(seeds), count, len(distances)))
    for done, (g, s) in enumerate(np.ndindex(len(nets), len(seeds))):
        progress(done, len(nets) * len(seeds))
        net = build(nets[g], seeds[s])
        recompute_statistics(net, images, STATISTICS_IMAGES)
        found[g, s] = likeness(net, x, y, distances)
    progress(len(nets) * len(seeds), len(nets) * len(seeds))
    flat = found.reshape(len(nets), -1, len(distances))
    low, high = np.percentile(flat, BAND, axis=1)
    return Neighbours(tuple(map(str, nets)), np.array(distances), flat.mean(1), low, high, count)


@answers(ShatteredQuestion)
def answer_shattered(question: ShatteredQuestion, _of: Subject, progress: Progress) -> Shattered:
    """Balduzzi's fully connected nets."""
    depth, norm = question.depth, question.norm
    chains = (Chain(1), Chain(depth, norm=norm), Chain(depth, shortcut=True, beta=question.beta, norm=norm))
    return shattered(chains, seed=question.seed, progress=progress)


@answers(NeighboursQuestion)
def answer_neighbours(question: NeighboursQuestion, subject: Subject, progress: Progress) -> Neighbours:
    """Convolutional nets."""
    info = subject.images.info
    nets = tuple(NetSpec.parse(net).fitted(info.channels, info.classes) for net in question.nets)
    return neighbours(nets, subject.images, progress=progress)
