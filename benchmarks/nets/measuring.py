"""Milliseconds of the engine's step with every layer's gradient norm, beside the same step without (`RunSpec.measure`).

Two runs alike but for that, a few steps of each in turn; both are built anew several times, so that where their
tensors happen to lie in memory favours neither. The paper's net, and one of the default race, whose layers are many
and small: there the norms cost the most.
"""

from app.base.settings import load
from app.data.images import Images
from app.data.images import load as load_data
from app.values.datasets import BUNDLED
from app.values.run_spec import RECIPES, RunSpec
from benchmarks.nets.engine_step import EngineSteps, cifar_images, paper_run, two_cores
from benchmarks.report.figures import Device, Figure, Row, Say, Target, at_most, interleaved
from models.spec import NetSpec

WITHOUT = "without"
TARGETS: dict[Device, Target | None] = {"cpu": at_most(1.03), "cuda": at_most(1.03)}
PAPER = Row("ResNet-20, step with norms ÷ without", "ms", TARGETS, WITHOUT)
RACE = Row("ResNet-56 of width 8, step with norms ÷ without", "ms", TARGETS, WITHOUT)
ROWS = (PAPER, RACE)

PAIRS = 3  # built anew
REPETITIONS = 10  # of each pair
STEPS = {"cpu": 2, "cuda": 2000}  # each time; on a GPU a hundred or so are read at once
WARM_UP = 3


def measure(device: Device, say: Say) -> list[Figure]:
    """Both nets, with and without."""
    settings = load()
    with two_cores(device) as threads:
        images, note = cifar_images(settings, device)
        bundled = load_data(BUNDLED, settings, device)
        small = NetSpec.parse("resnet-56:width=8").fitted(1, 10)
        race = RunSpec(net=small, recipe=RECIPES["paper"], device=device, threads=1)
        figures = [
            PAPER.beside(*_with_and_without(paper_run(device, threads), images), note),
            RACE.beside(*_with_and_without(race, bundled), "one thread" if device == "cpu" else ""),
        ]
    for figure in figures:
        say(f"{figure.row.name}: {figure.ratio:.3f}")
    return figures


def _with_and_without(spec: RunSpec, images: Images) -> tuple[list[float], list[float]]:
    """Milliseconds of a step, measured in pairs."""
    steps = STEPS[spec.device]
    times: tuple[list[float], list[float]] = [], []
    for _ in range(PAIRS):
        measuring = EngineSteps(spec, images)
        silent = EngineSteps(spec.model_copy(update={"measure": False}), images)
        for run in (measuring, silent):
            run.seconds(WARM_UP)
        pair = {"with": lambda a=measuring: a.seconds(steps), WITHOUT: lambda b=silent: b.seconds(steps)}
        for found, values in zip(times, interleaved(pair, REPETITIONS).values(), strict=True):
            found += [1000 * seconds / steps for seconds in values]
    return times
