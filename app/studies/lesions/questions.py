"""What is asked about blocks removed or moved, and what comes back."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Images, Lane, Question
from app.values.results import Result, result


@result
class SingleLesions:
    """Every one of B blocks cut alone, on the first N test images of C classes. Errors in percent, losses in nats.

    A block that cannot be cut (a plain net's, where shapes change) has NaN, and −1 for its predictions.
    """

    full_error: float
    full_loss: float
    full_class_error: Floats  # C, NaN for a class without images
    full_predicted: Ints  # N
    error: Floats  # B
    loss: Floats  # B
    class_error: Floats  # B × C
    predicted: Ints  # B × N
    labels: Ints  # N

    @property
    def flips(self) -> Ints:
        """For each image, how many of the single cuts change its prediction."""
        changed = (self.predicted != self.full_predicted) & (self.predicted >= 0)
        return np.asarray(changed.sum(0))

    @property
    def first_flipped(self) -> Ints:
        """The images in the order in which they give way: the most flips first, equal ones in the data's own order."""
        return np.argsort(-self.flips, kind="stable")


@result
class RandomLesions:
    """k blocks cut at random, D draws for each of K values of k, on N images. Errors in percent, losses in nats."""

    full_error: float
    full_loss: float
    full_wrong: Ints  # ⌈N/8⌉ bytes, a bit an image
    k: Ints  # K
    error: Floats  # K × D
    loss: Floats  # K × D
    wrong: Ints  # K × D × ⌈N/8⌉ bytes
    images: int


@result
class Reorderings:
    """Blocks reordered by k swaps, D draws for each of K values of k, N images. Errors in percent, losses in nats."""

    full_error: float
    full_loss: float
    full_wrong: Ints  # ⌈N/8⌉ bytes, a bit an image
    k: Ints  # K
    tau: Floats  # K × D, Kendall's τ between the order and the net's own
    error: Floats  # K × D
    loss: Floats  # K × D
    wrong: Ints  # K × D × ⌈N/8⌉ bytes
    images: int


class SingleLesionsQuestion(Question):
    """Every block cut alone."""

    returns: ClassVar[type[Result]] = SingleLesions
    kind: Literal["single-lesions"] = "single-lesions"
    images: Images = 1000
    lane: ClassVar[Lane] = "study"


class RandomLesionsQuestion(Question):
    """k blocks cut at random, so many draws for each k (none said: from one to all)."""

    returns: ClassVar[type[Result]] = RandomLesions
    kind: Literal["random-lesions"] = "random-lesions"
    edition: ClassVar[int] = 2  # 1 had neither losses nor which images are wrong
    k: tuple[int, ...] = ()
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Lane] = "study"


class ReorderingsQuestion(Question):
    """Blocks reordered by k swaps, so many draws for each k (none said: from one to the number of blocks)."""

    returns: ClassVar[type[Result]] = Reorderings
    kind: Literal["reorderings"] = "reorderings"
    edition: ClassVar[int] = 2  # 1 had neither losses nor which images are wrong
    k: tuple[int, ...] = ()
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Lane] = "study"
