"""Courses of made-up sizes, for verdicts and claims."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.studies.gradients.questions import Course


def course(
    *,
    net: str = "plain-56",
    rms: NDArray[Any],
    stages: Sequence[int],
    steps: Sequence[int] = (0,),
    error: float = 30.0,
    likeness: Sequence[float] = (),
    **changes: Any,
) -> Course:
    """A course of M × B × P gradients; two layers of weights that are 1, where nothing else is said."""
    moments, batches, _ = rms.shape
    layers = len(changes.get("layer_stages", (0, 0)))
    return Course(
        **{
            "net": net,
            "seed": 0,
            "steps": np.array(steps),
            "stages": np.array(stages),
            "block_rms": rms,
            "layers": tuple(f"layer {i}" for i in range(layers)),
            "weight_norm": np.ones((moments, batches, layers)),
            "weight_size": np.ones((moments, layers)),
            "likeness": np.array(likeness),
            "train_error": error,
            "test_error": error,
            "diverged": False,
            "images": 64,
            **changes,
            "layer_stages": np.array(changes.get("layer_stages", (0, 0))),
        }
    )
