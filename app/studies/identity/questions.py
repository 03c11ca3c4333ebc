"""What is asked about the identity argument, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Floats, Ints
from app.values.questions import Lane, Question
from app.values.results import Result, result


@result
class Deepened:
    """A trained net and a deeper one made of it by identity blocks, compared in evaluation mode. Errors in percent."""

    net: str
    deeper: str
    added: tuple[int, ...]  # blocks that are identities
    largest_difference: float  # of any logit, of any image
    error: float
    deeper_error: float
    images: int


@result
class TrainedOn:
    """A net made deeper by identity blocks trained on, and one of its kind from scratch, in this order: T steps.

    Both see the same batches at the same learning rate. Errors in percent; NaN after a net diverged.
    """

    net: str
    deeper: str
    rate: float
    error: Floats  # 2 × T, training error, mean over the batches of the last `window` steps
    wrong: Ints  # 3 × ⌈images/8⌉, packed: of each test image, by the net as it was made, it trained on, and the other
    images: int
    diverged: tuple[bool, bool]
    window: int


@result
class Lesson:
    """Stacks of blocks asked to learn y = x or y = 0: C curves, T steps."""

    target: str  # identity or zero
    families: tuple[str, ...]  # C
    blocks: tuple[int, ...]  # C
    loss: Floats  # C × T, mean squared error ÷ mean square of x: 1 is what answering zero would cost for y = x
    seed: int


class DeepenedQuestion(Question):
    """The net of a run made deeper by identity blocks: the same error?"""

    returns: ClassVar[type[Result]] = Deepened
    kind: Literal["deepened"] = "deepened"
    depth: int = Field(default=56, ge=8, le=110)


class TrainedOnQuestion(Question):
    """That deeper net trained on, beside one of the same depth from scratch."""

    returns: ClassVar[type[Result]] = TrainedOn
    kind: Literal["trained-on"] = "trained-on"
    depth: int = Field(default=56, ge=8, le=110)
    rate: float = Field(default=0.1, gt=0, le=1)
    steps: int = Field(default=200, ge=1, le=1000)
    seed: int = Field(default=0, ge=0)
    lane: ClassVar[Lane] = "study"


class LessonQuestion(Question):
    """A stack of so many blocks asked to learn y = x, or y = 0, with and without shortcuts."""

    returns: ClassVar[type[Result]] = Lesson
    kind: Literal["lesson"] = "lesson"
    target: Literal["identity", "zero"] = "identity"
    blocks: int = Field(default=4, ge=1, le=16)
    seed: int = Field(default=0, ge=0)
