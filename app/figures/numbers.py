"""The arithmetic of curves: means, thinning, ranges, and numbers short enough to be sent every second."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

POINTS = 1000  # most points of a curve


def frame(total: int) -> list[float]:
    """The range of a step axis: 0…total, and a little room for the markers at both ends."""
    return [-0.012 * total, 1.015 * total]


def thinned(steps: NDArray[Any], values: NDArray[Any], points: int = POINTS) -> tuple[NDArray[Any], NDArray[Any]]:
    """At most `points` of them, evenly chosen, first and last among them."""
    if len(steps) <= points:
        return steps, values
    chosen = np.linspace(0, len(steps) - 1, points).round().astype(int)
    return steps[chosen], values[chosen]


def decades(norms: Sequence[NDArray[Any]], trim: float = 1.0) -> tuple[float, float]:
    """A range of log10 for all of `norms`: their percentiles `trim` and 100 − `trim`, rounded outwards to halves."""
    parts = [np.asarray(values, dtype=float).ravel() for values in norms]
    values = np.concatenate(parts) if parts else np.empty(0)
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return -3.0, 1.0
    low, high = np.percentile(np.log10(values), [trim, 100 - trim]).round(3)  # float32's 0.01 is a little less
    low, high = float(np.floor(2 * low) / 2), float(np.ceil(2 * high) / 2)
    return (low, high) if high - low >= 1 else (low - 0.5, high + 0.5)


def rounded(values: NDArray[Any], digits: int) -> list[float | None]:
    """Plain numbers of so many decimals, None for what is not finite (JSON has no NaN)."""
    numbers = np.round(np.asarray(values, dtype=float), digits)
    return [
        None if not finite else number for number, finite in zip(numbers.tolist(), np.isfinite(numbers), strict=True)
    ]


def significant(values: NDArray[Any]) -> list[float | None]:
    """Plain numbers of four significant digits; None for zero or less, which a log axis cannot show."""
    return [float(f"{v:.4g}") if np.isfinite(v) and v > 0 else None for v in np.asarray(values, dtype=float).tolist()]


def branch(index: int) -> str:
    """F with the subscript of block `index`: blocks count from 0, equations from 1."""
    return "F" + str(index + 1).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))


def raised(n: int) -> str:
    """An exponent as letters: -12 → ⁻¹²."""
    return str(n).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
