"""What is asked about the paths of a net, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import At, Images, Lane, Question
from app.values.results import Result, result


@result
class PathGradients:
    """What all paths of each length carry of the gradient, exactly: of K lengths, over so many images.

    Norms are means over the images of the L2 norm of one image's gradient, by `at`: image, stem or block:I, with so
    many `blocks` behind it. What is missing of the ordinary gradient is the remainder: longer paths, or rounding alone
    where every length is there.
    """

    at: str
    images: int
    blocks: int
    lengths: Ints  # K, residual branches passed
    counts: tuple[str, ...]  # K, number of paths, in full
    log10_counts: Floats  # K
    norms: Floats  # K, of the sum over the paths of that length
    gradient_norm: float
    remainder_norm: float
    relative_remainder: float  # L2 norm of remainder ÷ of gradient, over all images at once


@result
class SampledPaths:
    """Norms of single paths, drawn at random: Veit et al. 2016, section 4.3. Fields as in `PathGradients`.

    `low` and `high` bound the mean at 95%. `effective`: first and last length of the shortest range that holds 95% of
    number × mean norm, empty where not all lengths were drawn; `effective_share`: its part of all paths, else NaN.
    """

    at: str
    images: int
    blocks: int
    draws: int  # paths of each length
    lengths: Ints  # K
    counts: tuple[str, ...]  # K
    log10_counts: Floats  # K
    means: Floats  # K, mean L2 norm of one path's gradient
    low: Floats  # K
    high: Floats  # K
    effective: tuple[int, ...]
    effective_share: float


class PathsQuestion(Question):
    """The exact gradient by length of path, over the first so many test images."""

    returns: ClassVar[type[Result]] = PathGradients
    kind: Literal["paths"] = "paths"
    at: At = "stem"
    images: Images = 64


class DeepPathsQuestion(PathsQuestion):
    """The same question, and the same answer, of a net so deep that others should not have to wait for it."""

    lane: ClassVar[Lane] = "study"


class SampledPathsQuestion(Question):
    """Single paths drawn at random, so many of each length for each image."""

    returns: ClassVar[type[Result]] = SampledPaths
    kind: Literal["sampled-paths"] = "sampled-paths"
    at: At = "stem"
    images: Images = 64
    draws: int = Field(default=1, ge=1, le=100)
    seed: int = 0
    lane: ClassVar[Lane] = "study"
