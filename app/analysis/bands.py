"""How sure a mean is that was taken over a sample."""

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000


def mean_band(values: NDArray[np.floating], rng: np.random.Generator) -> tuple[float, float]:
    """95% band of the mean of `values`: the percentile bootstrap (Efron 1979), which keeps norms positive."""
    means = rng.choice(values, (RESAMPLES, len(values))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
