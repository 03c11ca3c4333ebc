"""Training as a generator of events: `for event in train(spec, images): …`.

Recipe: He et al. 2015, section 4.2; SGD with momentum, cross-entropy. Everything that is random is drawn from a
generator keyed by (seed, purpose, step), so a run that goes on from a checkpoint needs no history: on a CPU its
weights equal those of an undisturbed run, bit for bit.

On two cores of an AMD EPYC (ResNet-20, batch 128): float32 535 images/s, bfloat16 and channels-last 1087, and the
norms of all layers cost too little to be seen (118 ms a step with and without).
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from app.analysis.cut import cut_output
from app.checkpoints import is_moment, momentum_file, weights_file, write_atomically
from app.cuts import CutSpec
from app.data import Images, augment, normalised, order, prepare
from app.events import (
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
from app.memory import keep_freed_memory
from app.precision import faster
from app.probes import layer_outputs, undisturbed
from app.results.evaluations import Evaluation
from app.spec import RunSpec
from models.nets import Net, build, generator, weight_layers

CHECKPOINT_SECONDS = 5.0  # between moments, so that a killed worker costs no more than this
EVALUATION_BATCH = 500
WHOLE = CutSpec()


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

    Weights go to `folder` (None: nowhere). `stop` is asked after every step. `cuts`: all that was or will be cut in
    this run, in order. `given`: weights to begin with at step 0, in place of those that the seed draws. Raises OSError
    where weights cannot be written or read.
    """
    spec = resolve(spec)
    torch.set_num_threads(spec.threads)
    keep_freed_memory()
    run = _Run(spec, images, cuts)
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
        moment = is_moment(step, run.epoch_steps) or step == run.total
        if folder is not None and (moment or last or time.monotonic() - saved > CHECKPOINT_SECONDS):
            run.save(folder, step)
            saved = time.monotonic()
            yield CheckpointSaved(step=step, moment=moment)

    last = min(run.total, until if until is not None else run.total)
    if start == 0:
        yield from checkpoint(0)
    epoch: list[StepMeasured] = []
    for step in range(start, last):
        measured = run.step(step)
        trouble = run.trouble(measured)
        if trouble:
            yield measured
            run.save(folder, step) if folder is not None else None
            yield RunDiverged(step=step, layer=trouble[0], what=trouble[1])
            return
        run.update()
        yield measured
        epoch.append(measured)
        done = step + 1
        if done % run.epoch_steps == 0:
            yield run.evaluated(done, epoch)
            epoch = []
        stopping = done < run.total and (done == last or stop())
        yield from checkpoint(done, last=stopping)
        if stopping:
            yield RunStopped(step=done)
            return
    yield RunFinished(step=run.total)


class _Run:
    """Net, optimiser and batches of one run, on their device."""

    def __init__(self, spec: RunSpec, images: Images, cuts: Sequence[BlockCut]) -> None:
        recipe = spec.recipe
        self.spec, self.images, self.cuts = spec, normalised(images, spec), cuts
        self.count = min(spec.images or len(images.train), len(images.train))
        self.batch = min(recipe.batch, self.count)
        self.epoch_steps = self.count // self.batch
        self.total = recipe.steps or recipe.epochs * self.epoch_steps
        self.autocast = spec.precision == "bfloat16"
        self.net: Net = build(spec.net, spec.seed).to(spec.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = weight_layers(self.net)
        self.sgd = torch.optim.SGD(
            self.net.parameters(), lr=recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        self.zero = torch.zeros((), device=spec.device)
        self._order = torch.empty(0, dtype=torch.int64)
        self._order_epoch = -1

    def rounding(self) -> AbstractContextManager[object]:
        """bfloat16 for convolutions and products where the run's precision says so; weights stay float32."""
        return torch.autocast(self.spec.device, torch.bfloat16, enabled=self.autocast)

    def inputs(self, step: int) -> tuple[Tensor, Tensor]:
        """Batch of one step: N×C×H×W and N. The last images of an epoch that fill no batch wait for the next."""
        epoch, nth = divmod(step, self.epoch_steps)
        if epoch != self._order_epoch:
            self._order, self._order_epoch = order(self.count, self.spec.seed, epoch), epoch
        chosen = self._order[nth * self.batch : (nth + 1) * self.batch].to(self.images.train.device)
        x = self.images.train[chosen]
        if self.spec.recipe.augment:
            x = augment(x, generator(self.spec.seed, "augment", step), fill=self.images.info.mean_pixel)
        dtype = torch.bfloat16 if self.autocast else torch.float32
        return prepare(x, self.images.info, dtype), self.images.train_labels[chosen]

    def cut(self, step: int) -> CutSpec:
        """What is cut at one step."""
        return next((one.cut for one in reversed(self.cuts) if one.step <= step), WHOLE)

    def step(self, step: int) -> StepMeasured:
        """Forward and backward; gradients are left in place for `update`."""
        begun = time.perf_counter()
        if not self.net.training:
            self.net.train()
        torch.manual_seed(noise_seed(self.spec.seed, step))  # dropout and dropped branches: no history needed either
        rate = self.spec.recipe.rate(step, self.total)
        for group in self.sgd.param_groups:
            group["lr"] = rate
        x, y = self.inputs(step)
        with self.rounding():
            logits = cut_output(self.net, x, self.cut(step))
        loss = F.cross_entropy(logits.float(), y)
        self.sgd.zero_grad(set_to_none=True)
        loss.backward()
        wrong = (logits.argmax(1) != y).sum()
        figures = torch.stack([loss.detach(), wrong.to(loss.dtype), *self.norms()]).tolist()  # one synchronisation
        return StepMeasured(
            step=step,
            loss=figures[0],
            error=100 * figures[1] / len(y),
            lr=rate,
            norms=tuple(figures[2:]),
            seconds=time.perf_counter() - begun,
        )

    def norms(self) -> list[Tensor]:
        """L2 norm of each weight layer's gradient, in training mode; nothing where the run does not measure."""
        if not self.spec.measure:
            return []
        there = {name: weight.grad for name, weight in self.weights.items() if weight.grad is not None}
        norms = dict(zip(there, torch._foreach_norm(list(there.values())), strict=True))
        # A branch that was cut, or that stochastic depth dropped, has no gradient: zero.
        return [norms.get(name, self.zero) for name in self.weights]

    def update(self) -> None:
        """One step of SGD."""
        self.sgd.step()

    def trouble(self, measured: StepMeasured) -> tuple[str, Literal["activation", "gradient", "loss"]] | None:
        """Where it began, if the loss or a gradient is not finite: seen before the update, so the weights are sound."""
        if math.isfinite(measured.loss) and all(map(math.isfinite, measured.norms)):
            return None
        first: list[str] = []

        def see(name: str, output: Tensor) -> None:
            if not first and not bool(torch.isfinite(output).all()):
                first.append(name)

        seed = noise_seed(self.spec.seed, measured.step)
        with undisturbed(self.net, seed=seed), layer_outputs(self.net, see), self.rounding(), torch.no_grad():
            cut_output(self.net, self.inputs(measured.step)[0], self.cut(measured.step))
        if first:
            return first[0], "activation"
        if not math.isfinite(measured.loss):
            return "head.fc", "loss"
        # The gradient runs from the head to the stem: it began where the last of them is not finite.
        bad = [name for name, norm in zip(self.weights, measured.norms, strict=True) if not math.isfinite(norm)]
        return bad[-1], "gradient"

    def evaluated(self, step: int, epoch: list[StepMeasured]) -> EpochEvaluated:
        """The event at the end of an epoch; `epoch` holds the steps of it that this process made."""
        seconds = sum(measured.seconds for measured in epoch)
        result = evaluate(self.net, self.images, cut=self.cut(step - 1))
        return EpochEvaluated(
            step=step,
            epoch=step // self.epoch_steps,
            test_error=result.error,
            test_loss=result.loss,
            test_images=result.images,
            images_per_second=len(epoch) * self.batch / seconds,
        )

    def save(self, folder: Path, step: int) -> None:
        """Weights and momentum after `step` updates; the momentum last, so that its presence means both are whole."""
        state = {name: value.contiguous() for name, value in self.net.state_dict().items()}
        momentum = {
            name: self.sgd.state[parameter]["momentum_buffer"].contiguous()
            for name, parameter in self.net.named_parameters()
            if parameter in self.sgd.state
        }
        write_atomically(weights_file(folder, step), lambda path: save_file(state, path))
        write_atomically(momentum_file(folder, step), lambda path: save_file(momentum, path))

    def restore(self, folder: Path, step: int) -> None:
        """Go on from `step`."""
        load_weights(self.net, weights_file(folder, step))
        momentum = load_file(momentum_file(folder, step))
        for name, parameter in self.net.named_parameters():
            if name in momentum:  # a branch that was always cut or dropped has none yet
                self.sgd.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(momentum[name])


def noise_seed(seed: int, step: int) -> int:
    """Seed of everything that is random inside the net at one step."""
    return generator(seed, "noise", step).initial_seed()


def load_weights(net: nn.Module, path: Path) -> None:
    """Fill `net` from a file of weights, float16 or float32. Raises OSError or ValueError."""
    state = {name: value.float() if value.is_floating_point() else value for name, value in load_file(path).items()}
    net.load_state_dict(state)


@torch.no_grad()
def evaluate(net: Net, images: Images, count: int | None = None, cut: CutSpec = WHOLE) -> Evaluation:
    """Error and loss on the first `count` test images, of the whole net or under `cut`; evaluation mode, float32."""
    net.eval()
    total = min(count or len(images.test), len(images.test))
    loss = wrong = 0.0
    for begin in range(0, total, EVALUATION_BATCH):
        chosen = slice(begin, min(begin + EVALUATION_BATCH, total))
        y = images.test_labels[chosen]
        logits = cut_output(net, prepare(images.test[chosen], images.info, torch.float32), cut)
        loss += float(F.cross_entropy(logits, y, reduction="sum"))
        wrong += float((logits.argmax(1) != y).sum())
    return Evaluation(error=100 * wrong / total, loss=loss / total, images=total)
