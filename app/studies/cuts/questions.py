"""What is asked about one cut, and what comes back."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from app.values.arrays import Floats, Ints
from app.values.cut_spec import WHOLE, CutSpec, changes_nothing, idle_part
from app.values.questions import Images, Picture, Question
from app.values.results import Result, result


@result
class CutEvaluation:
    """A net under one cut, on the first N test images of C classes. Errors in percent, loss in nats."""

    error: float
    loss: float
    images: int
    class_error: Floats  # C, NaN for a class without images
    confusion: Ints  # C × C, images by their true class (row) and the predicted one (column)
    wrong: Ints  # ⌈N/8⌉ bytes, a bit an image: `app.studies.cuts.over_images.unpacked`


@result
class CutProbabilities:
    """What K cuts of a net make of the same I images."""

    probabilities: Floats  # K × I × C


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if (idle := idle_part(value)) is not None:
        raise ValueError(changes_nothing(idle))
    return CutSpec.parse(value)


Cut = Annotated[CutSpec, BeforeValidator(_read)]  # also as it is written: 3,7:0.5


class CutQuestion(Question):
    """A net under one cut: error, loss, confusion."""

    returns: ClassVar[type[Result]] = CutEvaluation
    kind: Literal["cut"] = "cut"
    edition: ClassVar[int] = 2  # 1 did not say which images are wrong
    cut: Cut = WHOLE
    images: Images = 1000


class CutPicturesQuestion(Question):
    """What the whole net and the cut one make of a few pictures."""

    returns: ClassVar[type[Result]] = CutProbabilities
    kind: Literal["cut-pictures"] = "cut-pictures"
    cut: Cut = WHOLE
    pictures: tuple[Picture, ...] = Field(max_length=40)
