"""What a lesion costs, and between what bounds: right and wrong image by image, medians over cuts.

A price is the error of cut nets, in the median, minus that of the whole net, in points.
"""

from collections.abc import Sequence

import numpy as np

from app.studies.cuts.over_images import over_images, redrawn, unpacked
from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.values.arrays import Bools, Floats, Ints
from app.values.evidence import Effect


def known_blocks(result: SingleLesions) -> Ints:
    """Those that can be cut."""
    return np.flatnonzero(np.isfinite(result.error))


def tenth_of(blocks: int) -> int:
    """A tenth of so many blocks, one at least."""
    return max(1, round(blocks / 10))


def quarter_of(blocks: int) -> int:
    """A quarter of so many blocks, one at least."""
    return max(1, round(blocks / 4))


def wrong(result: SingleLesions | RandomLesions | Reorderings) -> Bools:
    """(1 + cuts) × N: the whole net, then its cuts: every block that can be cut, or all draws of each k in turn."""
    if isinstance(result, SingleLesions):
        predicted = np.vstack([result.full_predicted, result.predicted[known_blocks(result)]])
        return np.asarray(predicted != result.labels)
    bits = np.vstack([result.full_wrong, result.wrong.reshape(-1, result.wrong.shape[-1])])
    return unpacked(bits, result.images)


def rows_of(result: RandomLesions | Reorderings, k: int) -> Ints:
    """Where the draws of the studied k that is nearest to this one stand in `wrong`."""
    draws = result.error.shape[1]
    return 1 + int(np.abs(result.k - k).argmin()) * draws + np.arange(draws)


def priced(result: SingleLesions | RandomLesions, blocks: int) -> Bools:
    """(1 + cuts) × N: of `wrong` the whole net and the cuts that take so many blocks; of single lesions, one."""
    rows = wrong(result)
    return rows if isinstance(result, SingleLesions) else rows[[0, *rows_of(result, blocks)]]


def price(errors: Floats, rows: Ints | slice = slice(1, None), *, drawn: bool = True) -> Floats:
    """R numbers of R × (1 + cuts): the median over these cuts, minus the whole net's error.

    `drawn`: the cuts were drawn at random, and are drawn again as the images are; else they are all there are.
    """
    cuts = redrawn(errors[:, rows]) if drawn else errors[:, rows]
    return np.asarray(np.median(cuts, axis=1) - errors[:, 0])


def rise_between(errors: Floats, gentle: Ints, rough: Ints) -> Floats:
    """R numbers: the price of the rough orders minus that of the gentle ones."""
    return price(errors, rough) - price(errors, gentle)


def price_difference(
    first: SingleLesions | RandomLesions, second: SingleLesions | RandomLesions, blocks: Sequence[int]
) -> Effect:
    """What `blocks` of either cost the first net, minus what they cost the second, on the same images."""

    def difference(own: Floats, others: Floats) -> Floats:
        prices = (
            price(errors, drawn=isinstance(result, RandomLesions))
            for errors, result in ((own, first), (others, second))
        )
        return next(prices) - next(prices)

    return over_images(difference, priced(first, blocks[0]), priced(second, blocks[1]))


def way_made(result: RandomLesions | Reorderings, some: Ints, all_of_it: Ints) -> Effect | None:
    """Which share of the price of one set of cuts another has already, in percent, minus 50; None where there is none.

    Where an error rises smoothly, a tenth of the blocks makes no half of the way.
    """
    rows = wrong(result)
    if price(100 * rows.mean(1)[None], all_of_it)[0] <= 0:
        return None

    def share(errors: Floats) -> Floats:
        end = price(errors, all_of_it)
        return np.asarray(100 * price(errors, some) / np.where(end > 0, end, np.nan) - 50)

    found = over_images(share, rows)
    return None if np.isnan(found.low) else found


def correlation(errors: Floats, tau: Floats) -> Floats:
    """R numbers: Pearson's r of R × D errors with D values of τ, orders drawn again; 0 where either does not vary."""
    errors, tau = redrawn(errors), redrawn(np.broadcast_to(tau, errors.shape))
    off, of_tau = (values - values.mean(1, keepdims=True) for values in (errors, tau))
    size = np.sqrt((off**2).sum(1) * (of_tau**2).sum(1))
    return np.divide((off * of_tau).sum(1), size, out=np.zeros(len(errors)), where=size > 1e-9)


def numbers(blocks: Sequence[int]) -> str:
    """For people: `block 3`, `blocks 3, 7`."""
    shown = ", ".join(map(str, blocks[:6])) + (", …" if len(blocks) > 6 else "")
    return f"block {shown}" if len(blocks) == 1 else f"blocks {shown}"
