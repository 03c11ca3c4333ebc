"""What is asked for an ensemble, and what comes back."""

from typing import ClassVar, Literal

from app.values.arrays import Floats, Ints
from app.values.questions import Images, Question
from app.values.results import Result, result


@result
class Probabilities:
    """What a net takes the first I test images of C classes for."""

    probabilities: Floats  # I × C
    labels: Ints  # I


class ProbabilitiesQuestion(Question):
    """The probability of every class for every image: what an ensemble averages."""

    returns: ClassVar[type[Result]] = Probabilities
    kind: Literal["probabilities"] = "probabilities"
    images: Images = 2000
