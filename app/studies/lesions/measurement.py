"""Lesion studies: blocks of a trained net cut, turned down or moved, and what becomes of its answers.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, section 4: every single
block removed (figure 3), many removed at random (figure 5a), blocks reordered (figure 5b). Evaluation mode throughout.
All cuts of a study are walked as one tree: `app.studies.cuts.measurement`.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.analysis.answering import answers
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import Images
from app.studies.cuts.measurement import CutAnswers
from app.studies.lesions.draws import kendall_tau, random_orders, random_removals
from app.studies.lesions.questions import (
    RandomLesions,
    RandomLesionsQuestion,
    Reorderings,
    ReorderingsQuestion,
    SingleLesions,
    SingleLesionsQuestion,
)
from app.values.cut_spec import WHOLE, CutSpec, interchangeable, removable
from models.nets.net import Net

DRAWS = 20  # of each k


Number = TypeVar("Number", bound=np.number[Any])


def single_lesions(net: Net, images: Images, count: int | None = None, progress: Progress = quiet) -> SingleLesions:
    """Every block cut alone, on the first `count` test images."""
    blocks = list(removable(net.spec))
    cuts = [WHOLE, *(CutSpec.of(removed=[block]) for block in blocks)]
    answers = CutAnswers(net, images, cuts, count, progress)

    def by_block(values: NDArray[Number], absent: float) -> NDArray[Number]:
        every = np.full((len(net.blocks), *values.shape[1:]), absent, dtype=values.dtype)
        every[blocks] = values[1:]
        return every

    return SingleLesions(
        full_error=float(answers.errors[0]),
        full_loss=float(answers.losses[0]),
        full_class_error=answers.class_errors[0],
        full_predicted=answers.predicted[0],
        error=by_block(answers.errors, np.nan),
        loss=by_block(answers.losses, np.nan),
        class_error=by_block(answers.class_errors, np.nan),
        predicted=by_block(answers.predicted, -1),
        labels=answers.labels,
    )


def random_lesions(
    net: Net,
    images: Images,
    k: Sequence[int] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    count: int | None = None,
    progress: Progress = quiet,
) -> RandomLesions:
    """k blocks cut at random, `draws` times for each k (default: 1 to all that can be cut). Raises ValueError."""
    blocks = removable(net.spec)
    ks = list(range(1, len(blocks) + 1) if k is None else k)
    if max(ks) > len(blocks):
        raise ValueError(f"{net.spec.name} has {len(blocks)} blocks that can be cut, not {max(ks)}")
    cuts = [cut for k in ks for cut in random_removals(blocks, k, draws, seed)]
    answers = CutAnswers(net, images, [WHOLE, *cuts], count, progress)
    return RandomLesions(**answers.drawn(ks))


def reorderings(
    net: Net,
    images: Images,
    k: Sequence[int] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    count: int | None = None,
    progress: Progress = quiet,
) -> Reorderings:
    """Blocks reordered by k swaps, `draws` times for each k (default: 1 to the number of blocks).

    Each swap is of two blocks of one stage whose shapes are equal. Raises ValueError where there are no such two.
    """
    pairs, blocks = interchangeable(net.spec), len(net.blocks)
    if not pairs:
        raise ValueError(f"no two blocks of {net.spec.name} have equal shapes: none can change places")
    ks = list(range(1, blocks + 1) if k is None else k)
    orders = [order for k in ks for order in random_orders(pairs, blocks, k, draws, seed)]
    answers = CutAnswers(net, images, [WHOLE, *(CutSpec.of(order=order) for order in orders)], count, progress)
    tau = np.array([kendall_tau(order) for order in orders]).reshape(len(ks), draws)
    return Reorderings(tau=tau, **answers.drawn(ks))


@answers(SingleLesionsQuestion)
def answer_single(question: SingleLesionsQuestion, subject: Subject, progress: Progress) -> SingleLesions:
    """Every block alone."""
    return single_lesions(subject.net(question.step), subject.images, question.images, progress)


@answers(RandomLesionsQuestion)
def answer_random(question: RandomLesionsQuestion, subject: Subject, progress: Progress) -> RandomLesions:
    """k blocks at random."""
    asked = question
    return random_lesions(
        subject.net(asked.step), subject.images, asked.k or None, asked.draws, asked.seed, asked.images, progress
    )


@answers(ReorderingsQuestion)
def answer_reorderings(question: ReorderingsQuestion, subject: Subject, progress: Progress) -> Reorderings:
    """k swaps."""
    asked = question
    return reorderings(
        subject.net(asked.step), subject.images, asked.k or None, asked.draws, asked.seed, asked.images, progress
    )
