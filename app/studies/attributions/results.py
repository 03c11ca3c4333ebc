"""Which pixels and blocks a decision rests on."""

from dataclasses import dataclass

from app.values.arrays import Floats, Ints


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Randomised:
    """One attribution while the weights are randomised from the head down, a block more each time: K stages."""

    method: str
    stages: tuple[str, ...]  # K, the deepest part that is random; the first is the trained net
    values: Floats  # K × side × side
    correlation: Floats  # K, Spearman's, with the trained net's
