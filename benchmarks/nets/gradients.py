"""Seconds of the truth test: the activation gradients of all 48 nets at initialisation, as its button asks for them.

Depth {8, 20, 56, 110} × shortcuts × normalisation × three activations, width 8, three seeds, 64 of the bundled images.
"""

from functools import partial

from app.base.settings import load
from app.data.images import load as load_data
from app.studies.truth_test.measurement import IMAGES, SEEDS, grid, settings
from app.values.datasets import BUNDLED
from benchmarks.nets.engine_step import timed, two_cores
from benchmarks.report.figures import Device, Figure, Row, Say, at_most

GRID = Row("truth test at initialisation, 48 nets of width 8 × 3 seeds, 64 images", "s", {"cpu": at_most(60)})
ROWS = (GRID,)


def measure(device: Device, say: Say) -> list[Figure]:
    """Once: 144 nets are a mean of their own."""
    images = load_data(BUNDLED, load())
    nets = settings()
    with two_cores(device) as threads:
        grid(nets[:1], images, SEEDS[:1])
        seconds = timed(partial(grid, nets, images, SEEDS, IMAGES), device)
    say(f"{GRID.name}: {seconds:.1f} s")
    return [GRID.alone([seconds], f"{threads} threads")]
