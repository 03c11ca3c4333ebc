"""A net laid out on paper: every weighted layer with its shapes, before any tensor exists.

One plan serves the strip, the layer table, `describe` and `models.nets.net`, which builds just what it says.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from models.families import CONVOLUTIONS, EXPANSION
from models.spec import NetSpec

Role = Literal["stem", "branch", "projection", "gate", "squeeze", "transition", "head"]
# What stands before the split, at the end of the branch and after the addition (n: BN, a: σ). He 2016, table 2; but
# ReLU around the addition is the MNIST post's.
ORDERS: dict[str, tuple[str, str, str]] = {
    "original": ("", "n", "a"),
    "bn-after-add": ("", "", "na"),
    "relu-before-add": ("", "na", ""),
    "relu-around-add": ("", "na", "a"),
    "relu-only": ("a", "n", ""),
    "full": ("na", "", ""),
}
SQUEEZE = 16  # Hu 2018, section 4: the reduction ratio r
BOTTLENECK_GROWTH = 4  # Huang 2017, section 3: a 1×1 convolution makes 4k channels
COMPRESSION = 0.5  # Huang 2017, section 3: θ of DenseNet-BC


@dataclass(frozen=True)
class Layer:
    """One weighted layer, the batch normalisation that goes with it included.

    `name` is its state-dict name without `.weight`; `size_in` and `size_out` are the sides of its square maps in
    pixels; `norm` is the number of channels normalised beside it (0: none). `block` is None for stem and head.
    """

    name: str
    role: Role
    block: int | None
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size_in: int
    norm: int
    bias: bool

    @property
    def size_out(self) -> int:
        """Side of its output: every convolution here is padded so that it is ⌈input side ÷ stride⌉."""
        return -(-self.size_in // self.stride)

    @property
    def kind(self) -> Literal["conv", "fc"]:
        """Convolution, or a product with a vector."""
        return "fc" if self.role in ("head", "squeeze") else "conv"

    @property
    def projection(self) -> bool:
        """True for a layer that stands in a shortcut."""
        return self.role == "projection"

    @property
    def params(self) -> int:
        """Trained numbers: weights, bias, and the scale and shift of its batch normalisation."""
        return self.kernel**2 * self.inputs * self.outputs + self.bias * self.outputs + 2 * self.norm

    @property
    def macs(self) -> int:
        """Multiply-adds for one image, the convolution or product alone, as He 2015, table 1 counts them."""
        return self.kernel**2 * self.inputs * self.outputs * self.size_out**2


@dataclass(frozen=True)
class Block:
    """One block: its branch's convolutions in order, and what stands beside and before them.

    `outputs` of its channels leave it; the shortcut passes on `passes` of them (all, but for a dense block).
    `pooled`: the factor by which its entrance (VGG's pooling, a dense transition) divides the resolution.
    """

    index: int
    stage: int
    branch: tuple[Layer, ...]
    inputs: int
    outputs: int
    passes: int
    stride: int
    size_out: int
    projection: Layer | None = None
    gate: Layer | None = None
    squeeze: tuple[Layer, ...] = ()
    transition: Layer | None = None
    pooled: int = 1

    @property
    def reshapes(self) -> bool:
        """True where the shortcut cannot be the bare identity, because shapes change."""
        return self.stride != 1 or self.inputs != self.passes

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Entrance, branch, and what stands beside it."""
        beside = (self.projection, self.gate)
        entrance = () if self.transition is None else (self.transition,)
        return (*entrance, *self.branch, *self.squeeze, *(layer for layer in beside if layer))


@dataclass(frozen=True)
class Plan:
    """Stem, blocks and head of one net at one image size."""

    stem: Layer
    blocks: tuple[Block, ...]
    head: tuple[Layer, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every weighted layer in forward order, projections and gates after the branch they stand beside."""
        return (self.stem, *(layer for block in self.blocks for layer in block.layers), *self.head)

    @property
    def params(self) -> int:
        """Trained numbers of the whole net, batch normalisation and biases counted."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of the whole net for one image."""
        return sum(layer.macs for layer in self.layers)

    def training_bytes(self, batch: int, number_bytes: int) -> int:
        """About how much memory a training step takes, in bytes, numbers of activations being 2 or 4 bytes long.

        Each layer keeps its output, its normalised output and a mask; weights, gradients and momentum are float32.
        Measured peaks on a CPU: 6.6 bytes a number in bfloat16 (ResNet-110), 10.8 in float32; taken here: 7 and 13.
        """
        kept = sum(layer.outputs * layer.size_out**2 for layer in self.layers)
        kept += sum(block.outputs * block.size_out**2 for block in self.blocks if block.passes < block.outputs)
        return 16 * self.params + batch * kept * (3 * number_bytes + 1)

    @property
    def depth(self) -> int:
        """Weighted layers in a row: without projections, gates and squeezes. (Wide nets' names count otherwise.)"""
        return sum(layer.role not in ("projection", "gate", "squeeze") for layer in self.layers)


@lru_cache(maxsize=256)  # many ask for the same net: it is planned once
def plan(spec: NetSpec, size: int | None = None) -> Plan:
    """Lay out `spec` for square images of side `size` in pixels (by default, the form's own)."""
    size = size or spec.image_size
    kernel, stride = (7, 2) if spec.form == "imagenet" and spec.family != "vgg" else (3, 1)
    stem = _conv(spec, "stem.conv", "stem", None, spec.channels, spec.width, kernel, stride, size, spec.width)
    inputs, size = stem.outputs, stem.size_out
    if spec.form == "imagenet" and spec.family != "vgg":
        size = -(-size // 2)  # its max pool

    blocks: list[Block] = []
    for stage, count in enumerate(spec.stage_blocks):
        for nth in range(count):
            if spec.family == "vgg" and stage == nth == 0:
                continue  # VGG's first convolution is the stem
            block = _block(spec, len(blocks), stage, nth == 0 and stage > 0, inputs, size)
            blocks.append(block)
            inputs, size = block.outputs, block.size_out
    return Plan(stem, tuple(blocks), _head(spec, inputs, size))


def survival(spec: NetSpec, index: int) -> float:
    """Probability that a branch is there: it falls linearly from 1 at the image to p_L at the last block.

    Huang et al. 2016, eq. 4.
    """
    return 1 - (index + 1) / spec.blocks * (1 - spec.survival)


def _block(spec: NetSpec, index: int, stage: int, opens_stage: bool, inputs: int, size: int) -> Block:
    here = f"blocks.{index}"
    transition, pooled, stride = None, 1, 2 if opens_stage else 1
    if opens_stage and spec.family in ("vgg", "dense"):
        pooled, stride = 2, 1
        if spec.family == "dense":
            smaller = int(inputs * COMPRESSION) if spec.branch == "bottleneck" else inputs
            name = f"{here}.enter.conv"
            transition = _conv(spec, name, "transition", index, inputs, smaller, 1, 1, size, inputs)
            inputs = smaller
        size = -(-size // 2)

    shapes = _branch_shapes(spec, stage, stride)
    before, tail, after = ORDERS[spec.order]
    branch: list[Layer] = []
    channels, side = inputs, size
    for i, (outputs, kernel, step) in enumerate(shapes):
        last = i == len(shapes) - 1
        # Between two convolutions BN and σ always stand; at the ends of the branch it depends on the order.
        norm = outputs if not last or "n" in tail else 0
        norm += channels if i == 0 and "n" in before and index > 0 else 0
        norm += outputs if last and "n" in after else 0
        name = f"{here}.branch.conv{i + 1}"
        layer = _conv(spec, name, "branch", index, channels, outputs, kernel, step, side, norm)
        branch.append(layer)
        channels, side = outputs, layer.size_out
    made = channels
    passes, outputs = (inputs, inputs + made) if spec.family == "dense" else (made, made)
    block = Block(index, stage, tuple(branch), inputs, outputs, passes, stride, side, pooled=pooled)
    block = replace(block, transition=transition)
    if spec.shortcut == "C" or (spec.shortcut == "B" and block.reshapes):
        # He 2016: a pre-activation projection shares its block's normalisation, and has none of its own.
        norm = 0 if spec.order == "full" else made
        name = f"{here}.shortcut.conv"
        block = replace(block, projection=_conv(spec, name, "projection", index, inputs, made, 1, stride, size, norm))
    if spec.family == "highway" or spec.gate != "none":
        kernel = 3 if spec.family == "highway" else 1  # He 2016, section 3.1: 1×1 gates
        gate = Layer(f"{here}.join.gate", "gate", index, inputs, made, kernel, stride, size, 0, True)
        block = replace(block, gate=gate)
    if spec.family == "se":
        hidden, name = max(1, made // SQUEEZE), f"{here}.branch.se"
        squeeze = Layer(f"{name}.squeeze", "squeeze", index, made, hidden, 1, 1, 1, 0, True)
        excite = Layer(f"{name}.excite", "squeeze", index, hidden, made, 1, 1, 1, 0, True)
        block = replace(block, squeeze=(squeeze, excite))
    return block


def _branch_shapes(spec: NetSpec, stage: int, stride: int) -> list[tuple[int, int, int]]:
    """(output channels, kernel, stride) of each convolution of a branch: He 2015, figure 5; Huang 2017, section 3."""
    k = spec.k or 1
    if spec.family == "dense":
        return [(BOTTLENECK_GROWTH * k, 1, 1), (k, 3, 1)] if spec.branch == "bottleneck" else [(k, 3, 1)]
    middle = spec.width * k * 2**stage if spec.family != "vgg" else spec.width * min(2**stage, 8)
    outputs = middle * EXPANSION[spec.branch]
    if spec.branch == "bottleneck":
        first, second = (stride, 1) if spec.stride_at == "first" else (1, stride)
        return [(middle, 1, first), (middle, 3, second), (outputs, 1, 1)]
    return [(outputs, 3, stride if i == 0 else 1) for i in range(CONVOLUTIONS[spec.branch])]


def _head(spec: NetSpec, inputs: int, size: int) -> tuple[Layer, ...]:
    """The fully connected layers; VGG has three, and pools to 7×7 on ImageNet's images, to 1×1 on small ones."""

    def fc(name: str, inputs: int, outputs: int, norm: int = 0) -> Layer:
        return Layer(f"head.{name}", "head", None, inputs, outputs, 1, 1, 1, norm, True)

    if spec.family == "vgg":
        hidden, pooled = (64 * spec.width, 7) if spec.form == "imagenet" else (8 * spec.width, 1)
        return (fc("fc1", inputs * pooled**2, hidden), fc("fc2", hidden, hidden), fc("fc", hidden, spec.classes))
    return (fc("fc", inputs, spec.classes, inputs if spec.order == "full" and spec.norm == "batch" else 0),)


def _conv(
    spec: NetSpec,
    name: str,
    role: Role,
    block: int | None,
    inputs: int,
    outputs: int,
    kernel: int,
    stride: int,
    size: int,
    norm: int,
) -> Layer:
    """A convolution: normalised, or with a bias."""
    batch = spec.norm == "batch"
    return Layer(name, role, block, inputs, outputs, kernel, stride, size, norm if batch else 0, not batch)
