"""Does the gradient vanish? Every setting measured in the same way, at initialisation and over the first steps.

Depth × shortcuts × normalisation × activation. SELU nets start with LeCun's weights, as Klambauer et al. 2017
(*Self-Normalizing Neural Networks*) ask; the others with He's.
"""

import math
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from app.analysis.answering import answers
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import Images
from app.store.files.checkpoints import FIRST_MOMENTS, weights_file
from app.studies.gradients.measurement import batch, block_rms, sizes, stages
from app.studies.gradients.questions import Course, Grid
from app.studies.gradients.verdicts import course_of
from app.studies.truth_test.questions import CourseQuestion, GridQuestion
from app.training.evaluation import evaluate, load_weights
from app.training.loop import train
from app.values.events import CheckpointSaved, RunDiverged, StepMeasured
from app.values.run_spec import Recipe, RunSpec
from models.nets.net import build
from models.spec import NetSpec

DEPTHS = (8, 20, 56, 110)
SEEDS = (0, 1, 2)
IMAGES = 64
BATCHES = 6
STEPS = 100
LAST_STEPS = 20  # whose batches' mean error is the training error reached


def settings(depths: tuple[int, ...] = DEPTHS, width: int = 8) -> tuple[NetSpec, ...]:
    """The nets of the grid, for grey images of ten classes."""
    return tuple(
        NetSpec.parse(f"{family}-{depth}:width={width}:norm={norm}:activation={activation}:init={init}").fitted(1, 10)
        for (activation, init), norm, family, depth in product(
            (("relu", "he"), ("elu", "he"), ("selu", "lecun")), ("batch", "none"), ("plain", "resnet"), depths
        )
    )


def grid(
    nets: tuple[NetSpec, ...],
    images: Images,
    seeds: tuple[int, ...] = SEEDS,
    count: int = IMAGES,
    progress: Progress = quiet,
) -> Grid:
    """The RMS of the activation gradients of each net at initialisation, training mode, on the first `count` images."""
    x, y = batch(images, count)
    places = 1 + max(net.blocks for net in nets)
    rms = np.full((len(nets), len(seeds), places), np.nan)
    where = np.full((len(nets), places), -1)
    for done, (g, s) in enumerate(np.ndindex(len(nets), len(seeds))):
        progress(done, len(nets) * len(seeds))
        own = 1 + nets[g].blocks
        rms[g, s, :own] = block_rms(build(nets[g], seeds[s]), x, y)
        where[g, :own] = stages(nets[g])
    progress(len(nets) * len(seeds), len(nets) * len(seeds))
    return Grid(tuple(map(str, nets)), seeds, rms, where, count)


def course(
    net: NetSpec,
    images: Images,
    steps: int = STEPS,
    seed: int = 0,
    count: int = IMAGES,
    threads: int = 0,
    progress: Progress = quiet,
) -> Course:
    """Train a net for its first steps; the truth table after 0, 1, 10 and 100 steps, and at the end."""
    recipe = Recipe(name="first-steps", steps=steps, schedule="constant")
    spec = RunSpec(
        net=net, data=images.info.name, recipe=recipe, seed=seed, precision="float32", threads=threads, device="cpu"
    )
    moments: list[int] = []
    errors: list[float] = []
    diverged = False
    with TemporaryDirectory() as folder:
        for event in train(spec, images, Path(folder)):
            match event:
                case CheckpointSaved(step=step) if step in (*FIRST_MOMENTS, steps):
                    moments.append(step)
                case StepMeasured(step=step, error=error):
                    errors.append(error)
                    progress(step + 1, steps)
                case RunDiverged():
                    diverged = True
        found = {}
        for step in moments:
            trained = build(net)
            load_weights(trained, weights_file(Path(folder), step))
            test_error = evaluate(trained, images).error if step == moments[-1] else math.nan
            found[step] = sizes(trained, images, count, BATCHES, step)
    train_error = float(np.mean(errors[-LAST_STEPS:])) if errors else math.nan
    return course_of(net, found, train_error, test_error, seed=seed, diverged=diverged)


@answers(GridQuestion)
def answer_grid(question: GridQuestion, subject: Subject, progress: Progress) -> Grid:
    """48 nets."""
    return grid(settings(), subject.images, question.seeds, question.images, progress)


@answers(CourseQuestion)
def answer_course(question: CourseQuestion, subject: Subject, progress: Progress) -> Course:
    """One net, trained."""
    info = subject.images.info
    net = NetSpec.parse(question.net).fitted(info.channels, info.classes)
    return course(
        net, subject.images, question.steps, question.seed, threads=torch.get_num_threads(), progress=progress
    )
