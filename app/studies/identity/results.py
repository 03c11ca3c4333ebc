"""The identity argument: built, trained on, and learned."""

from dataclasses import dataclass

from app.values.arrays import Floats


@dataclass(frozen=True)
class Deepened:
    """A trained net and a deeper one made of it by identity blocks, compared in evaluation mode. Errors in percent."""

    net: str
    deeper: str
    added: tuple[int, ...]  # blocks that are identities
    largest_difference: float  # of any logit, of any image
    error: float
    deeper_error: float
    images: int


@dataclass(frozen=True)
class TrainedOn:
    """A net made deeper by identity blocks trained on, and one of its kind from scratch, in this order: T steps.

    Both see the same batches at the same learning rate. Errors in percent; NaN after a net diverged.
    """

    net: str
    deeper: str
    rate: float
    given_error: float  # test error of the deeper net as it was made
    error: Floats  # 2 × T, training error, mean over the batches of the last `window` steps
    test_error: tuple[float, float]  # at the end
    diverged: tuple[bool, bool]
    window: int


@dataclass(frozen=True)
class Lesson:
    """Stacks of blocks asked to learn y = x or y = 0: C curves, T steps."""

    target: str  # identity or zero
    families: tuple[str, ...]  # C
    blocks: tuple[int, ...]  # C
    loss: Floats  # C × T, mean squared error ÷ mean square of x: 1 is what answering zero would cost for y = x
    seed: int
