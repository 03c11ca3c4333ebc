"""The identity argument: a deeper net could do no worse, since its added layers need only be the identity.

He et al. 2015, *Deep Residual Learning for Image Recognition*, section 1: "there exists a solution by construction to
the deeper model". Here it is constructed, and then asked for: can a stack learn y = x?
"""

from collections import OrderedDict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from app.analysis.answering import answers
from app.analysis.progress import Progress, quiet
from app.analysis.subject import Subject
from app.data.images import Images, prepare
from app.store.files.checkpoints import weights_file
from app.store.history import running_mean
from app.studies.cuts.over_images import packed
from app.studies.identity.questions import (
    Deepened,
    DeepenedQuestion,
    Lesson,
    LessonQuestion,
    TrainedOn,
    TrainedOnQuestion,
)
from app.training.evaluation import EVALUATION_BATCH, evaluate, load_weights
from app.training.loop import train
from app.training.probes import block_names, outputs, undisturbed
from app.values.arrays import Bools
from app.values.events import CheckpointSaved, RunDiverged, StepMeasured
from app.values.run_spec import RunSpec
from models.families import Family
from models.nets.net import Net, build, generator
from models.plan import plan
from models.spec import NetSpec

Target = Literal["identity", "zero"]

STATISTICS_IMAGES = 500
WINDOW = 10  # steps over which a training error is averaged
BLOCKS = (1, 4, 16)
CHANNELS, SIZE, BATCH = 4, 8, 64  # of the stacks that learn the identity
LEARNING_RATE = 0.01


# ---- construct it --------------------------------------------------------------------------------------------------


def deepen(net: Net, depth: int, x: Tensor) -> Net:
    """A plain net of `depth` layers, evaluation mode, that computes what the trained plain `net` does.

    Each stage begins with the blocks of `net`; those added after them are identities: Dirac kernels, and batch
    normalisation that gives back what it takes away, each channel's mean and deviation over x, N×C×H×W. (Mean 0 and
    deviation 1 would do as well in evaluation mode, but the first training step would normalise the identity away.)
    ReLU is the identity on what a ReLU has put out. Raises ValueError where that construction is not possible.
    """
    deeper = build(_deeper_spec(net.spec, depth)).eval()
    homes = _homes(net.spec, deeper.spec)
    state = {name: value.clone() for name, value in net.state_dict().items() if not name.startswith("blocks.")}
    for new, old in enumerate(homes):
        state.update(_moved(net.blocks[old], new) if old is not None else {})
    deeper.load_state_dict(state, strict=False)
    given, last = _block_outputs(net, x), 0
    for block, old in zip(deeper.blocks, homes, strict=True):
        if old is None:
            _make_identity(block, given[last])
        else:
            last = old
    return deeper


def deepened(net: Net, depth: int, images: Images) -> tuple[OrderedDict[str, Tensor], Deepened]:
    """The deeper net's weights and the check: every logit on the test images, and both test errors."""
    x = prepare(images.train[:STATISTICS_IMAGES], images.info)
    deeper = deepen(net, depth, x)
    with undisturbed(net, "evaluation"), torch.no_grad():
        batches = [prepare(part, images.info) for part in images.test.split(EVALUATION_BATCH)]
        largest = max(float((net(part) - deeper(part)).abs().max()) for part in batches)
        error = evaluate(net, images).error
    made = evaluate(deeper, images)
    added = tuple(i for i, old in enumerate(_homes(net.spec, deeper.spec)) if old is None)
    check = Deepened(str(net.spec), str(deeper.spec), added, largest, error, made.error, made.images)
    return OrderedDict(deeper.state_dict()), check


def train_on(net: Net, spec: RunSpec, depth: int, images: Images, progress: Progress = quiet) -> TrainedOn:
    """Train the trained `net` made deeper, and a net of that depth from scratch, as `spec` says but for its net.

    Both go through the same batches, and start without momentum. `spec.recipe.steps` must be said.
    """
    state, check = deepened(net, depth, images)
    deeper = NetSpec.parse(check.deeper)
    spec = spec.model_copy(update={"net": deeper})
    steps = spec.recipe.steps
    if steps is None:
        raise ValueError("the number of steps must be said")
    made = build(deeper)
    made.load_state_dict(state)
    error = np.full((2, steps), np.nan)
    wrong, diverged = [_wrong(made, images)], [False, False]
    for nth, given in enumerate((state, None)):
        last = 0
        with TemporaryDirectory() as folder:
            for event in train(spec, images, Path(folder), given=given):
                match event:
                    case StepMeasured(step=step):
                        error[nth, step] = event.error
                        progress(nth * steps + step + 1, 2 * steps)
                    case CheckpointSaved(step=step):
                        last = step
                    case RunDiverged(step=step):
                        last, diverged[nth] = step, True
            load_weights(made, weights_file(Path(folder), last))
        wrong.append(_wrong(made, images))
    return TrainedOn(
        net=check.net,
        deeper=check.deeper,
        rate=spec.recipe.lr,
        error=np.array([running_mean(row, WINDOW) for row in error]),
        wrong=packed(np.array(wrong)),
        images=len(images.test),
        diverged=(diverged[0], diverged[1]),
        window=WINDOW,
    )


def _wrong(net: Net, images: Images) -> Bools:
    """N, True for a test image whose class the net misses, evaluation mode."""
    batches = zip(images.test.split(EVALUATION_BATCH), images.test_labels.split(EVALUATION_BATCH), strict=True)
    with undisturbed(net, "evaluation"), torch.no_grad():
        missed = [net(prepare(x, images.info)).argmax(1) != labels for x, labels in batches]
    return torch.cat(missed).numpy()


def _deeper_spec(spec: NetSpec, depth: int) -> NetSpec:
    if spec.family != "plain" or spec.activation != "relu" or spec.branch == "bottleneck":
        raise ValueError("identity blocks are inserted into plain nets of 3×3 convolutions with ReLU")
    deeper = NetSpec.model_validate({**spec.model_dump(), "depth": depth})
    if any(new < old for new, old in zip(deeper.stage_blocks, spec.stage_blocks, strict=True)):
        raise ValueError(f"a net of {depth} layers is not deeper than {spec.name}")
    return deeper


def _homes(spec: NetSpec, deeper: NetSpec) -> list[int | None]:
    """For each block of the deeper net, the block of the other that it is; None for one that is added."""
    homes: list[int | None] = []
    begin = 0
    for old, new in zip(spec.stage_blocks, deeper.stage_blocks, strict=True):
        homes += [begin + i if i < old else None for i in range(new)]
        begin += old
    return homes


def _moved(block: nn.Module, index: int) -> dict[str, Tensor]:
    return {f"blocks.{index}.{name}": value.clone() for name, value in block.state_dict().items()}


def _block_outputs(net: Net, x: Tensor) -> list[Tensor]:
    """What each block puts out, evaluation mode."""
    kept: list[Tensor] = []
    with undisturbed(net, "evaluation"), torch.no_grad(), outputs(net, block_names(net), lambda _, y: kept.append(y)):
        net(x)
    return kept


@torch.no_grad()
def _make_identity(block: nn.Module, y: Tensor) -> None:
    """Fill a block so that it gives back y, N×C×H×W, what the block before it puts out."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.dirac_(module.weight)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            _undo(module, y)


def _undo(norm: nn.BatchNorm2d, y: Tensor) -> None:
    """Mean and variance those of y, scale and shift what undoes them, so that not a bit of y changes.

    γ · 1/σ may round to something else than 1, always in the same direction: 36 such norms in a row can be seen in the
    logits. A variance that differs by 1e-6 rounds otherwise.
    """
    mean, variance = y.mean((0, 2, 3)), y.var((0, 2, 3))
    norm.running_mean.copy_(mean)  # type: ignore[union-attr]  # it tracks them
    norm.bias.copy_(mean)
    for _ in range(20):
        norm.running_var.copy_(variance)  # type: ignore[union-attr]
        norm.weight.copy_((variance + norm.eps).sqrt())
        off = (norm(y) != y).any(0).flatten(1).any(1)  # N×C×H×W → C
        if not off.any():
            break
        variance = torch.where(off, variance * (1 + 1e-6), variance)


# ---- learn it ------------------------------------------------------------------------------------------------------


def stack(family: Family, blocks: int, seed: int) -> nn.Sequential:
    """The first `blocks` blocks of this project's own net of that family: twins start equal, with He's weights."""
    spec = NetSpec(family=family, depth=6 * blocks + 2, width=CHANNELS)
    net = build(spec, seed)
    return nn.Sequential(*(net.blocks[i] for i, block in enumerate(plan(spec).blocks) if block.stage == 0))


def learn(
    target: Target,
    blocks: tuple[int, ...] = BLOCKS,
    families: tuple[Family, ...] = ("plain", "resnet"),
    steps: int = 200,
    seed: int = 0,
    progress: Progress = quiet,
) -> Lesson:
    """Train stacks to give back their input, or zero: fresh non-negative noise at every step, Adam.

    The input is what a block sees after a ReLU, so that y = x is within reach with and without the shortcut.
    """
    curves = [(family, count) for count in blocks for family in families]
    loss = np.full((len(curves), steps), np.nan)
    for c, (family, count) in enumerate(curves):
        learner = stack(family, count, seed)
        adam = torch.optim.Adam(learner.parameters(), lr=LEARNING_RATE)
        for step in range(steps):
            x = torch.randn(BATCH, CHANNELS, SIZE, SIZE, generator=generator(seed, "identity", step)).relu()
            wanted = x if target == "identity" else torch.zeros_like(x)
            missed = (learner(x) - wanted).square().mean() / x.square().mean()
            loss[c, step] = float(missed.detach())
            adam.zero_grad()
            missed.backward()
            adam.step()
        progress(c + 1, len(curves))
    return Lesson(target, tuple(family for family, _ in curves), tuple(count for _, count in curves), loss, seed)


@answers(DeepenedQuestion)
def answer_deepened(question: DeepenedQuestion, subject: Subject, _progress: Progress) -> Deepened:
    """The check; the deeper net's weights are not kept."""
    return deepened(subject.net(question.step), question.depth, subject.images)[1]


@answers(TrainedOnQuestion)
def answer_trained_on(question: TrainedOnQuestion, subject: Subject, progress: Progress) -> TrainedOn:
    """Both nets, each for so many steps at a constant rate, as the run was trained but for that."""
    own = subject.trained.recipe
    recipe = own.model_copy(
        update={"name": "trained-on", "steps": question.steps, "lr": question.rate, "schedule": "constant"}
        | {"warmup_steps": 0}
    )
    machine = {"device": "cpu", "precision": "float32", "threads": torch.get_num_threads()}
    spec = subject.trained.model_copy(update={"recipe": recipe, "seed": question.seed, "measure": False} | machine)
    return train_on(subject.net(question.step), spec, question.depth, subject.images, progress)


@answers(LessonQuestion)
def answer_lesson(question: LessonQuestion, _of: Subject, progress: Progress) -> Lesson:
    """Both stacks."""
    return learn(question.target, (question.blocks,), seed=question.seed, progress=progress)
