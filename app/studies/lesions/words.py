"""What the lesion studies say, in words computed from their numbers. Errors in percent, differences in points.

What is chosen among many, the class that suffers most, is chosen on one half of the images and measured on the other:
on the images that chose it, it would look worse than it is.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from app.base.prose import literal, prose
from app.studies.cuts.over_images import difference, over_images, times
from app.studies.lesions.prices import (
    correlation,
    known_blocks,
    numbers,
    price_difference,
    priced,
    quarter_of,
    rise_between,
    rows_of,
    tenth_of,
    way_made,
    wrong,
)
from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.values.arrays import Floats
from app.values.comparing import comparison
from app.values.evidence import Effect
from models.plan import plan
from models.spec import NetSpec


def single_words(name: str, net: NetSpec, result: SingleLesions) -> str:
    """Which block hurts most, what the others cost, and whether it is as the paper found it."""
    page = prose("lesions")
    known, rows = known_blocks(result), wrong(result)
    if not len(known):
        return page["single-none"].format(name=name)
    row = 1 + int(result.error[known].argmax())
    worst = int(known[row - 1])
    against = [difference(rows[row], rows[1 + nth]) for nth in range(len(known))]
    rivals = [int(block) for block, one in zip(known, against, strict=True) if block != worst and _open(one)]
    sentences = [
        page["single-worst-of" if rivals else "single-worst"].format(
            name=name,
            worst=worst,
            rivals=numbers(rivals),
            before=result.full_error,
            after=result.error[worst],
            times=times(result.loss[worst], result.full_loss),
        ),
        page["single"].format(
            median=np.median(result.error[known]) - result.full_error,
            times=np.median([times(loss, result.full_loss) for loss in result.loss[known]]),
            shown=sum(difference(cut, rows[0]).verdict == "more" for cut in rows[1:]),
            blocks=len(known),
        ),
    ]
    if refused := len(result.error) - len(known):
        sentences.append(page["single-refused"].format(refused=refused))
    sentences.append(_chance_words(result) if net.shortcut == "none" else _shape_words(name, net, result))
    return " ".join(filter(None, sentences))


def _shape_words(name: str, net: NetSpec, result: SingleLesions) -> str:
    """Is a block that changes shapes missed most? The dearest of these against the dearest of the others."""
    page, rows, known = prose("lesions"), wrong(result)[1:], known_blocks(result).tolist()
    changing = [block.index for block in plan(net).blocks if block.reshapes or block.pooled > 1]
    chosen = rows[:, ::2].mean(1)
    kinds = [[nth for nth, block in enumerate(known) if (block in changing) == of] for of in (True, False)]
    if not all(kinds):
        return ""
    dearest = [max(kind, key=lambda nth: chosen[nth]) for kind in kinds]
    effect = difference(*(rows[nth, 1::2] for nth in dearest))
    changed, kept = (f"{name} without block {known[nth]}" for nth in dearest)
    verdict = "not shown" if _open(effect) else effect.verdict
    said = comparison(changed, kept, effect, "test error", over="images")
    return f"{page['shapes'].format(changing=numbers(changing))} {said} {page[f'shapes-{verdict}']}"


def _chance_words(result: SingleLesions) -> str:
    """Without shortcuts: under how many of the cuts the net is shown to do better than chance."""
    chance, cuts = 100 * (1 - 1 / len(result.full_class_error)), wrong(result)[1:]
    effects = [over_images(lambda errors: errors[:, 0] - chance, cut[None]) for cut in cuts]
    better = sum(effect.verdict == "less" for effect in effects)
    return prose("lesions")["chance-contrary" if better else "chance-as"].format(
        better=better, blocks=len(cuts), chance=chance
    )


def single_verdicts(names: Sequence[str], nets: Sequence[NetSpec], results: Sequence[SingleLesions]) -> list[str]:
    """The first net against each of the others, on the same images: the median price of one block."""
    page, sentences = prose("lesions"), []
    there = [nth for nth, result in enumerate(results) if len(known_blocks(result))]
    for other in there[1:] if there[:1] == [0] else []:
        effect = price_difference(results[0], results[other], (1, 1))
        said = comparison(names[0], names[other], effect, "median price of one block", over="images")
        beside = [nets[nth].shortcut != "none" for nth in (0, other)]
        if beside[0] != beside[1] and not _open(effect):
            as_found = (effect.verdict == "less") == beside[0]
            said += " " + page["beside-as" if as_found else "beside-contrary"]
        sentences.append(said)
    return sentences


def random_words(names: Sequence[str], nets: Sequence[NetSpec], results: Sequence[RandomLesions]) -> list[str]:
    """What one block, a tenth, and half of the blocks cost, in the median; the first net against each of the others."""
    page = prose("lesions")
    sentences = []
    for name, net, result in zip(names, nets, results, strict=True):
        blocks = int(result.k.max())
        tenth, half = tenth_of(blocks), max(1, blocks // 2)
        said = page["random"].format(
            name=name,
            one=_median_cost(result, 1),
            half=half,
            blocks=blocks,
            halves=_median_cost(result, half),
            times=_median_times(result, half),
            end=result.full_error + _median_cost(result, blocks),
        )
        if tenth not in (1, half):
            said += " " + page["random-tenth"].format(
                tenth=tenth, cost=_median_cost(result, tenth), times=_median_times(result, tenth)
            )
        if net.shortcut != "none" and (made := way_made(result, rows_of(result, tenth), rows_of(result, blocks))):
            said += " " + _made_words("random-way", made, tenth=tenth, blocks=blocks)
        sentences.append(said)
    quarters = [quarter_of(int(result.k.max())) for result in results]  # with half gone, most guess
    for name, other, quarter in zip(names[1:], results[1:], quarters[1:], strict=True):
        effect = price_difference(results[0], other, (quarters[0], quarter))
        sentences.append(comparison(names[0], name, effect, "median price of a quarter of the blocks", over="images"))
    return sentences


def pair_words(names: Sequence[str], results: Sequence[SingleLesions | RandomLesions]) -> str:
    """What a tenth of the blocks costs a net that was trained with blocks dropped, and its ordinary twin."""
    page = prose("lesions")
    blocks = [len(one.error) if isinstance(one, SingleLesions) else int(one.k.max()) for one in results]
    tenths = [tenth_of(count) for count in blocks]
    sentences = []
    for name, result, tenth, count in zip(names, results, tenths, blocks, strict=True):
        rows = priced(result, tenth)
        after = float(np.median(100 * rows[1:].mean(1)))
        fields = {"name": name, "tenth": tenth, "blocks": count}
        sentences.append(page["pair-price"].format(before=result.full_error, after=after, **fields))
    effect = price_difference(results[0], results[1], tenths)
    sentences.append(comparison(names[0], names[1], effect, "median price of a tenth of the blocks", over="images"))
    if not _open(effect):
        sentences.append(page["pair-cheaper" if effect.verdict == "less" else "pair-dearer"])
    whole = difference(*(wrong(result)[0] for result in results))
    sentences.append(comparison(names[0], names[1], whole, "test error, all blocks in place,", over="images"))
    if whole.verdict == "more":
        sentences.append(page["pair-behind"])
    return " ".join(sentences)


def reorder_words(names: Sequence[str], nets: Sequence[NetSpec], results: Sequence[Reorderings]) -> list[str]:
    """How the error goes with Kendall's τ: from the gentlest orders to the most shuffled, and how closely."""
    page = prose("lesions")
    sentences = []
    for name, net, result in zip(names, nets, results, strict=True):
        tau, rows = result.tau.ravel(), wrong(result)
        low, high = np.quantile(tau, [0.25, 0.75])
        gentle, rough = 1 + np.flatnonzero(tau >= high), 1 + np.flatnonzero(tau <= low)
        rise = over_images(partial(rise_between, gentle=gentle, rough=rough), rows)
        close = over_images(partial(correlation, tau=tau), rows[1:])
        orders = f"{name}, most shuffled quarter of its orders", f"{name}, gentlest quarter"
        said = [
            page["reorder"].format(name=name, before=result.full_error, high=high, low=low),
            comparison(*orders, rise, "median error", over="images"),
            page["reorder-close"].format(close=close.value, low=close.low, high=close.high),
        ]
        if net.shortcut != "none" and not (rise.verdict == "more" and close.verdict == "less"):
            said.append(page["reorder-flat"])
        elif net.shortcut != "none" and (made := way_made(result, gentle, rough)):
            said.append(_made_words("reorder-way", made))
        sentences.append(" ".join(said))
    return sentences


def flip_words(result: SingleLesions) -> str:
    """How many of the images never change their class, whichever block is cut."""
    steady = int((result.flips == 0).sum())
    return prose("lesions")["flips"].format(
        steady=steady, images=len(result.flips), share=100 * steady / max(len(result.flips), 1)
    )


def class_words(result: SingleLesions, labels: Sequence[str]) -> str:
    """The class and the block where a cut hurts most."""
    known, rows = known_blocks(result), wrong(result)
    choosing = np.arange(len(result.labels)) % 2 == 0
    risen: Floats = np.full((len(known), len(labels)), -np.inf)
    for label in range(len(labels)):
        members = result.labels == label
        if (members & choosing).any() and (members & ~choosing).any():
            risen[:, label] = rows[1:, members & choosing].mean(1) - rows[0, members & choosing].mean()
    if not np.isfinite(risen).any():
        return ""
    cut, label = divmod(int(risen.argmax()), len(labels))
    images = (result.labels == label) & ~choosing
    effect = difference(rows[1 + cut, images], rows[0, images])
    nets = f"the net without block {known[cut]}", "the whole net"
    return (
        f"{prose('lesions')['hurts']} {comparison(*nets, effect, f'error in {literal(labels[label])}', over='images')}"
    )


def _made_words(key: str, made: Effect, **fields: int) -> str:
    """Whether more than half of the way is made already, and how much of it: a smooth rise makes less."""
    page = prose("lesions")
    verdict = "not shown" if _open(made) else made.verdict
    shares = {"share": made.value + 50, "low": made.low + 50, "high": made.high + 50, "images": made.count}
    return f"{page[key].format(**fields, **shares)} {page[f'smooth-{verdict}']}"


def _median_cost(of: RandomLesions, k: int) -> float:
    """Of the k that was studied nearest to this one."""
    return float(np.median(of.error[int(np.abs(of.k - k).argmin())])) - of.full_error


def _median_times(of: RandomLesions, k: int) -> float:
    """The same as a multiple of the whole net's loss."""
    return times(float(np.median(of.loss[int(np.abs(of.k - k).argmin())])), of.full_loss)


def _open(effect: Effect) -> bool:
    """True where neither more nor less is shown."""
    return effect.verdict not in ("more", "less")
