"""What is asked of nets at initialisation and in their first steps; what comes back is `Grid` and `Course`."""

from typing import ClassVar, Literal

from pydantic import Field

from app.studies.gradients.questions import Course, Grid
from app.values.questions import Batch, Lane, NetName, Question
from app.values.results import Result


class GridQuestion(Question):
    """The truth test: depth × shortcuts × normalisation × activation at initialisation, over several seeds."""

    returns: ClassVar[type[Result]] = Grid
    kind: Literal["grid"] = "grid"
    edition: ClassVar[int] = 2  # stage by stage; a factor per block of the whole net before
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1, max_length=10)
    images: Batch = 64
    lane: ClassVar[Lane] = "study"


class CourseQuestion(Question):
    """The first steps of one net, trained for the answer."""

    returns: ClassVar[type[Result]] = Course
    kind: Literal["course"] = "course"
    edition: ClassVar[int] = 2  # several batches, and the weights; one number a moment before
    net: NetName
    steps: int = Field(default=100, ge=1, le=1000)
    seed: int = Field(default=0, ge=0)
    lane: ClassVar[Lane] = "study"
