"""What is asked about the pixels that speak for a class, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Lane, Picture, Place, Question
from app.values.results import Result, result


@result
class Attribution:
    """How much each pixel of an image speaks for a class, by one method."""

    method: str
    at: str  # the block, where the method asks for one
    target: int
    values: Floats  # side × side, colours added up
    picture: Ints  # channels × side × side, pixels 0…255
    probabilities: Floats
    completeness: float  # what the values should add up to: the change of the logit from the baseline; NaN: not claimed
    delta: float  # what they add up to, less that; NaN: not claimed


@result
class Randomised:
    """One attribution while the weights are randomised from the head down, a block more each time: K stages."""

    method: str
    stages: tuple[str, ...]  # K, the deepest part that is random; the first is the trained net
    values: Floats  # K × side × side
    correlation: Floats  # K, Spearman's, with the trained net's


Method = Literal["saliency", "input-x-gradient", "integrated-gradients", "grad-cam", "occlusion", "conductance"]

STEPS = 50  # of the integral that integrated gradients and conductance are


class AttributionQuestion(Question):
    """How much each pixel speaks for a class (None: the predicted one)."""

    returns: ClassVar[type[Result]] = Attribution
    kind: Literal["attribution"] = "attribution"
    picture: Picture = "test:0"
    method: Method = "saliency"
    target: int | None = Field(default=None, ge=0, le=9999)
    at: Place | None = None


class RandomisedQuestion(AttributionQuestion):
    """The same, while the weights are randomised from the head down."""

    returns: ClassVar[type[Result]] = Randomised
    kind: Literal["randomised"] = "randomised"  # type: ignore[assignment]
    lane: ClassVar[Lane] = "study"
