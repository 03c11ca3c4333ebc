"""How a card's quantity is read: from a run's events, or from what an existing study answers about it.

A reading is one number a net and seed; `app.values.reproduction.verdicts.combined` makes one a seed of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.store.history import History
from app.studies.gradients.questions import Gradients, GradientsQuestion
from app.studies.lesions.questions import (
    RandomLesions,
    RandomLesionsQuestion,
    Reorderings,
    ReorderingsQuestion,
    SingleLesions,
    SingleLesionsQuestion,
)
from app.studies.paths.questions import SampledPaths, SampledPathsQuestion
from app.studies.reproduction.questions import Probabilities, ProbabilitiesQuestion
from app.studies.shattered.questions import Shattered
from app.studies.signal.questions import Signal, SignalQuestion
from app.values.evidence import Effect, mean
from app.values.questions import Question
from app.values.reproduction.card import Quantity
from app.values.reproduction.verdicts import rank_correlation
from models.paper.lengths import path_counts, share
from models.spec import NetSpec

IMAGES = 500  # test images of a lesion study
PATHS_IMAGES = 32
NEAR = 10  # lags, of 256 inputs on −2…2, over which neighbouring gradients are compared


@dataclass(frozen=True)
class Reading:
    """`asks`: the question to a run at a step; `number`: what its result says. `at_start`: of the initial weights."""

    asks: Callable[[str, int], Question]
    number: Callable[[Any], float]
    at_start: bool = False


def price_of_one_block(found: SingleLesions) -> float:
    """What the median block costs, in points of test error."""
    return float(np.nanmedian(found.error)) - found.full_error


def rise_with_removed(found: RandomLesions) -> float:
    """Rank correlation of the blocks removed with the mean error."""
    return rank_correlation(found.k.tolist(), found.error.mean(1).tolist())


def rise_with_disorder(found: Reorderings) -> float:
    """Rank correlation of the error with how far Kendall's τ has fallen, over all draws."""
    return -rank_correlation(found.tau.ravel().tolist(), found.error.ravel().tolist())


def spread_of_responses(found: Signal) -> float:
    """Mean over the layers of the responses' standard deviation, after BN, before ReLU and addition."""
    return float(np.nanmean(found.response_std))


def mean_length_of_path(found: SampledPaths) -> float:
    """Mean length, each path weighted by the norm of the gradient that it carries, as a part of the blocks.

    Number × mean norm of single paths, as in the paper's figure 6.
    """
    weights = np.asarray(found.means) * 10 ** np.asarray(found.log10_counts)
    return float((weights * found.lengths).sum() / weights.sum() / found.blocks)


def growth_of_gradient(found: Gradients) -> float:
    """By what the gradient's RMS is multiplied a block, towards the input.

    A line is fitted to the logarithms of each stage, and the slopes are averaged, each weighted by the blocks it spans.
    """
    logs = [np.log(found.block_rms[found.stages == stage]) for stage in np.unique(found.stages) if stage >= 0]
    slopes = [(-np.polyfit(np.arange(len(each)), each, 1)[0], len(each) - 1) for each in logs if len(each) > 1]
    return float(np.exp(np.average([slope for slope, _ in slopes], weights=[span for _, span in slopes])))


def growth_of_variance(found: Signal) -> float:
    """Variance on the shortcut that a block adds, in units of its branch's own: in the first stage of three.

    (‖x‖ ÷ ‖F(x)‖)² at block l is Var(x_l) ÷ Var(F): a straight line of slope 1 where each block adds as much.
    """
    first = len(found.residual) // 3
    shares = np.asarray(found.residual[:first], float)
    return float(np.polyfit(np.arange(first), shares**-2.0, 1)[0])


READINGS: dict[Quantity, Reading] = {
    "price of one block": Reading(
        lambda run, step: SingleLesionsQuestion(run=run, step=step, images=IMAGES), price_of_one_block
    ),
    "rise with the blocks removed": Reading(
        lambda run, step: RandomLesionsQuestion(run=run, step=step, images=IMAGES), rise_with_removed
    ),
    "rise with the disorder": Reading(
        lambda run, step: ReorderingsQuestion(run=run, step=step, images=IMAGES), rise_with_disorder
    ),
    "spread of the responses": Reading(lambda run, step: SignalQuestion(run=run, step=step), spread_of_responses),
    "mean length of path": Reading(
        lambda run, step: SampledPathsQuestion(run=run, step=step, images=PATHS_IMAGES), mean_length_of_path
    ),
    "gradient's growth a block": Reading(
        lambda run, step: GradientsQuestion(run=run, step=step), growth_of_gradient, at_start=True
    ),
    "growth of the variance a block": Reading(
        lambda run, step: SignalQuestion(run=run, step=step), growth_of_variance, at_start=True
    ),
    "error of the average": Reading(lambda run, step: ProbabilitiesQuestion(run=run, step=step), lambda _: np.nan),
}

OF_EVENTS: dict[Quantity, Callable[[History, int], float | None]] = {
    "training error": lambda history, epoch: history.train_error(epoch),
    "test error": lambda history, _: history.test_error(),
    "seconds a step": lambda history, _: history.seconds / history.next_step if history.next_step else None,
}


def likeness(found: Shattered) -> float:
    """Mean autocorrelation over the first lags: of the nets with shortcuts minus of the plain ones of equal depth."""
    names = list(found.names)
    with_shortcuts = next(i for i, name in enumerate(names) if "shortcuts" in name)
    near = np.asarray(found.autocorrelation)[:, 1 : NEAR + 1].mean(1)
    return float(near[with_shortcuts] - near[with_shortcuts - 1])


def of_the_average(members: Sequence[Probabilities]) -> Effect | None:
    """Error of the averaged probabilities minus the members' mean error, in points, with its interval over images."""
    if not members:
        return None
    labels = np.asarray(members[0].labels)
    each = np.stack([np.asarray(member.probabilities) for member in members])
    together = each.mean(0).argmax(1) != labels
    alone = (each.argmax(2) != labels).mean(0)
    return mean((100 * (together - alone)).tolist())


def middling_paths(blocks: int = 54, first: int = 19, last: int = 35) -> float:
    """Percent of all paths that pass so many blocks."""
    return 100 * share(path_counts(NetSpec.parse(f"resnet-{2 * blocks + 2}"), blocks), first, last)
