"""Seconds for all single-block lesions of ResNet-56, beside as many forward passes over the same images.

The net's weights are its initial ones: a cut costs the same whatever they are. Both in evaluation mode and float32, on
the 2,000 bundled test images, and every figure of each is counted: the engine's own evaluation is the reference.
"""

from app.analysis.lesions import single_lesions
from app.data import load as load_data
from app.datasets import BUNDLED
from app.settings import load
from app.training import evaluate
from benchmarks.engine_step import timed, two_cores
from benchmarks.figures import Device, Figure, Row, Say, at_most, interleaved
from models.nets import build
from models.spec import NetSpec

FORWARDS = "27 forward passes"
SINGLE = Row("ResNet-56, all single lesions ÷ 27 forward passes", "s", {"cpu": at_most(0.6)}, FORWARDS)
ROWS = (SINGLE,)

IMAGES = 2000
REPETITIONS = 3
WARM_UP = 500  # images


def measure(device: Device, say: Say) -> list[Figure]:
    """The study and the passes in turn."""
    images = load_data(BUNDLED, load())
    net = build(NetSpec.parse("resnet-56").fitted(images.info.channels, images.info.classes))

    def passes() -> None:
        for _ in net.blocks:
            evaluate(net, images, IMAGES)

    with two_cores(device):
        evaluate(net, images, WARM_UP)
        found = interleaved(
            {
                "lesions": lambda: timed(lambda: single_lesions(net, images, IMAGES), device),
                FORWARDS: lambda: timed(passes, device),
            },
            REPETITIONS,
        )
    figure = SINGLE.beside(found["lesions"], found[FORWARDS], f"{IMAGES:,} images")
    say(f"{SINGLE.name}: {figure.ratio:.3f}")
    return [figure]
