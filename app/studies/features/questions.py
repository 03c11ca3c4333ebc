"""What is asked about what a net sees, and what comes back."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Images, Lane, Picture, Place, Question
from app.values.results import Result, result


@result
class Pictures:
    """A few test images, and the classes they belong to."""

    pixels: NDArray[np.uint8]  # N × C × H × W
    labels: Ints  # N


@result
class FeatureMaps:
    """What a place of a net makes of one image: P parts of C channels, maps of H × W numbers.

    A block has the parts shortcut, branch, sum (what σ is applied to) and output; a layer has its output alone.
    """

    at: str
    parts: tuple[str, ...]  # P
    maps: Floats  # P × C × H × W
    picture: Ints  # channels × side × side, pixels 0…255
    probabilities: Floats  # of the classes, from the whole net
    label: int  # the true class, −1 where nobody said
    field_side: int  # of the receptive field, image pixels
    field_jump: int  # image pixels between the fields of neighbours
    field_start: int  # the first image pixel of the first number's field; negative where padding is seen

    def part(self, name: str) -> Floats:
        """C × H × W."""
        return np.asarray(self.maps[self.parts.index(name)])

    def window(self, place: int) -> tuple[int, int]:
        """The image pixels begin…end (not included) that a number in that row, or column, can depend on."""
        begin = self.field_start + place * self.field_jump
        return max(begin, 0), min(begin + self.field_side, self.picture.shape[-1])


@result
class Kernels:
    """The weights of the first convolution: K kernels, each of C colours, side × side."""

    weights: Floats  # K × C × side × side

    @property
    def brightness(self) -> Floats:
        """K: the share of a kernel's squared weights that is in its mean over places, 0…1; the rest are differences."""
        side = self.weights.shape[-1]
        whole = (self.weights**2).sum((1, 2, 3))
        means = side**2 * (self.weights.mean((2, 3)) ** 2).sum(1)
        return np.divide(means, whole, out=np.zeros_like(whole), where=whole > 0)


@result
class Confused:
    """The K wrongly classified test images of which the net is surest, the surest first."""

    places: Ints  # K, in the test set
    labels: Ints  # K, the true class
    predicted: Ints  # K
    confidence: Floats  # K, probability of the predicted class
    images: int


@result
class Excitement:
    """The K test images that excite each of C channels most, the most first, and where they do.

    Windows: first and last + 1 row, first and last + 1 column of the receptive field, clipped to the image.
    """

    at: str
    part: str
    places: Ints  # C × K, in the test set
    values: Floats  # C × K
    windows: Ints  # C × K × 4
    images: int


@result
class DepthRead:
    """The head read after 0, 1, … B blocks, the others cut: what the net would say if it stopped there.

    Over N images of C classes; `kept`: blocks that cannot be cut (a plain net's, where shapes change) and stay.
    """

    probabilities: Floats  # B+1 × C, mean over the images
    accuracy: Floats  # B+1, percent
    loss: Floats  # B+1, nats; both NaN where nobody said the true class
    kept: tuple[int, ...]
    images: int


@result
class Maximised:
    """A picture made to excite one channel, and how much it does after each of T steps."""

    at: str
    channel: int
    picture: Ints  # channels × side × side, pixels 0…255
    values: Floats  # T, mean of the channel's map
    seed: int


class PicturesQuestion(Question):
    """A few test images themselves, by their places in the test set."""

    returns: ClassVar[type[Result]] = Pictures
    kind: Literal["pictures"] = "pictures"
    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=400)


class ConfusedQuestion(Question):
    """The test images, among the first so many, on which the net errs with the greatest confidence."""

    returns: ClassVar[type[Result]] = Confused
    kind: Literal["confused"] = "confused"
    images: Images = 1000


class KernelsQuestion(Question):
    """The weights of the first convolution."""

    returns: ClassVar[type[Result]] = Kernels
    kind: Literal["kernels"] = "kernels"

    @property
    def needs_images(self) -> bool:
        """Its weights are asked."""
        return False


class FeaturesQuestion(Question):
    """All channels of a place, for one picture."""

    returns: ClassVar[type[Result]] = FeatureMaps
    kind: Literal["features"] = "features"
    picture: Picture = "test:0"
    at: Place = "blocks.0"


class ExcitementQuestion(Question):
    """The test images that excite each channel of a place most, among the first so many."""

    returns: ClassVar[type[Result]] = Excitement
    kind: Literal["excitement"] = "excitement"
    at: Place = "blocks.0"
    part: Literal["shortcut", "branch", "sum", "output"] = "output"
    images: Images = 500


class DepthQuestion(Question):
    """The head read after every block: for one picture, or (none said) over the first so many test images."""

    returns: ClassVar[type[Result]] = DepthRead
    kind: Literal["depth"] = "depth"
    picture: Picture | None = None
    images: Images = 500


class MaximisedQuestion(Question):
    """A picture made to excite one channel."""

    returns: ClassVar[type[Result]] = Maximised
    kind: Literal["maximised"] = "maximised"
    at: Place = "blocks.0"
    channel: int = Field(default=0, ge=0, le=9999)
    steps: int = Field(default=160, ge=1, le=1000)
    seed: int = 0
    lane: ClassVar[Lane] = "study"

    @property
    def needs_images(self) -> bool:
        """Its weights are asked."""
        return False
