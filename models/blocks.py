"""One block for every family: y = after(join(x, shortcut(x), branch(x))).

Plain, resnet: He et al. 2015, *Deep Residual Learning for Image Recognition*, section 3.
Pre-activation: He et al. 2016, *Identity Mappings in Deep Residual Networks*, section 4.

Every block has the same named parts, whatever its family, so that probes, lesions and paths need not ask which it is:

- `before`   what branch and projection share (pre-activation's BN and ReLU), else the identity;
- `branch`   F, the residual branch;
- `shortcut` what is passed on beside it: the identity, option A, B or C, or zero in a plain net;
- `join`     how the two meet: their sum;
- `after`    σ, or the identity where the family has none.

Nothing here writes in place: an in-place ReLU or addition silently changes what a hook has kept.
"""

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from models.plan import Block as BlockPlan
from models.plan import Layer
from models.spec import NetSpec


class Block(nn.Module):
    """y = after(join(x, shortcut(x), branch(x))); shapes are those of its plan."""

    def __init__(self, spec: NetSpec, plan: BlockPlan) -> None:
        super().__init__()
        preact = spec.family == "preact"
        self.plan = plan
        self.before: nn.Module = nn.Identity()
        if preact and plan.index > 0:  # the first block's stands in the stem, before the first split
            self.before = norm_act(spec, plan.inputs)
        self.branch = (preact_branch if preact else branch)(spec, plan)
        self.shortcut = shortcut(spec, plan)
        self.join = Sum()
        self.after: nn.Module = nn.Identity() if preact else nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        h = self.before(x)
        return self.after(self.join(x, self.shortcut(x, h), self.branch(h)))


class Sum(nn.Module):
    """join(x, s, f) = s + f. A join sees x as well, because a highway's gate does."""

    def forward(self, x: Tensor, s: Tensor | None, f: Tensor) -> Tensor:
        return f if s is None else s + f


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
            x = x[:, :, :: self.stride, :: self.stride]  # N×C×H×W → N×C×⌈H/s⌉×⌈W/s⌉
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
    return Pass(plan.inputs, plan.outputs, plan.stride)


def branch(spec: NetSpec, plan: BlockPlan) -> nn.Sequential:
    """F of He 2015: conv-BN-ReLU-conv-BN, or 1×1-3×3-1×1; σ follows the addition."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, layer in enumerate(plan.branch, start=1):
        parts[f"conv{i}"] = conv(layer)
        parts[f"norm{i}"] = norm(spec, layer.norm)
        if i < len(plan.branch):
            parts[f"act{i}"] = nn.ReLU()
    return nn.Sequential(parts)


def preact_branch(spec: NetSpec, plan: BlockPlan) -> nn.Sequential:
    """F of He 2016: BN and ReLU before each convolution; those before the first are the block's `before`."""
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for i, layer in enumerate(plan.branch, start=1):
        if i > 1:
            parts[f"norm{i}"] = norm(spec, layer.norm)
            parts[f"act{i}"] = nn.ReLU()
        parts[f"conv{i}"] = conv(layer)
    return nn.Sequential(parts)


def conv(layer: Layer) -> nn.Conv2d:
    """The layer's convolution, padded so that the output side is ⌈input side ÷ stride⌉."""
    return nn.Conv2d(layer.inputs, layer.outputs, layer.kernel, layer.stride, layer.kernel // 2, bias=layer.bias)


def norm(spec: NetSpec, channels: int) -> nn.Module:
    """Batch normalisation, or the identity where the spec has none."""
    return nn.BatchNorm2d(channels) if spec.norm == "batch" and channels else nn.Identity()


def norm_act(spec: NetSpec, channels: int) -> nn.Sequential:
    """BN, then ReLU."""
    return nn.Sequential(OrderedDict(norm=norm(spec, channels), act=nn.ReLU()))
