"""Each kind of question, and what answers it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from app.analysis.moment import net_at
from app.analysis.progress import Progress, quiet
from app.data import Images, load_for
from app.questions import Question
from app.results import Result
from app.settings import Settings
from app.spec import RunSpec
from models.nets import Net


@dataclass(frozen=True)
class Subject:
    """What is asked about: a run's spec (None: no run), its folder of weights, its steps per epoch."""

    spec: RunSpec | None
    folder: Path
    epoch_steps: int
    settings: Settings

    @cached_property
    def images(self) -> Images:
        """Its images. Raises as `load` does."""
        assert self.spec is not None
        return load_for(self.spec, self.settings)

    def net(self, step: int) -> Net:
        """Its net at a moment; the last few are kept, for the next question. Do not change it."""
        return _net(self, step)


@lru_cache(maxsize=4)
def _net(subject: Subject, step: int) -> Net:
    assert subject.spec is not None
    return net_at(subject.spec, subject.folder, step, subject.images, subject.epoch_steps)


ANSWERS: dict[str, Callable[[Question, Subject, Progress], Result]] = {}


def answer(question: Question, subject: Subject, progress: Progress = quiet) -> Result:
    """The result that the question's kind asks for. Raises ValueError with a sentence for people."""
    return ANSWERS[question.kind](question, subject, progress)
