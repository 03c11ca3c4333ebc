"""What is asked about the size of gradients, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Batch, Question
from app.values.results import Result, result


@result
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


@result
class Sizes:
    """What the truth table is made of, of one net at one moment: gradients of B batches of images, and its weights.

    P places and L layers as in `Gradients`. Batch after batch, so that what holds of the net is told from what holds of
    some images.
    """

    places: tuple[str, ...]  # P
    stages: Ints  # P
    block_rms: Floats  # B × P, RMS of the gradient with respect to the place's output
    layers: tuple[str, ...]  # L
    layer_stages: Ints  # L, the stage whose block it is in; the stem's as in `stages`; −1: in none, or on a shortcut
    weight_norm: Floats  # B × L, L2 norm of the gradient with respect to the weight
    weight_size: Floats  # L, L2 norm of the weight itself
    likeness: Floats  # N, each image's own (`likeness`); none after initialisation, where nothing is claimed of it
    images: int  # of a batch


@result
class Distribution:
    """How the numbers of one layer's weight gradient are distributed: B bins of equal width around zero."""

    layer: str
    edges: Floats  # B + 1
    counts: Ints  # B; they add up to the layer's parameters
    mean: float
    std: float
    kurtosis: float  # excess: 0 for a normal distribution
    zeros: float  # share that is exactly zero


@result
class Grid:
    """Activation gradients at initialisation: G nets, S seeds, at most P places (NaN and −1 beyond a net's own)."""

    nets: tuple[str, ...]  # G, as `NetSpec.parse` reads them
    seeds: tuple[int, ...]  # S
    rms: Floats  # G × S × P
    stages: Ints  # G × P
    images: int


@result
class Course:
    """`Sizes` of one net at M moments of its training. Errors in percent."""

    net: str
    seed: int
    steps: Ints  # M
    stages: Ints  # P
    block_rms: Floats  # M × B × P
    layers: tuple[str, ...]  # L
    layer_stages: Ints  # L
    weight_norm: Floats  # M × B × L
    weight_size: Floats  # M × L
    likeness: Floats  # N, at initialisation; none where that is no moment of it
    train_error: float  # mean over the last steps' batches; NaN where there was no step
    test_error: float
    diverged: bool
    images: int
    going_on: bool = False  # more steps are to come


class GradientsQuestion(Question):
    """Norm and RMS of the gradient at every layer and block, training mode."""

    returns: ClassVar[type[Result]] = Gradients
    kind: Literal["gradients"] = "gradients"
    images: Batch = 64


class SizesQuestion(Question):
    """The size of gradients and weights, batch after batch of training images, training mode."""

    returns: ClassVar[type[Result]] = Sizes
    kind: Literal["sizes"] = "sizes"
    images: Batch = 64
    batches: int = Field(default=6, ge=1, le=32)


class DistributionQuestion(Question):
    """The weight gradient of one layer, number by number."""

    returns: ClassVar[type[Result]] = Distribution
    kind: Literal["distribution"] = "distribution"
    layer: str = Field(max_length=120)
    images: Batch = 64
