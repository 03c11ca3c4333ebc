"""What a number over test images is worth: the images are drawn again, the same draws for every net of a page.

Efron 1979, *Bootstrap Methods*. Of each image a result keeps one bit a cut, right or wrong: a median over cuts has no
interval of its own, but one over images drawn again.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from app.values.arrays import Bools, Floats, Ints
from app.values.evidence import CONFIDENCE, RESAMPLES, Effect, paired_over_images

_SEED = 0  # a page that is opened again says the same


def packed(wrong: Bools) -> Ints:
    """… × N bits as … × ⌈N/8⌉ bytes."""
    return np.packbits(wrong, axis=-1)


def unpacked(bits: Ints, images: int) -> Bools:
    """… × N, what was `packed`."""
    return np.unpackbits(bits.astype(np.uint8), axis=-1, count=images).astype(bool)


def difference(first: Bools, second: Bools) -> Effect:
    """Error of the first minus that of the second, in points; both N, True where the same image is taken wrongly."""
    return paired_over_images(first, second, np.random.default_rng(_SEED))


def over_images(statistic: Callable[..., Floats], *wrong: Bools) -> Effect:
    """A statistic of errors and its interval over the N images.

    `wrong`: for each net M × N, one row a cut. `statistic` is given the errors of each, in percent, R × M, and makes R
    numbers of them: the first as measured, the others with images drawn again.
    """
    images = wrong[0].shape[1]
    values = statistic(*(100 / images * (_drawn(images) @ rows.T.astype(np.float32)) for rows in wrong))
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(values[1:], [tail, 100 - tail])
    return Effect(float(values[0]), float(low), float(high), images)


@lru_cache(maxsize=2)
def _drawn(images: int) -> Floats:
    """1 + RESAMPLES × N: how often each image is among N that are drawn with replacement; at first each once."""
    drawn = np.random.default_rng(_SEED).integers(0, images, (RESAMPLES, images))
    places = drawn + images * np.arange(RESAMPLES)[:, None]
    often = np.bincount(places.ravel(), minlength=RESAMPLES * images).reshape(RESAMPLES, images)
    return np.vstack([np.ones((1, images)), often]).astype(np.float32)


def redrawn(values: Floats) -> Floats:
    """R × D values of D draws: in every row but the first, as measured, so many of them drawn with replacement.

    Cuts that were drawn at random are a sample, as the images are. Of as many draws the same ones are drawn for every
    net: nets of one depth were given the same cuts.
    """
    rows, draws = values.shape
    chosen = np.random.default_rng(_SEED).integers(0, draws, (rows, draws))
    chosen[0] = np.arange(draws)
    return np.take_along_axis(values, chosen, axis=1)


def times(loss: float, whole: float) -> float:
    """The loss of a cut net as a multiple of the whole one's: error saturates at chance, loss does not."""
    return loss / whole if whole > 0 else float("inf")
