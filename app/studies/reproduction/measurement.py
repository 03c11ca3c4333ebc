"""A net's probabilities for the test images, in evaluation mode: what an ensemble averages."""

import torch

from app.analysis.answering import answers
from app.analysis.progress import Progress
from app.analysis.subject import Subject
from app.studies.reproduction.questions import Probabilities, ProbabilitiesQuestion
from app.training.evaluation import EVALUATION_BATCH


@answers(ProbabilitiesQuestion)
@torch.no_grad()
def answer_probabilities(question: ProbabilitiesQuestion, subject: Subject, _progress: Progress) -> Probabilities:
    """I × C."""
    net, (x, y) = subject.net(question.step), subject.test(question.images)
    found = torch.cat([net(batch).softmax(1) for batch in x.split(EVALUATION_BATCH)])
    return Probabilities(found.double().numpy(), y.numpy())
