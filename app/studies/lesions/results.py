"""What cutting, scaling and reordering blocks does."""

from dataclasses import dataclass

import numpy as np

from app.values.arrays import Floats, Ints


@dataclass(frozen=True)
class CutEvaluation:
    """A net under one cut, on the first so many test images of C classes. Errors in percent, loss in nats."""

    error: float
    loss: float
    images: int
    class_error: Floats  # C, NaN for a class without images
    confusion: Ints  # C × C, images by their true class (row) and the predicted one (column)


@dataclass(frozen=True)
class CutProbabilities:
    """What K cuts of a net make of the same I images."""

    probabilities: Floats  # K × I × C


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class RandomLesions:
    """k blocks cut at random, D draws for each of K values of k. Errors in percent."""

    full_error: float
    k: Ints  # K
    error: Floats  # K × D
    images: int


@dataclass(frozen=True)
class Reorderings:
    """Blocks reordered by k swaps, D draws for each of K values of k. Errors in percent."""

    full_error: float
    k: Ints  # K
    tau: Floats  # K × D, Kendall's τ between the order and the net's own
    error: Floats  # K × D
    images: int
