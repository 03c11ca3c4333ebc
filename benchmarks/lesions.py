"""What cuts cost: all single-block lesions of ResNet-56, and one cut of ResNet-20 from the question to its error.

A cut costs the same whatever the weights are: ResNet-56 has its initial ones. The study is set beside 27 evaluations of
the whole net by the engine itself, of which a few are timed and counted for all; both in evaluation mode and float32,
on the 2,000 bundled test images. The single cut takes a page's way, through an engine and its worker, on a reference
run; what the browser adds is left out. Asked again, it is asked of another server on the same store.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.analysis.lesions import single_lesions
from app.cuts import CutSpec
from app.data import load as load_data
from app.datasets import BUNDLED
from app.jobs import Engine
from app.questions import CutQuestion
from app.settings import Settings, load
from app.training import evaluate
from benchmarks.engine_step import timed, two_cores
from benchmarks.figures import Device, Figure, Row, Say, at_most, interleaved
from models.nets import build
from models.spec import NetSpec

FORWARDS = "27 forward passes"
SINGLE = Row("ResNet-56, all single lesions ÷ 27 forward passes", "s", {"cpu": at_most(0.6)}, FORWARDS)
CUT = Row("a cut asked, to its error: ResNet-20 width 8, 1,000 images", "s", {"cpu": at_most(1.0)})
AGAIN = Row("the same cut asked of another server: from the store", "s", {"cpu": at_most(0.3)})
ROWS = (SINGLE, CUT, AGAIN)

IMAGES = 2000
REPETITIONS = 2
PASSES = 3  # timed of the 27
WARM_UP = 500  # images

RUN, STEP = "reference-resnet-20", 312
BLOCKS = 9
PATIENCE = 120.0  # seconds


def measure(device: Device, say: Say) -> list[Figure]:
    """The study and the passes in turn; then every block's cut, once new and once kept."""
    with two_cores(device):
        figures = [_study(device), *_single_cuts()]
    for figure in figures:
        say(f"{figure.row.name}: {figure.judged:.3f}")
    return figures


def _study(device: Device) -> Figure:
    images = load_data(BUNDLED, load())
    net = build(NetSpec.parse("resnet-56").fitted(images.info.channels, images.info.classes))

    def passes() -> None:
        for _ in range(PASSES):
            evaluate(net, images, IMAGES)

    evaluate(net, images, WARM_UP)
    found = interleaved(
        {
            "lesions": lambda: timed(lambda: single_lesions(net, images, IMAGES), device),
            FORWARDS: lambda: timed(passes, device) * len(net.blocks) / PASSES,
        },
        REPETITIONS,
    )
    return SINGLE.beside(found["lesions"], found[FORWARDS], f"{IMAGES:,} images")


def _single_cuts() -> list[Figure]:
    cuts = [CutSpec.of(removed=[block]) for block in range(BLOCKS)]
    with TemporaryDirectory(prefix="resnet-explorer-") as folder:
        settings = load().model_copy(update={"store": Path(folder), "scheduler": "", "workers": 1})
        with _engine(settings) as engine:
            _answered(engine, CutSpec())  # a page has shown the whole net
            new = [_answered(engine, cut) for cut in cuts]
        with _engine(settings) as engine:
            kept = [_answered(engine, cut) for cut in cuts]
    return [CUT.alone(new, "one thread"), AGAIN.alone(kept)]


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    engine = Engine(settings)
    try:
        yield engine
    finally:
        engine.stop()


def _answered(engine: Engine, cut: CutSpec) -> float:
    """Seconds until a cut's error is there."""
    question = CutQuestion(run=RUN, step=STEP, cut=cut)
    begun = time.perf_counter()
    while (answer := engine.desk.ask(question)).pending:
        if time.perf_counter() - begun > PATIENCE:
            raise RuntimeError(f"no answer after {PATIENCE:.0f} s")
        time.sleep(0.005)
    if answer.trouble:
        raise RuntimeError(answer.trouble)
    return time.perf_counter() - begun
