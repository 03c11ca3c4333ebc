"""What the lesion studies say, in words computed from their numbers. Errors in percent, differences in points."""

from collections.abc import Sequence

import numpy as np

from app.base.prose import prose
from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.values.arrays import Floats
from models.plan import plan
from models.spec import NetSpec

LITTLE = 2.0  # points that hardly count: one standard error of 20 % wrong of 500 images is 1.8
CLEAR = 5.0  # points that the eye sees


def single_words(name: str, net: NetSpec, result: SingleLesions) -> str:
    """Which block hurts most, whether shapes change there, and what the others cost."""
    page = prose("lesions")
    cost = result.error - result.full_error
    known = np.flatnonzero(np.isfinite(cost))
    if not len(known):
        return page["single-none"].format(name=name)
    worst = int(known[cost[known].argmax()])
    changing = [block.index for block in plan(net).blocks if block.reshapes or block.pooled > 1]
    place = page["single-where-shapes" if worst in changing else "single-where-same"] + " " if changing else ""
    sentences = page["single"].format(
        name=name,
        worst=worst,
        before=result.full_error,
        after=result.error[worst],
        place=place.format(changing=_numbers(changing)),
        median=np.median(cost[known]),
        little=int((cost[known] < LITTLE).sum()),
        blocks=len(known),
        limit=LITTLE,
    )
    refused = len(cost) - len(known)
    return sentences + (" " + page["single-refused"].format(refused=refused) if refused else "")


def single_verdicts(names: Sequence[str], results: Sequence[SingleLesions]) -> list[str]:
    """The first net against each of the others: the median price of one block."""
    known = [(name, result) for name, result in zip(names, results, strict=True) if np.isfinite(result.error).any()]
    return _verdicts(
        "one block", [(name, float(np.nanmedian(result.error)) - result.full_error) for name, result in known]
    )


def random_words(names: Sequence[str], results: Sequence[RandomLesions]) -> list[str]:
    """What one block, a tenth, and half of the blocks cost, in the median; the first net against each of the others."""
    page = prose("lesions")
    sentences = []
    for name, result in zip(names, results, strict=True):
        blocks = int(result.k.max())
        tenth, half = tenth_of(blocks), max(1, blocks // 2)
        prices = [_median_cost(result, k) for k in (1, half)]
        sentences.append(
            page["random"].format(
                name=name, one=prices[0], half=half, blocks=blocks, halves=prices[1], end=_end(result)
            )
        )
        if tenth not in (1, half):
            sentences[-1] += " " + page["random-tenth"].format(tenth=tenth, cost=_median_cost(result, tenth))
    quarters = [
        _median_cost(result, quarter_of(int(result.k.max()))) for result in results
    ]  # with half gone, most are at chance
    return [*sentences, *_verdicts("a quarter of the blocks", list(zip(names, quarters, strict=True)))]


def tenth_of(blocks: int) -> int:
    """A tenth of so many blocks, one at least."""
    return max(1, round(blocks / 10))


def quarter_of(blocks: int) -> int:
    """A quarter of so many blocks, one at least."""
    return max(1, round(blocks / 4))


def pair_words(names: Sequence[str], results: Sequence[SingleLesions | RandomLesions]) -> str:
    """What a tenth of the blocks costs a net that was trained with blocks dropped, and its ordinary twin."""
    page = prose("lesions")
    before = [result.full_error for result in results]
    costs, sentences = [], []
    for name, result in zip(names, results, strict=True):
        if isinstance(result, SingleLesions):
            blocks, cost = len(result.error), float(np.nanmedian(result.error)) - result.full_error
        else:
            blocks = int(result.k.max())
            cost = _median_cost(result, tenth_of(blocks))
        costs.append(cost)
        fields = {"name": name, "tenth": tenth_of(blocks), "blocks": blocks}
        sentences.append(page["pair-price"].format(before=result.full_error, after=result.full_error + cost, **fields))
    own, other = costs
    key = "pair-same" if abs(own - other) < LITTLE else "pair-cheaper" if own < other else "pair-dearer"
    sentences.append(page[key].format(own=own, others=other))
    if (behind := before[0] - before[1]) >= LITTLE:
        sentences.append(page["pair-behind"].format(behind=behind))
    return " ".join(sentences)


def reorder_words(names: Sequence[str], results: Sequence[Reorderings]) -> list[str]:
    """How the error goes with Kendall's τ: from the gentlest orders to the most shuffled, and how closely."""
    page = prose("lesions")
    sentences = []
    for name, result in zip(names, results, strict=True):
        tau, error = result.tau.ravel(), result.error.ravel()
        low, high = np.quantile(tau, [0.25, 0.75])
        gentle, rough = (float(np.median(error[chosen])) for chosen in (tau >= high, tau <= low))
        close = float(np.corrcoef(tau, error)[0, 1]) if tau.std() and error.std() else 0.0
        key = "reorder-falls" if rough - gentle >= CLEAR and close < -0.3 else "reorder-flat"
        sentences.append(
            page[key].format(
                name=name, before=result.full_error, gentle=gentle, rough=rough, high=high, low=low, close=close
            )
        )
    return sentences


def flip_words(result: SingleLesions) -> str:
    """How many of the images never change their class, whichever block is cut."""
    steady = int((result.flips == 0).sum())
    return prose("lesions")["flips"].format(
        steady=steady, images=len(result.flips), share=100 * steady / max(len(result.flips), 1)
    )


def class_words(result: SingleLesions, labels: Sequence[str]) -> str:
    """The class and the block where a cut hurts most."""
    change: Floats = result.class_error - result.full_class_error
    if not np.isfinite(change).any():
        return ""
    block, label = divmod(int(np.nanargmax(change)), change.shape[1])
    return prose("lesions")["hurts"].format(
        label=labels[label],
        block=block,
        before=result.full_class_error[label],
        after=result.class_error[block, label],
    )


def _verdicts(what: str, costs: Sequence[tuple[str, float]]) -> list[str]:
    """What it costs the first net, in points, against what it costs each of the others."""
    page, sentences = prose("lesions"), []
    for other, others in costs[1:]:
        name, own = costs[0]
        key = "verdict-same" if abs(own - others) < LITTLE else "verdict-less" if own < others else "verdict-more"
        sentences.append(page[key].format(what=what, name=name, other=other, own=own, others=others))
    return sentences


def _median_cost(of: RandomLesions, k: int) -> float:
    """Of the k that was studied nearest to this one."""
    row = int(np.abs(of.k - k).argmin())
    return float(np.median(of.error[row])) - of.full_error


def _end(of: RandomLesions) -> float:
    return float(np.median(of.error[int(of.k.argmax())]))


def _numbers(blocks: Sequence[int]) -> str:
    shown = ", ".join(map(str, blocks[:6])) + (", …" if len(blocks) > 6 else "")
    return f"block {shown}" if len(blocks) == 1 else f"blocks {shown}"
