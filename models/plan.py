"""A net laid out on paper: every weighted layer with its shapes, before any tensor exists.

One plan serves the strip, the layer table, `describe` and `models.nets`, which builds just what it says.
"""

from dataclasses import dataclass
from typing import Literal

from models.spec import CONVOLUTIONS, EXPANSION, NetSpec


@dataclass(frozen=True)
class Layer:
    """One weighted layer, the batch normalisation that goes with it included.

    `name` is its state-dict name without `.weight`; `size_in` and `size_out` are the sides of its square maps in
    pixels; `norm` is the number of channels of its batch normalisation (0: none). `block` is None for stem and head.
    """

    name: str
    kind: Literal["conv", "fc"]
    block: int | None
    inputs: int
    outputs: int
    kernel: int
    stride: int
    size_in: int
    size_out: int
    norm: int
    bias: bool
    projection: bool = False

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
    """One block: its branch's convolutions in order and, where there is one, its projection."""

    index: int
    stage: int
    branch: tuple[Layer, ...]
    projection: Layer | None
    inputs: int
    outputs: int
    stride: int
    size_out: int

    @property
    def reshapes(self) -> bool:
        """True where the shortcut cannot be the bare identity, because shapes change."""
        return self.stride != 1 or self.inputs != self.outputs

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The branch's layers and the projection, if any."""
        return self.branch if self.projection is None else (*self.branch, self.projection)


@dataclass(frozen=True)
class Plan:
    """Stem, blocks and head of one net at one image size."""

    stem: Layer
    blocks: tuple[Block, ...]
    head: Layer

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Every weighted layer in forward order, projections after the branch they stand beside."""
        return (self.stem, *(layer for block in self.blocks for layer in block.layers), self.head)

    @property
    def params(self) -> int:
        """Trained numbers of the whole net, batch normalisation and biases counted."""
        return sum(layer.params for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of the whole net for one image."""
        return sum(layer.macs for layer in self.layers)

    @property
    def depth(self) -> int:
        """Weighted layers as the papers count them: without projections."""
        return sum(not layer.projection for layer in self.layers)


def plan(spec: NetSpec, size: int | None = None) -> Plan:
    """Lay out `spec` for square images of side `size` in pixels (by default, the form's own)."""
    size = size or spec.image_size
    batch_norm, preact = spec.norm == "batch", spec.family == "preact"

    def conv(
        name: str,
        block: int | None,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int,
        size_in: int,
        norm: int,
        projection: bool = False,
    ) -> Layer:
        # Every convolution here is padded so that its output side is ⌈input side ÷ stride⌉.
        size_out, norm = -(-size_in // stride), norm if batch_norm else 0
        return Layer(
            name, "conv", block, inputs, outputs, kernel, stride, size_in, size_out, norm, not batch_norm, projection
        )

    kernel, stride = (7, 2) if spec.form == "imagenet" else (3, 1)
    stem = conv("stem.conv", None, spec.channels, spec.width, kernel, stride, size, spec.width)
    size = -(-stem.size_out // 2) if spec.form == "imagenet" else stem.size_out  # the ImageNet form's max pool

    blocks: list[Block] = []
    inputs = spec.width
    for stage, count in enumerate(spec.stage_blocks):
        middle = spec.width * 2**stage
        outputs = middle * EXPANSION[spec.branch]
        for nth in range(count):
            index, stride = len(blocks), 2 if stage and not nth else 1
            branch: list[Layer] = []
            channels, side = inputs, size
            for i, (target, kernel, step) in enumerate(_branch_shape(spec, middle, outputs, stride)):
                # He 2016: normalisation before each convolution; the very first one stands in the stem instead.
                norm = (0 if index == i == 0 else channels) if preact else target
                layer = conv(f"blocks.{index}.branch.conv{i + 1}", index, channels, target, kernel, step, side, norm)
                branch.append(layer)
                channels, side = target, layer.size_out
            projection = None
            if spec.shortcut == "C" or (spec.shortcut == "B" and (stride != 1 or inputs != outputs)):
                name = f"blocks.{index}.shortcut.conv"
                # He 2016: a pre-activation projection shares its block's normalisation, and has none of its own.
                norm = 0 if preact else outputs
                projection = conv(name, index, inputs, outputs, 1, stride, size, norm, projection=True)
            blocks.append(Block(index, stage, tuple(branch), projection, inputs, outputs, stride, side))
            inputs, size = outputs, side

    final_norm = inputs if preact and batch_norm else 0
    head = Layer("head.fc", "fc", None, inputs, spec.classes, 1, 1, 1, 1, final_norm, True)
    return Plan(stem, tuple(blocks), head)


def _branch_shape(spec: NetSpec, middle: int, outputs: int, stride: int) -> list[tuple[int, int, int]]:
    """(output channels, kernel, stride) of each convolution of a branch: He 2015, figure 5."""
    if spec.branch == "bottleneck":
        first, second = (stride, 1) if spec.stride_at == "first" else (1, stride)
        return [(middle, 1, first), (middle, 3, second), (outputs, 1, 1)]
    return [(outputs, 3, stride if i == 0 else 1) for i in range(CONVOLUTIONS[spec.branch])]
