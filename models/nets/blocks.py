"""One block for every family: y = after(join(x, shortcut(x), branch(x))), x = enter(input).

Plain, resnet: He et al. 2015, *Deep Residual Learning for Image Recognition*, section 3.
Pre-activation, orders, gates and scales: He et al. 2016, *Identity Mappings in Deep Residual Networks*, tables 1, 2.
Highway: Srivastava et al. 2015. Stochastic depth: Huang et al. 2016. Wide: Zagoruyko and Komodakis 2016.
Dense: Huang et al. 2017. SE: Hu et al. 2018. VGG: Simonyan and Zisserman 2015.

Every block has the same named parts, whatever its family, so that probes, lesions and paths need not ask which it is:

- `enter`    what every path passes before the split: a dense net's transition, VGG's pooling, else the identity;
- `before`   what branch and projection share (pre-activation's BN and ReLU), else the identity;
- `branch`   F, the residual branch;
- `shortcut` what is passed on beside it: the identity, option A, B or C, or zero in a plain net;
- `join`     how the two meet: their sum, a gate, the channels of one after those of the other;
- `after`    σ, or the identity where the family has none.

Nothing here writes in place: an in-place ReLU or addition silently changes what a hook has kept.
"""

from collections import OrderedDict
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.plan import ORDERS, Layer, survival
from models.plan import Block as BlockPlan
from models.spec import NetSpec

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "elu": nn.ELU, "selu": nn.SELU}


class Block(nn.Module):
    """y = after(join(x, shortcut(x), branch(x))); shapes are those of its plan."""

    def __init__(self, spec: NetSpec, plan: BlockPlan) -> None:
        super().__init__()
        before, tail, after = ORDERS[spec.order]
        self.plan = plan
        self.enter = enter(spec, plan)
        # The first block's `before` stands in the stem, before the first split (He 2016, section 4.1).
        self.before = sequence(spec, before if plan.index else "", plan.inputs)
        self.branch = branch(spec, plan, tail)
        self.shortcut = shortcut(spec, plan)
        self.join = join(spec, plan)
        self.after = sequence(spec, after, plan.outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.enter(x)
        h = self.before(x)
        return self.after(self.join(x, self.shortcut(x, h), self.branch(h)))


# ── joins ──


class Sum(nn.Module):
    """join(x, s, f) = s + f. None stands for zero: the shortcut of a plain net, a branch that was dropped."""

    def forward(self, x: Tensor, s: Tensor | None, f: Tensor | None) -> Tensor:
        if s is None or f is None:
            return s if f is None else f  # type: ignore[return-value]  # never both
        return s + f


class Dial(nn.Module):
    """λ·dropout(s) + μ·f: constant scaling and dropout of He 2016, section 3.1."""

    def __init__(self, shortcut_scale: float, branch_scale: float, dropout: float) -> None:
        super().__init__()
        self.shortcut_scale, self.branch_scale = shortcut_scale, branch_scale
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, s: Tensor, f: Tensor) -> Tensor:
        return self.shortcut_scale * self.dropout(s) + self.branch_scale * f


class Gated(nn.Module):
    """T·f + (1 − T)·s with T = sigmoid(gate(x)); `shortcut-only`: f + (1 − T)·s.

    Highway networks, Srivastava 2015, eq. 3; He 2016, section 3.1, where the gates are 1×1.
    """

    def __init__(self, layer: Layer, shortcut_only: bool) -> None:
        super().__init__()
        self.gate = conv(layer)
        self.shortcut_only = shortcut_only

    def forward(self, x: Tensor, s: Tensor, f: Tensor) -> Tensor:
        t = torch.sigmoid(self.gate(x))
        return (f if self.shortcut_only else t * f) + (1 - t) * s


class Append(nn.Module):
    """[s, f]: the new channels after those passed on (Huang 2017, eq. 2)."""

    def forward(self, x: Tensor, s: Tensor, f: Tensor) -> Tensor:
        return torch.cat([s, f], 1)


def join(spec: NetSpec, plan: BlockPlan) -> nn.Module:
    """How shortcut and branch meet in this net."""
    if spec.family == "dense":
        return Append()
    if plan.gate is not None:
        return Gated(plan.gate, spec.gate == "shortcut-only")
    if spec.dialled:
        return Dial(spec.shortcut_scale, spec.branch_scale, spec.shortcut_dropout)
    return Sum()


# ── shortcuts ──


class Zero(nn.Module):
    """The shortcut of a plain net: absent. None stands for zero, so that nothing is computed for it."""

    def forward(self, x: Tensor, h: Tensor) -> None:
        return None


class Pass(nn.Module):
    """The identity shortcut, and option A where shapes change: strided identity, zero-padded channels, no parameters.

    The padding is split before and after the channels, as in the public CIFAR checkpoints.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.pad = ((outputs - inputs) // 2, outputs - inputs - (outputs - inputs) // 2)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        if self.stride != 1:
            # N×C×H×W → N×C×⌈H/s⌉×⌈W/s⌉: every s-th pixel. A slice's gradient forgets the channels-last layout, and
            # adding it to the branch's then takes 3 ms of a step of 125 (ResNet-20, two cores).
            x = F.avg_pool2d(x, 1, self.stride)
        return F.pad(x, (0, 0, 0, 0, *self.pad)) if any(self.pad) else x


class Project(nn.Module):
    """Options B and C: a 1×1 projection; of the pre-activated x in a pre-activation net."""

    def __init__(self, spec: NetSpec, layer: Layer) -> None:
        super().__init__()
        self.conv = conv(layer)
        self.norm = norm(spec, layer.norm)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.norm(self.conv(h))


def shortcut(spec: NetSpec, plan: BlockPlan) -> nn.Module:
    """The shortcut that `spec` asks for at this block."""
    if spec.shortcut == "none":
        return Zero()
    if plan.projection is not None:
        return Project(spec, plan.projection)
    return Pass(plan.inputs, plan.passes, plan.stride)


# ── branches ──


class Surviving(nn.Sequential):
    """b·F(x), b ~ Bernoulli(p) once a batch, in training; p·F(x) in evaluation (Huang 2016, eqs. 2 and 5).

    A branch that is dropped is not computed: that is where the time is saved.
    """

    def __init__(self, parts: OrderedDict[str, nn.Module], p: float) -> None:
        super().__init__(parts)
        self.p = p

    def forward(self, x: Tensor) -> Tensor | None:
        if self.training and float(torch.rand(())) >= self.p:
            return None
        f: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return f if self.training else self.p * f


class SqueezeExcite(nn.Module):
    """F rescaled channel by channel: f·sigmoid(W₂ relu(W₁ mean(f))) (Hu 2018, eqs. 2 to 4)."""

    def __init__(self, squeeze: Layer, excite: Layer) -> None:
        super().__init__()
        self.squeeze = nn.Linear(squeeze.inputs, squeeze.outputs)
        self.excite = nn.Linear(excite.inputs, excite.outputs)

    def forward(self, f: Tensor) -> Tensor:
        z = f.mean((2, 3))  # N×C×H×W → N×C
        scale = torch.sigmoid(self.excite(F.relu(self.squeeze(z))))
        return f * scale[:, :, None, None]


def branch(spec: NetSpec, plan: BlockPlan, tail: str) -> nn.Sequential:
    """F: conv-BN-σ-…-conv, then what the order says (`tail`)."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, layer in enumerate(plan.branch, start=1):
        parts[f"conv{i}"] = conv(layer)
        last = i == len(plan.branch)
        parts.update((f"{name}{i}", part) for name, part in _parts(spec, tail if last else "na", layer.outputs))
        if spec.dropout and not last:
            parts[f"dropout{i}"] = nn.Dropout(spec.dropout)
    if plan.squeeze:
        parts["se"] = SqueezeExcite(*plan.squeeze)
    if spec.family == "stochastic":
        return Surviving(parts, survival(spec, plan.index))
    return nn.Sequential(parts)


def enter(spec: NetSpec, plan: BlockPlan) -> nn.Module:
    """What stands before the split: nothing, VGG's max pooling, or a dense net's transition."""
    if plan.transition is not None:
        parts = OrderedDict(_parts(spec, "na", plan.transition.inputs))
        return nn.Sequential(OrderedDict(**parts, conv=conv(plan.transition), pool=nn.AvgPool2d(2, ceil_mode=True)))
    return nn.Identity() if plan.pooled == 1 else nn.MaxPool2d(plan.pooled, ceil_mode=True)


# ── parts ──


def conv(layer: Layer) -> nn.Conv2d:
    """The layer's convolution, padded so that the output side is ⌈input side ÷ stride⌉."""
    return nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.kernel // 2, bias=layer.bias)


def norm(spec: NetSpec, channels: int) -> nn.Module:
    """Batch normalisation, or the identity where the spec has none."""
    return nn.BatchNorm2d(channels) if spec.norm == "batch" and channels else nn.Identity()


def activation(spec: NetSpec) -> nn.Module:
    """σ."""
    return ACTIVATIONS[spec.activation]()


def sequence(spec: NetSpec, letters: str, channels: int) -> nn.Module:
    """BN for an n, σ for an a; the identity for none."""
    parts = OrderedDict(_parts(spec, letters, channels))
    if not parts:
        return nn.Identity()
    return parts["act"] if letters == "a" else nn.Sequential(parts)


def _parts(spec: NetSpec, letters: str, channels: int) -> Iterator[tuple[str, nn.Module]]:
    for letter in letters:
        yield ("norm", norm(spec, channels)) if letter == "n" else ("act", activation(spec))
