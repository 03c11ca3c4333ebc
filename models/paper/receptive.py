"""Receptive fields: which window of the image one number of a layer's output can depend on.

Araujo, Norris and Sim 2019, *Computing Receptive Fields of Convolutional Neural Networks*, eqs. 2 and 5, along the
longest path: a window of side k on maps whose pixels lie j image pixels apart makes a field (k − 1)·j wider.
"""

from dataclasses import dataclass, replace

from models.plan import Block, Layer, Plan, plan
from models.spec import NetSpec


@dataclass(frozen=True)
class Field:
    """`side` of the window in image pixels, and `jump`: the image pixels between neighbours on these maps.

    `start`: the first image pixel of the window of the map's first pixel; negative where padding is seen.
    """

    side: int = 1
    jump: int = 1
    start: int = 0

    def through(self, kernel: int, stride: int = 1, padding: int | None = None) -> "Field":
        """After a convolution or a pooling, padded by half its kernel where nothing else is said."""
        padded = kernel // 2 if padding is None else padding
        return Field(self.side + (kernel - 1) * self.jump, self.jump * stride, self.start - padded * self.jump)

    def beside(self, other: "Field") -> "Field":
        """The smallest window that holds both, where two ways meet."""
        start = min(self.start, other.start)
        end = max(self.start + self.side, other.start + other.side)
        return replace(self, start=start, side=end - start)

    def window(self, place: int, image: int) -> tuple[int, int]:
        """The pixels begin…end (not included) that the number at `place` sees of an image of that side."""
        begin = self.start + place * self.jump
        return max(begin, 0), min(begin + self.side, image)


def receptive_fields(spec: NetSpec, size: int | None = None) -> tuple[int, ...]:
    """Side in image pixels for each of `plan(spec, size).layers`, in the same order.

    A side beyond the image's means all of it. Batch statistics are left out: in evaluation mode there are none.
    """
    seeing = fields(spec, size)
    return tuple(seeing[layer.name].side for layer in plan(spec, size).layers)


def fields(spec: NetSpec, size: int | None = None) -> dict[str, Field]:
    """The field of every weighted layer by its name, of `stem` and of each block (`blocks.3`)."""
    laid = plan(spec, size)
    field = Field().through(laid.stem.kernel, laid.stem.stride)
    known = {laid.stem.name: field}
    if spec.form == "imagenet" and spec.family != "vgg":
        field = field.through(3, 2)  # the max pool after the stem
    known["stem"] = field
    for block in laid.blocks:
        field, own = _through_block(block, field, laid.stem.size_in)
        known |= own
        known[f"blocks.{block.index}"] = field
    return known | _head(spec, laid, field)


def _through_block(block: Block, field: Field, image: int) -> tuple[Field, dict[str, Field]]:
    """What leaves the block, and the field of each of its layers."""
    own: dict[str, Field] = {}
    if block.transition is not None:
        own[block.transition.name] = field
    if block.pooled != 1:
        field = field.through(block.pooled, block.pooled, padding=0)
    entered = field
    for layer in block.branch:
        field = field.through(layer.kernel, layer.stride)
        own[layer.name] = field
    for beside in (block.projection, block.gate):
        if beside is not None:
            own[beside.name] = entered.through(beside.kernel, beside.stride)
            field = field.beside(own[beside.name])
    for layer in block.squeeze:
        # Its average is over the whole map: a window that covers the image wherever it is centred.
        field = field.beside(replace(field, side=2 * image - 1, start=1 - image))
        own[layer.name] = field
    return field, own


def _head(spec: NetSpec, laid: Plan, field: Field) -> dict[str, Field]:
    """Every fully connected layer sees all of the last map."""
    last: Block | Layer = laid.blocks[-1]
    size = last.size_out
    if spec.family == "vgg":
        field, size = field.through(2, 2, padding=0), -(-size // 2)
    return {layer.name: field.through(size, padding=0) for layer in laid.head}
