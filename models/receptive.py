"""Receptive fields: how wide a window of the image one number of a layer's output can depend on.

Araujo, Norris and Sim 2019, *Computing Receptive Fields of Convolutional Neural Networks*, eq. 2, along the longest
path: a window of side k on maps whose pixels lie j image pixels apart makes a field (k − 1)·j wider.
"""

from dataclasses import dataclass, replace

from models.plan import Block, Layer, Plan, plan
from models.spec import NetSpec


@dataclass(frozen=True)
class Field:
    """`side` of the window in image pixels, and `jump`: the image pixels between neighbours on these maps."""

    side: int = 1
    jump: int = 1

    def through(self, kernel: int, stride: int = 1) -> "Field":
        """After a convolution or a pooling."""
        return Field(self.side + (kernel - 1) * self.jump, self.jump * stride)


def receptive_fields(spec: NetSpec, size: int | None = None) -> tuple[int, ...]:
    """Side in image pixels for each of `plan(spec, size).layers`, in the same order.

    A side beyond the image's means all of it. Batch statistics are left out: in evaluation mode there are none.
    """
    laid = plan(spec, size)
    field = Field().through(laid.stem.kernel, laid.stem.stride)
    sides = [field.side]
    if spec.form == "imagenet" and spec.family != "vgg":
        field = field.through(3, 2)  # the max pool after the stem
    for block in laid.blocks:
        field, own = _through_block(block, field, laid.stem.size_in)
        sides += [own[layer.name] for layer in block.layers]
    return (*sides, *_head(spec, laid, field))


def _through_block(block: Block, field: Field, image: int) -> tuple[Field, dict[str, int]]:
    """What leaves the block, and the field of each of its layers."""
    own: dict[str, int] = {}
    if block.transition is not None:
        own[block.transition.name] = field.side
    if block.pooled != 1:
        field = field.through(block.pooled, block.pooled)
    entered = field
    for layer in block.branch:
        field = field.through(layer.kernel, layer.stride)
        own[layer.name] = field.side
    for beside in (block.projection, block.gate):
        if beside is not None:
            passed = entered.through(beside.kernel, beside.stride)
            own[beside.name] = passed.side
            field = replace(field, side=max(field.side, passed.side))
    for layer in block.squeeze:
        # Its average is over the whole map: a window that covers the image wherever it is centred.
        field = replace(field, side=max(field.side, 2 * image - 1))
        own[layer.name] = field.side
    return field, own


def _head(spec: NetSpec, laid: Plan, field: Field) -> list[int]:
    """Every fully connected layer sees all of the last map."""
    last: Block | Layer = laid.blocks[-1]
    size = last.size_out
    if spec.family == "vgg":
        field, size = field.through(2, 2), -(-size // 2)
    return [field.through(size).side] * len(laid.head)
