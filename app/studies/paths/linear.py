"""Blocks linearised where one forward pass leaves them: a block's Jacobian is S + B, what it passes on and the rest.

Shortcut and branch each get a copy of the block's input, x_S and x_B; S is the derivative by the one and B by the
other. With a single x the trap would bite: an identity shortcut returns x itself, and the gradient by it would hold
the branch's. A gate sees x_B, so that S holds it still and B has every derivative through it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.nets.blocks import Block
from models.nets.net import Net, blocks_of

PLACES = "image, stem, or block:I, that block's input"


@dataclass(frozen=True)
class Forward:
    """One forward pass in evaluation mode from `place` on: what enters each block, and the loss's gradient there.

    `inputs[i]` enters `blocks[i]`. `top` is the gradient of each image's own cross-entropy by what leaves the last
    block, `whole` the one by `place` itself, as autograd gives it. All N×C×H×W.
    """

    blocks: list[Block]
    inputs: list[Tensor]
    top: Tensor
    whole: Tensor


def first_block(net: Net, at: str) -> int:
    """The first block behind the place `at`. Raises ValueError for a place that the net does not have."""
    if at in ("image", "stem"):
        return 0
    kind, _, index = at.partition(":")
    if kind == "block" and index.isdecimal() and int(index) < len(net.blocks):
        return int(index)
    raise ValueError(f"{at[:30]!r} is no place in this net of {len(net.blocks)} blocks: {PLACES}")


def forward(net: Net, x: Tensor, y: Tensor, at: str) -> Forward:
    """Images `x`, N×C×H×W, and their labels `y` through the net."""
    first, blocks = first_block(net, at), blocks_of(net)
    place = x.detach().contiguous().requires_grad_()  # vmap is ten times slower over channels-last convolutions
    x = net.stem(place)
    if at != "image":
        for block in blocks[:first]:
            x = block(x)
        place = x = x.detach().requires_grad_()
    inputs = []
    for block in blocks[first:]:
        inputs.append(x)
        x = block(x)
    loss = F.cross_entropy(net.head(x), y, reduction="sum")  # each image's gradient is of its own loss
    top, whole = torch.autograd.grad(loss, (x, place))
    return Forward(blocks[first:], [x.detach() for x in inputs], top, whole)


class LinearBlock:
    """One block's Jacobian, transposed, at the input `x`; gradients are K×N×C×H×W, K of them for each image."""

    def __init__(self, block: Block, x: Tensor) -> None:
        self.x = x.detach().requires_grad_()
        self.entered = block.enter(self.x)
        self.passed = self.entered.detach().requires_grad_()  # x_S
        self.branched = self.entered.detach().requires_grad_()  # x_B
        h = block.before(self.passed) if block.plan.projection is not None else self.passed
        s = block.shortcut(self.passed, h)
        self.has_shortcut = s is not None
        self.joined = block.join(self.branched, s, block.branch(block.before(self.branched)))
        self.sum = self.joined.detach().requires_grad_()
        self.y = block.after(self.sum)

    def after(self, g: Tensor) -> Tensor:
        """Through the last σ: what all paths pass once shortcut and branch have met."""
        return _pulled(self.y, self.sum, g)

    def shortcut(self, g: Tensor) -> Tensor:
        """Sᵀg; a plain net has no S."""
        return _pulled(self.joined, self.passed, g)

    def branch(self, g: Tensor) -> Tensor:
        """Bᵀg."""
        return _pulled(self.joined, self.branched, g)

    def enter(self, g: Tensor) -> Tensor:
        """Through what all paths pass before they part: VGG's pooling, a dense net's transition."""
        return _pulled(self.entered, self.x, g)


def through_stem(net: Net, images: Tensor, g: Tensor) -> Tensor:
    """Gradients by what leaves the stem, K×N×C×H×W → by the images."""
    x = images.detach().requires_grad_()
    return _pulled(net.stem(x), x, g)


def _pulled(y: Tensor, x: Tensor, g: Tensor) -> Tensor:
    """Jᵀg of y by x for each of the K gradients in `g`."""
    if y is x:
        return g
    if len(g) == 0:
        return g.new_zeros(0, *x.shape)
    (pulled,) = torch.autograd.grad(y, x, g, retain_graph=True, is_grads_batched=True)
    return pulled
