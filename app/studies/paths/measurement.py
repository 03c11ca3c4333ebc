"""What answers questions about paths: exactly by length (by_length.py), and path by path (sampled.py)."""

from app.analysis.answering import answers
from app.analysis.progress import Progress
from app.analysis.subject import Subject
from app.studies.paths.by_length import gradients_by_length
from app.studies.paths.questions import (
    DeepPathsQuestion,
    PathGradients,
    PathsQuestion,
    SampledPaths,
    SampledPathsQuestion,
)
from app.studies.paths.sampled import sample_paths


@answers(PathsQuestion, DeepPathsQuestion)
def answer_paths(question: PathsQuestion, subject: Subject, progress: Progress) -> PathGradients:
    """The exact gradient by length."""
    x, y = subject.test(question.images)
    return gradients_by_length(subject.net(question.step), x, y, question.at, progress=progress)


@answers(SampledPathsQuestion)
def answer_sampled(question: SampledPathsQuestion, subject: Subject, progress: Progress) -> SampledPaths:
    """Single paths."""
    x, y = subject.test(question.images)
    net = subject.net(question.step)
    return sample_paths(net, x, y, question.at, question.draws, seed=question.seed, progress=progress)
