"""What is asked about shattered gradients, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Lane, NetName, Question
from app.values.results import Result, result


@result
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


@result
class Neighbours:
    """How alike the input gradients of neighbouring images are: G nets, D distances. The band as in `Shattered`."""

    nets: tuple[str, ...]  # G
    distances: Floats  # D, part of the way to another image
    correlation: Floats  # G × D, cosine of the two gradients, mean over images and seeds
    low: Floats  # G × D
    high: Floats  # G × D
    images: int


class ShatteredQuestion(Question):
    """The gradient along one input: one layer, a deep plain net, and its twin with shortcuts."""

    returns: ClassVar[type[Result]] = Shattered
    kind: Literal["shattered"] = "shattered"
    depth: int = Field(default=50, ge=2, le=100)
    beta: float = Field(default=0.1, ge=0, le=1)
    norm: bool = True
    seed: int = Field(default=0, ge=0)


class NeighboursQuestion(Question):
    """How alike the gradients of neighbouring images are, in nets at initialisation."""

    returns: ClassVar[type[Result]] = Neighbours
    kind: Literal["neighbours"] = "neighbours"
    nets: tuple[NetName, ...] = Field(min_length=1, max_length=8)
    lane: ClassVar[Lane] = "study"
