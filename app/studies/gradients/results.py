"""The size of gradients and of responses, and how far gradients shatter."""

from dataclasses import dataclass

from app.values.arrays import Floats, Ints


@dataclass(frozen=True)
class Gradients:
    """Gradients of the mean cross-entropy at one moment, over a batch of `images`.

    L weight layers and P = 1 + blocks places (the stem's output, then each block's), both from input to output.
    """

    layers: tuple[str, ...]  # L
    on_shortcut: tuple[bool, ...]  # L, True for projections
    weight_norm: Floats  # L, L2 norm of the gradient with respect to the weight
    weight_rms: Floats  # L, the same per parameter: norm ÷ √parameters
    weight_size: Floats  # L, L2 norm of the weight itself
    output_rms: Floats  # L, RMS of the gradient with respect to the layer's own output
    places: tuple[str, ...]  # P
    stages: Ints  # P, places of one number have one shape, and can be compared; −1: with none
    block_rms: Floats  # P, RMS of the gradient with respect to the place's output
    loss: float  # nats
    images: int
    mode: str  # training or evaluation: batch statistics, or the running ones


@dataclass(frozen=True)
class Distribution:
    """How the numbers of one layer's weight gradient are distributed: B bins of equal width around zero."""

    layer: str
    edges: Floats  # B + 1
    counts: Ints  # B; they add up to the layer's parameters
    mean: float
    std: float
    kurtosis: float  # excess: 0 for a normal distribution
    zeros: float  # share that is exactly zero


@dataclass(frozen=True)
class Grid:
    """Activation gradients at initialisation: G nets, S seeds, at most P places (NaN and −1 beyond a net's own)."""

    nets: tuple[str, ...]  # G, as `NetSpec.parse` reads them
    seeds: tuple[int, ...]  # S
    rms: Floats  # G × S × P
    stages: Ints  # G × P
    factors: Floats  # G × S, change per block towards the input
    images: int


@dataclass(frozen=True)
class Course:
    """Activation gradients of one net over its first steps: M moments, P places. Errors in percent."""

    net: str
    steps: Ints  # M
    rms: Floats  # M × P
    stages: Ints  # P
    factors: Floats  # M, change per block towards the input
    train_error: float  # mean over the last steps' batches; NaN where there was no step
    test_error: float
    diverged: bool
    going_on: bool = False  # more steps are to come


@dataclass(frozen=True)
class Signal:
    """The forward signal of one net in evaluation mode: L layers, A activations, B blocks, from input to output."""

    layers: tuple[str, ...]  # L, the stem and the branches' convolutions
    response_std: Floats  # L, after BN, before σ and the addition
    activations: tuple[str, ...]  # A
    means: Floats  # A
    zeros: Floats  # A, share of outputs that are zero
    dead: Floats  # A, share of channels that are zero for every image, everywhere
    blocks: tuple[str, ...]  # B
    residual: Floats  # B, ‖F(x)‖ ÷ ‖x‖, mean over the images
    images: int


@dataclass(frozen=True)
class Shattered:
    """The gradient of fully connected nets as a function of their one input, and noise beside it.

    C curves, X inputs, K lags. The band: 5th and 95th percentiles over the nets.
    """

    names: tuple[str, ...]  # C
    inputs: Floats  # X
    gradients: Floats  # C × X, of the first net
    lags: Ints  # K, in grid points
    autocorrelation: Floats  # C × K, mean over the nets
    low: Floats  # C × K
    high: Floats  # C × K
    nets: int


@dataclass(frozen=True)
class Neighbours:
    """How alike the input gradients of neighbouring images are: G nets, D distances. The band as in `Shattered`."""

    nets: tuple[str, ...]  # G
    distances: Floats  # D, part of the way to another image
    correlation: Floats  # G × D, cosine of the two gradients, mean over images and seeds
    low: Floats  # G × D
    high: Floats  # G × D
    images: int
