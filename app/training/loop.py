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
from app.training.cuda_graphs import Ahead
from app.training.evaluation import evaluate
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
)
from app.values.run_spec import RunSpec

CHECKPOINT_SECONDS = 5.0  # between moments, so that a killed worker costs no more than this


def resolve(spec: RunSpec, folder: Path | None = None) -> RunSpec:
    """`spec` with this machine's device, precision and threads in place of `auto` and 0.

    `folder`: where the faster precision is remembered.
    """
    device = spec.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    precision = spec.precision
    if precision == "auto":
        precision = faster(device, folder)
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
) -> Iterator[Event]:
    """Train `spec` from step `start` (its weights in `folder`) up to step `until`, or the end.

    Weights go to `folder` (None: nowhere). `stop` is asked whenever steps have been measured: after every one, on a GPU
    after every few. `cuts`: all that was or will be cut in this run, in order. `given`: weights to begin with at step
    0, in place of those that the seed draws. Raises OSError where weights cannot be written or read.
    """
    spec = resolve(spec)
    torch.set_num_threads(spec.threads)
    keep_freed_memory()
    run = (Ahead if spec.device == "cuda" else Steps)(spec, images, cuts)
    if start and folder is None:
        raise ValueError("a run goes on only from a folder of weights")
    if start and folder is not None:
        run.restore(folder, start)
    elif given is not None:
        run.net.load_state_dict(given)
    yield RunStarted(
        step=start,
        layers=tuple(run.weights),
        total_steps=run.total,
        epoch_steps=run.epoch_steps,
        train_images=run.count,
        device=spec.device,
        precision="bfloat16" if run.autocast else "float32",
        threads=spec.threads,
    )

    saved = time.monotonic()

    def checkpoint(step: int, last: bool = False) -> Iterator[Event]:
        nonlocal saved
        moment = run.is_moment(step)
        if folder is not None and (moment or last or time.monotonic() - saved > CHECKPOINT_SECONDS):
            run.save(folder, step)
            saved = time.monotonic()
            yield CheckpointSaved(step=step, moment=moment)

    last = min(run.total, until if until is not None else run.total)
    if start == 0:
        yield from checkpoint(0)
    done, made, seconds = start, 0, 0.0  # steps of this epoch that this process made, and their time
    while done < last:
        taken = run.take(done, last)
        yield from taken
        if not taken[-1].finite:
            done = taken[-1].step
            if folder is not None:
                run.save(folder, done)
            layer, what = run.trouble(taken[-1])
            yield RunDiverged(step=done, layer=layer, what=what)
            return
        done, made, seconds = done + len(taken), made + len(taken), seconds + sum(one.seconds for one in taken)
        if done % run.epoch_steps == 0:
            result = evaluate(run.net, run.images, cut=run.cut(done - 1))
            yield EpochEvaluated(
                step=done,
                epoch=done // run.epoch_steps,
                test_error=result.error,
                test_loss=result.loss,
                test_images=result.images,
                images_per_second=made * run.batch / seconds,
            )
            made, seconds = 0, 0.0
        stopping = done < run.total and (done == last or stop())
        yield from checkpoint(done, last=stopping)
        if stopping:
            yield RunStopped(step=done)
            return
    yield RunFinished(step=run.total)
