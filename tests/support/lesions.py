"""Results of lesion studies whose outcome is known: of N images so many per cent are wrong, always the first ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions

IMAGES = 400
CLASSES = 2
LABEL = np.arange(IMAGES) // 2 % CLASSES  # in turn, so that either half of the images holds all


def wrong(errors: NDArray[Any], images: int = IMAGES) -> NDArray[np.bool_]:
    """… × N: the first so many per cent of the images, spread over both halves."""
    return np.arange(images) < np.asarray(errors)[..., None] * images / 100


def single(errors: list[float], whole: float = 10.0, loss: float = 0.3) -> SingleLesions:
    """Each block's error; NaN: it cannot be cut. The loss of a cut is its error in hundredths, times ten."""
    error = np.array(errors)
    known = np.isfinite(error)
    predicted = np.where(wrong(np.where(known, error, 0.0)), 1 - LABEL, LABEL)
    predicted[~known] = -1
    of_class = np.full((len(errors), CLASSES), np.nan)
    return SingleLesions(
        full_error=whole,
        full_loss=loss,
        full_class_error=np.full(CLASSES, whole),
        full_predicted=np.where(wrong(np.array(whole)), 1 - LABEL, LABEL),
        error=error,
        loss=error / 10,
        class_error=of_class,
        predicted=predicted,
        labels=LABEL,
    )


def at_random(whole: float, k: list[int], errors: list[list[float]], loss: float = 0.3) -> RandomLesions:
    """Each draw's error, K × D."""
    return RandomLesions(k=np.array(k), **_drawn(whole, np.array(errors), loss))


def reordered(whole: float, tau: NDArray[Any], errors: NDArray[Any]) -> Reorderings:
    """Each draw's τ and error, K × D."""
    return Reorderings(k=1 + np.arange(len(tau)), tau=tau, **_drawn(whole, errors, 0.3))


def _drawn(whole: float, errors: NDArray[Any], loss: float) -> dict[str, Any]:
    return {
        "full_error": whole,
        "full_loss": loss,
        "full_wrong": np.packbits(wrong(np.array(whole))),
        "error": errors,
        "loss": errors / 10,
        "wrong": np.packbits(wrong(errors), axis=-1),
        "images": IMAGES,
    }
