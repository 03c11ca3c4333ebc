"""What one step of training is: a batch, forward, backward, every layer's gradient norm, an update.

Recipe: He et al. 2015, section 4.2; SGD with momentum, cross-entropy. Everything that is random is drawn on the CPU
from a generator keyed by (seed, purpose, step), so a step needs no history, and every device sees the same batches.
"""

import math
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from app.data.images import Images, cropped, crops, normalised, order, prepare
from app.store.files.checkpoints import Digests, is_moment, momentum_file, weights_file
from app.training.cut_forward import cut_output
from app.training.evaluation import load_weights, read_tensors, write_tensors
from app.training.probes import layer_outputs, undisturbed
from app.values.cut_spec import WHOLE, CutSpec
from app.values.events import BlockCut, StepMeasured
from app.values.run_spec import RunSpec
from models.nets.net import Net, build, generator, weight_layers


class Steps:
    """Net, optimiser and batches of one run, on their device, whose steps are made one at a time."""

    def __init__(self, spec: RunSpec, images: Images, cuts: Sequence[BlockCut]) -> None:
        self.spec, self.images, self.cuts = spec, normalised(images, spec), cuts
        self.count, self.batch, self.epoch_steps, self.total = spec.length(len(images.train))
        self.autocast = spec.precision == "bfloat16"
        self.dtype = torch.bfloat16 if self.autocast else torch.float32  # of the images
        self.net: Net = build(spec.net, spec.seed).to(spec.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.weights = weight_layers(self.net)
        self.sgd = self.optimiser()
        self.zero = torch.zeros((), device=spec.device)
        self._order = torch.empty(0, dtype=torch.int64)
        self._order_epoch = -1

    def optimiser(self) -> torch.optim.SGD:
        """SGD with momentum (He 2015, section 4.2), in one kernel. Momentum begins at zero, for every parameter."""
        recipe, parameters = self.spec.recipe, list(self.net.parameters())
        sgd = torch.optim.SGD(parameters, recipe.lr, recipe.momentum, weight_decay=recipe.weight_decay, fused=True)
        for parameter in parameters:
            sgd.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return sgd

    def take(self, step: int, last: int) -> list[StepMeasured]:
        """Make `step`, and perhaps some of those that follow it up to `last`; none beyond a moment whose weights stay.

        Returns them; the last of them may not be finite: then its update was not made.
        """
        begun = time.perf_counter()
        self.begin(step)
        rate = self.rate(step)
        for group in self.sgd.param_groups:
            group["lr"] = rate
        figures = self.figures(*self.inputs(self.draw(step)), self.cut(step)).tolist()  # one synchronisation
        if all(map(math.isfinite, figures)):
            self.sgd.step()
        return [self.measured(step, figures, time.perf_counter() - begun)]

    def begin(self, step: int) -> None:
        """Training mode, and the seed of what is random inside the net: dropout, dropped branches."""
        if not self.net.training:
            self.net.train()
        seed = noise_seed(self.spec.seed, step)
        torch.default_generator.manual_seed(seed)  # torch.manual_seed writes down the stack for devices not yet used
        if self.spec.device == "cuda":
            torch.cuda.manual_seed(seed)

    def is_moment(self, step: int) -> bool:
        """True for the steps whose weights are kept for analyses, the end of the run among them."""
        return is_moment(step, self.epoch_steps) or step == self.total

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self.spec.recipe.rate(step, self.total)

    def cut(self, step: int) -> CutSpec:
        """What is cut at one step."""
        return next((cut.cut for cut in reversed(self.cuts) if cut.step <= step), WHOLE)

    def draw(self, step: int) -> Tensor:
        """What is random in one step's batch, N×1 or N×4, int64, on the CPU: which images, and how each is cropped.

        The last images of an epoch that fill no batch wait for the next.
        """
        epoch, nth = divmod(step, self.epoch_steps)
        if epoch != self._order_epoch:
            self._order, self._order_epoch = order(self.count, self.spec.seed, epoch), epoch
        chosen = self._order[nth * self.batch : (nth + 1) * self.batch, None]
        if not self.spec.recipe.augment:
            return chosen
        return torch.cat([chosen, crops(self.batch, generator(self.spec.seed, "augment", step))], 1)

    def inputs(self, draw: Tensor) -> tuple[Tensor, Tensor]:
        """The batch of a draw: N×C×H×W and N."""
        draw = draw.to(self.images.train.device)
        x = self.images.train[draw[:, 0]]
        if self.spec.recipe.augment:
            x = cropped(x, draw[:, 1:], fill=self.images.info.mean_pixel)
        return prepare(x, self.images.info, self.dtype), self.images.train_labels[draw[:, 0]]

    def rounding(self) -> AbstractContextManager[object]:
        """bfloat16 for convolutions and products where the run's precision says so; weights stay float32."""
        return torch.autocast(self.spec.device, torch.bfloat16, enabled=self.autocast)

    def figures(self, x: Tensor, y: Tensor, cut: CutSpec) -> Tensor:
        """Forward and backward: loss, wrong answers, and each layer's norm, on the device; gradients stay in place."""
        with self.rounding():
            logits = cut_output(self.net, x, cut)
        loss = F.cross_entropy(logits.float(), y)
        self.sgd.zero_grad(set_to_none=True)
        loss.backward()
        wrong = (logits.argmax(1) != y).sum()
        return torch.stack([loss.detach(), wrong.to(loss.dtype), *self.norms()])

    def norms(self) -> list[Tensor]:
        """L2 norm of each weight layer's gradient, in training mode; nothing where the run does not measure."""
        if not self.spec.measure:
            return []
        there = {name: weight.grad for name, weight in self.weights.items() if weight.grad is not None}
        norms = dict(zip(there, torch._foreach_norm(list(there.values())), strict=True))
        # A branch that was cut, or that stochastic depth dropped, has no gradient: zero.
        return [norms.get(name, self.zero) for name in self.weights]

    def measured(self, step: int, figures: list[float], seconds: float) -> StepMeasured:
        """The event of a step with these `figures`."""
        loss, wrong, *norms = figures
        return StepMeasured(
            step=step,
            loss=loss,
            error=100 * wrong / self.batch,
            lr=self.rate(step),
            norms=tuple(norms),
            seconds=seconds,
        )

    def trouble(self, measured: StepMeasured) -> tuple[str, Literal["activation", "gradient", "loss"]]:
        """Where it began that the loss or a gradient is not finite. Its update was not made: the weights are sound."""
        first: list[str] = []

        def see(name: str, output: Tensor) -> None:
            if not first and not bool(torch.isfinite(output).all()):
                first.append(name)

        seed, x = noise_seed(self.spec.seed, measured.step), self.inputs(self.draw(measured.step))[0]
        with undisturbed(self.net, seed=seed), layer_outputs(self.net, see), self.rounding(), torch.no_grad():
            cut_output(self.net, x, self.cut(measured.step))
        if first:
            return first[0], "activation"
        if not math.isfinite(measured.loss):
            return "head.fc", "loss"
        # The gradient runs from the head to the stem: it began where the last of them is not finite.
        bad = [name for name, norm in zip(self.weights, measured.norms, strict=True) if not math.isfinite(norm)]
        return bad[-1], "gradient"

    def save(self, folder: Path, step: int) -> Digests:
        """Weights and momentum after `step` updates; the momentum last, so that its presence means both are whole."""
        state = {name: value.contiguous() for name, value in self.net.state_dict().items()}
        momentum = {
            name: self.sgd.state[parameter]["momentum_buffer"].contiguous()
            for name, parameter in self.net.named_parameters()
        }
        written = write_tensors(weights_file(folder, step), state)
        return Digests(written, write_tensors(momentum_file(folder, step), momentum))

    def restore(self, folder: Path, step: int, digests: Digests) -> None:
        """Go on from `step`. Raises DamagedError where its files are not what was written."""
        momentum = read_tensors(momentum_file(folder, step), digests.momentum)
        load_weights(self.net, weights_file(folder, step), digests.weights)
        for name, parameter in self.net.named_parameters():
            if name in momentum:  # older checkpoints have none of a branch that was always cut or dropped
                self.sgd.state[parameter]["momentum_buffer"] = torch.empty_like(parameter).copy_(momentum[name])


def noise_seed(seed: int, step: int) -> int:
    """Seed of everything that is random inside the net at one step."""
    return generator(seed, "noise", step).initial_seed()
