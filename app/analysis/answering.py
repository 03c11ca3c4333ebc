"""Questions meet what answers them: `@answers(Question)` stands on a function of a study's `measurement.py`."""

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.values.datasets import check_images
from app.values.questions import Question
from app.values.results import Result

Measurement = Callable[[Any, Subject, Progress], Result]
Answering = TypeVar("Answering", bound=Measurement)

_MEASUREMENTS: dict[type[Question], Measurement] = {}


def answers(*kinds: type[Question]) -> Callable[[Answering], Answering]:
    """Let a function (question, subject, progress) → result answer questions of these kinds."""

    def register(measure: Answering) -> Answering:
        _MEASUREMENTS.update(dict.fromkeys(kinds, measure))
        return measure

    return register


def answer(question: Question, subject: Subject, progress: Progress = quiet) -> Result:
    """The result that the question's kind returns. Raises ValueError with a sentence for people."""
    if question.needs_images:
        check_images(subject.images.info)
    study = type(question).__module__.rpartition(".")[0]
    import_module(f"{study}.measurement")
    try:
        return _MEASUREMENTS[type(question)](question, subject, progress)
    except IndexError as error:
        raise ValueError("there is no such picture in the test set") from error
