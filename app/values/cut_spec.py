"""Which blocks of a trained net are cut, turned down or moved: a lesion (Veit et al. 2016, sections 4.1 to 4.3).

As text, in the address and on the command line, parts are separated by commas: `3,7` cuts blocks 3 and 7, `5:0.5`
halves the branch of block 5, `4-3` makes blocks 3 and 4 change places. Blocks count from 0, in forward order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.plan import Block, Plan, plan
from models.spec import MAX_DEPTH, NetSpec

MAX_TEXT = 8000  # characters; every one of resnet-1202's 600 blocks cut takes 2,289
DIGITS = 3  # decimals of a scale

BlockIndex = Annotated[int, Field(ge=0, lt=MAX_DEPTH)]
Scale = Annotated[float, Field(ge=0, lt=1)]

_PART = re.compile(r"(?P<block>[0-9]{1,4})(?::(?P<scale>[01]|[01]?\.[0-9]{1,6}))?|(?P<run>[0-9]{1,4}(?:-[0-9]{1,4})+)")


class CutSpec(BaseModel):
    """One cut of a net; the empty one is the whole net. Equal cuts are equal values: `of` and `parse` bring them there.

    `scales`: (block, what its branch is multiplied by) in ascending order, for every branch that is not whole; 0 is a
    block removed. `order`: each run of neighbouring places whose blocks changed places among themselves, by the blocks
    that now stand there; (4, 3) is block 4 at place 3 and block 3 at place 4.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scales: tuple[tuple[BlockIndex, Scale], ...] = ()
    order: tuple[tuple[BlockIndex, ...], ...] = ()

    @model_validator(mode="after")
    def _is_canonical(self) -> Self:
        blocks = [block for block, _ in self.scales]
        if blocks != sorted(set(blocks)):
            raise ValueError("each block is named once, in ascending order")
        if any(round(scale, DIGITS) != scale for _, scale in self.scales):
            raise ValueError(f"a scale has {DIGITS} decimals at most")
        for run in self.order:
            if not _neighbours(run):
                raise ValueError(f"{_run_text(run)} should name neighbouring blocks, each once")
        moved = [block for run in self.order for block in run]
        if len(moved) != len(set(moved)):
            raise ValueError("each block is moved once")
        if _runs(self.sequence(max(moved, default=-1) + 1)) != self.order:
            raise ValueError("moved blocks are named in ascending runs, none longer than it must be")
        return self

    @classmethod
    def of(
        cls, removed: Iterable[int] = (), scales: Mapping[int, float] | None = None, order: Sequence[int] = ()
    ) -> Self:
        """The cut without `removed`, with `scales` (0 to 1) of branches, its blocks in `order` (empty: their own).

        Raises ValueError with one sentence.
        """
        wanted = {block: round(scale, DIGITS) for block, scale in (scales or {}).items()} | dict.fromkeys(removed, 0.0)
        if order and sorted(order) != list(range(len(order))):
            raise ValueError(f"an order holds each of the blocks 0 to {len(order) - 1} once")
        parts = sorted((block, scale) for block, scale in wanted.items() if scale != 1)
        return cls.model_validate({"scales": tuple(parts), "order": _runs(order)})

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `3,7`, `5:0.5`, `4-3`, or several of them; nothing is the whole net. Raises ValueError."""
        if len(text) > MAX_TEXT:
            raise ValueError(f"a cut is {MAX_TEXT:,} characters long at most")
        scales: dict[int, float] = {}
        runs: list[tuple[int, ...]] = []
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = _PART.fullmatch(part)
            if match is None:
                raise ValueError(
                    f"{part[:40]!r} is no part of a cut: 3 cuts block 3, 3:0.5 halves its branch, 4-3 swaps 3 and 4"
                )
            if match["run"]:
                run = tuple(map(int, match["run"].split("-")))
                runs += _runs(run, min(run)) if _neighbours(run) else [run]
            elif (block := int(match["block"])) in scales:
                raise ValueError(f"block {block} is named twice")
            else:
                scales[block] = float(match["scale"] or 0)
        if any(scale > 1 for scale in scales.values()):
            raise ValueError("a scale lies between 0, the block removed, and 1, the block whole")
        return cls.model_validate({"scales": cls.of(scales=scales).scales, "order": tuple(sorted(runs, key=min))})

    def __str__(self) -> str:
        """`parse` reads it back."""
        scaled = [f"{block}:{scale:g}" if scale else f"{block}" for block, scale in self.scales]
        return ",".join([*scaled, *map(_run_text, self.order)])

    @property
    def removed(self) -> tuple[int, ...]:
        """The blocks that are cut."""
        return tuple(block for block, scale in self.scales if scale == 0)

    def sequence(self, blocks: int) -> tuple[int, ...]:
        """The blocks of a net that has so many, in the order in which the signal meets them."""
        order = list(range(blocks))
        for run in self.order:
            order[min(run) : max(run) + 1] = run
        return tuple(order)

    def route(self, blocks: int) -> tuple[tuple[int, float], ...]:
        """(block, scale of its branch) in the order in which the signal meets them; 1 is a whole block."""
        scales = dict(self.scales)
        return tuple((block, scales.get(block, 1.0)) for block in self.sequence(blocks))

    def check(self, net: NetSpec, size: int | None = None) -> None:
        """Raise ValueError, with shapes, unless `net` can be cut so. `size`: side of its images, by default its form's.

        A plain net's block can be cut, or turned down, only where the shapes agree: it has no shortcut.
        """
        layout = plan(net, size)
        named = [block for block, _ in self.scales] + [block for run in self.order for block in run]
        if max(named, default=0) >= len(layout.blocks):
            raise ValueError(f"{net.name} has the blocks 0 to {len(layout.blocks) - 1}, and no block {max(named)}")
        for index, _ in self.scales:
            if not _removable(net, layout.blocks[index]):
                raise ValueError(
                    f"block {index} of {net.name} cannot be cut: {_shapes(layout, index)}, and nothing passes beside it"
                )
        for run in self.order:
            for place, index in zip(sorted(run), run, strict=True):
                if kin(layout.blocks[place]) != kin(layout.blocks[index]):
                    raise ValueError(
                        f"block {index} of {net.name} cannot stand in the place of block {place}: "
                        f"there {_shapes(layout, place)}; in block {index} {_shapes(layout, index)}"
                    )


def removable(net: NetSpec) -> tuple[int, ...]:
    """The blocks that can be cut: all, but in a net without shortcuts only those that keep the shape."""
    return tuple(block.index for block in plan(net).blocks if _removable(net, block))


def interchangeable(net: NetSpec) -> tuple[tuple[int, int], ...]:
    """Every pair of blocks of one stage whose shapes are equal, so that they can change places."""
    blocks = plan(net).blocks
    return tuple((a.index, b.index) for a in blocks for b in blocks[a.index + 1 :] if kin(a) == kin(b))


def kin(block: Block) -> tuple[int, ...]:
    """Equal for blocks of one stage whose shapes are equal, so that each can stand in the other's place."""
    return block.stage, block.inputs, block.outputs, block.stride, block.pooled


def idle_part(text: str) -> str | None:
    """The first part of a cut that leaves the net as it is: `3-4`, its own order; `3:1`, a whole branch; or no part.

    None for no text at all, the whole net. Raises ValueError as `CutSpec.parse` does.
    """
    parts = [part for part in text.replace(" ", "").split(",") if part]
    return next((part for part in parts or [""] * bool(text) if CutSpec.parse(part) == WHOLE), None)


def changes_nothing(part: str) -> str:
    """What is said of an idle part."""
    return f"{part!r} changes nothing: 3,4 cuts blocks 3 and 4, 4-3 swaps them, 3:0.5 halves 3's branch"


def _removable(net: NetSpec, block: Block) -> bool:
    return net.shortcut != "none" or not block.reshapes


def _shapes(layout: Plan, index: int) -> str:
    """What enters a block and what leaves it, channels × height × width."""
    block = layout.blocks[index]
    if index:
        channels, side = layout.blocks[index - 1].outputs, layout.blocks[index - 1].size_out
    else:
        channels, side = layout.stem.outputs, block.branch[0].size_in if block.pooled == 1 else layout.stem.size_out
    return f"{channels}×{side}×{side} enters, {block.outputs}×{block.size_out}×{block.size_out} leaves"


def _neighbours(run: Sequence[int]) -> bool:
    """True if these are some numbers in a row, each once, in any order."""
    return bool(run) and sorted(run) == list(range(min(run), min(run) + len(run)))


def _runs(order: Sequence[int], first: int = 0) -> tuple[tuple[int, ...], ...]:
    """The shortest runs of places, two at least, within which the blocks of places `first`, … have been permuted."""
    runs: list[tuple[int, ...]] = []
    begin, highest = 0, -1
    for nth, block in enumerate(order):
        highest = max(highest, block - first)
        if highest == nth:
            if nth > begin:
                runs.append(tuple(order[begin : nth + 1]))
            begin = nth + 1
    return tuple(runs)


def _run_text(run: Sequence[int]) -> str:
    return "-".join(map(str, run))


WHOLE = CutSpec()
