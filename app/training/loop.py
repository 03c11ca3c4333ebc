"""Training as a generator of events: `for event in train(spec, images): …`.

A run that goes on from a checkpoint needs no history: on a CPU its weights equal those of an undisturbed run, bit for
bit. On two cores of an AMD EPYC (ResNet-20, batch 128): float32 535 images/s, bfloat16 and channels-last 1087, and the
norms of all layers cost too little to be seen (118 ms a step with and without).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from app.base.memory import keep_freed_memory
from app.data.images import Images
from app.store.files.checkpoints import Digests
from app.training.cuda_graphs import Ahead
from app.training.evaluation import evaluate
from app.training.graph_check import graphs_hold
from app.training.precision import faster
from app.training.step import Steps
from app.values.events import (
    BlockCut,
    CheckpointSaved,
    EpochEvaluated,
    Event,
    RunDiverged,
    RunFinished,
    RunStarted,
    RunStopped,
    StepMeasured,
)
from app.values.run_spec import RunSpec

CHECKPOINT_SECONDS = 5.0  # between moments, so that a killed worker costs no more than this


def resolve(spec: RunSpec, remember: Path | None = None) -> RunSpec:
    """`spec` with this machine's device, precision and threads in place of `auto` and 0.

    `remember`: the folder where what was measured of this machine is remembered.
    """
    if spec.device != "auto" and spec.precision != "auto" and spec.threads:
        return spec  # a worker has asked already, to know where the images go
    device = spec.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = spec.precision
    if precision == "auto":
        precision = faster(device, remember)
    threads = spec.threads or torch.get_num_threads()
    return spec.model_copy(update={"device": device, "precision": precision, "threads": threads})


def train(
    spec: RunSpec,
    images: Images,
    folder: Path | None = None,
    start: int = 0,
    until: int | None = None,
    stop: Callable[[], bool] = lambda: False,
    cuts: Sequence[BlockCut] = (),
    given: Mapping[str, Tensor] | None = None,
    remember: Path | None = None,
    digests: Digests = Digests(),  # noqa: B008  a frozen value
) -> Iterator[Event]:
    """Train `spec` from step `start` (its weights in `folder`) up to step `until`, or the end.

    Weights go to `folder` (None: nowhere). `stop` is asked whenever steps have been measured: after every one, on a GPU
    after every few. `cuts`: all that was or will be cut in this run, in order. `given`: weights to begin with at step
    0, in place of those that the seed draws. `remember`: as for `resolve`. `digests`: of the files at `start`. Raises
    OSError where weights cannot be written, DamagedError where those at `start` are not what was written.
    """
    spec = resolve(spec, remember)
    run = _begun(spec, images, folder, start, cuts, given, remember, digests)
    yield _started(run, start)
    keeper = _Keeper(run, folder)
    if start == 0:
        yield from keeper.kept(0)
    last = min(run.total, until if until is not None else run.total)
    done, made, seconds = start, 0, 0.0  # steps of this epoch that this process made, and their time
    while done < last:
        taken = run.take(done, last)
        yield from taken
        if not taken[-1].finite:
            yield _diverged(run, taken[-1], folder)
            return
        done, made, seconds = done + len(taken), made + len(taken), seconds + sum(step.seconds for step in taken)
        if done % run.epoch_steps == 0:
            yield _evaluated(run, done, made * run.batch / seconds)
            made, seconds = 0, 0.0
        stopping = done < run.total and (done == last or stop())
        yield from keeper.kept(done, last=stopping)
        if stopping:
            yield RunStopped(step=done)
            return
    yield RunFinished(step=run.total)


def _begun(
    spec: RunSpec,
    images: Images,
    folder: Path | None,
    start: int,
    cuts: Sequence[BlockCut],
    given: Mapping[str, Tensor] | None,
    remember: Path | None,
    digests: Digests,
) -> Steps:
    """Net, optimiser and batches, as they are before step `start`."""
    torch.set_num_threads(spec.threads)
    keep_freed_memory()
    recorded = spec.device == "cuda" and graphs_hold(remember)
    run = (Ahead if recorded else Steps)(spec, images, cuts)
    if start and folder is None:
        raise ValueError("a run goes on only from a folder of weights")
    if start and folder is not None:
        run.restore(folder, start, digests)
    elif given is not None:
        run.net.load_state_dict(given)
    return run


def _started(run: Steps, step: int) -> RunStarted:
    return RunStarted(
        step=step,
        layers=tuple(run.weights),
        total_steps=run.total,
        epoch_steps=run.epoch_steps,
        train_images=run.count,
        device=run.spec.device,
        precision="bfloat16" if run.autocast else "float32",
        threads=run.spec.threads,
    )


class _Keeper:
    """Writes down weights at moments and, so that a killed worker costs little, every few seconds between them."""

    def __init__(self, run: Steps, folder: Path | None) -> None:
        self.run, self.folder, self.saved = run, folder, time.monotonic()

    def kept(self, step: int, last: bool = False) -> Iterator[CheckpointSaved]:
        """The event, where they are written now."""
        moment = self.run.is_moment(step)
        due = moment or last or time.monotonic() - self.saved > CHECKPOINT_SECONDS
        if self.folder is not None and due:
            written = self.run.save(self.folder, step)
            self.saved = time.monotonic()
            yield CheckpointSaved(step=step, moment=moment, weights=written.weights, momentum=written.momentum)


def _evaluated(run: Steps, step: int, images_per_second: float) -> EpochEvaluated:
    result = evaluate(run.net, run.images, cut=run.cut(step - 1))
    return EpochEvaluated(
        step=step,
        epoch=step // run.epoch_steps,
        test_error=result.error,
        test_loss=result.loss,
        test_images=result.images,
        images_per_second=images_per_second,
    )


def _diverged(run: Steps, last: StepMeasured, folder: Path | None) -> RunDiverged:
    """Keeps the weights before the update that was not made, and finds where it began."""
    if folder is not None:
        run.save(folder, last.step)
    layer, what = run.trouble(last)
    return RunDiverged(step=last.step, layer=layer, what=what)
