"""The strip: every net drawn as its blocks, one row a net. The other half of depth × time, on every page.

A selection is a short text, the same for every net in the strip: `block:12`, or a weight layer by its state-dict name:
`blocks.12.branch.conv2`, `stem.conv`, `head.fc`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Literal

import streamlit as st

from app.ui.widgets.component import component
from app.ui.widgets.theme import family_colour
from app.values.cut_spec import kin, removable
from models.plan import Block, Layer, plan
from models.spec import NetSpec

Mode = Literal["select", "cut"]

MOST_BLOCKS = 2000  # that a browser may name
_UNREADABLE = object()  # what a browser said is nothing that a strip says

_component = component("strip", html="<div class='strip'></div>")
_SELECTION = re.compile(
    r"block:(?P<block>\d{1,4})|stem\.conv|head\.fc[12]?"
    r"|blocks\.(?P<of>\d{1,4})\.(?:branch\.(?:conv[1-3]|se\.squeeze|se\.excite)|shortcut\.conv|join\.gate|enter\.conv)"
)


@dataclass(frozen=True)
class StripNet:
    """One row: the net, its name for people, and the side of its images in pixels (None: the form's own)."""

    net: NetSpec
    name: str
    size: int | None = None


def strip(
    nets: Sequence[StripNet],
    *,
    key: str,
    selected: str | None = None,
    cut: frozenset[int] = frozenset(),
    turned: Mapping[int, float] | None = None,
    order: Sequence[int] = (),
    mode: Mode = "select",
    detail: bool = True,
    lights: str = "",
    on_select: Callable[[str | None], None] | None = None,
    on_cut: Callable[[frozenset[int]], None] | None = None,
    on_order: Callable[[tuple[int, ...]], None] | None = None,
) -> str | None:
    """Draw the nets and return what is selected now.

    `cut` blocks are crossed out; in mode `cut` a click takes a block out or puts it back, and `on_cut` is given the
    new set. `turned`: blocks whose branch counts only so much, between 0 and 1. `order`: the blocks as they stand
    (empty: as built); with `on_order` a block can be dragged, or moved by Alt and an arrow key, to a place of its
    stage where the shapes are equal, and the new order is reported. Order and dials are those of the first net.
    `detail`: a line below that describes the selected block and offers its layers. `lights`: the key of an `unrolled`
    net: its lit paths light their blocks here, and a block that is pointed at its paths there. The callbacks run before
    the page does, so that a page which writes to the address reads the new selection everywhere.
    """
    data = {
        "rows": [row(net.net, net.name, net.size) for net in nets],
        "selected": selected if selection(selected) else None,
        "cut": sorted(cut),
        "turned": {str(block): scale for block, scale in (turned or {}).items()},
        "order": list(order),
        "movable": mode == "cut" and on_order is not None,
        "mode": mode,
        "detail": detail,
        "lights": lights,
    }

    report = partial(_reported, key)
    result = _component(
        key=key,
        data=data,
        on_select_change=partial(report, "select", _as_selection, on_select),
        on_cut_change=partial(report, "cut", _as_blocks_off, on_cut),
        on_order_change=partial(report, "order", _as_order, on_order),
    )
    wanted = result.get("select")
    return _as_selection(wanted) if isinstance(wanted, dict) else data["selected"]  # type: ignore[return-value]


def _reported(key: str, what: str, read: Callable[[Any], Any], tell: Callable[[Any], None] | None) -> None:
    """Tell the page what the browser says now, as far as it is believed."""
    reported = dict(st.session_state.get(key) or {}).get(what)
    if tell is not None and (value := read(reported)) is not _UNREADABLE:
        tell(value)


def _as_selection(reported: Any) -> Any:
    return selection(reported.get("at")) if isinstance(reported, dict) else _UNREADABLE


def _as_blocks_off(reported: Any) -> Any:
    if not isinstance(reported, list):
        return _UNREADABLE
    return frozenset(block for block in reported[:MOST_BLOCKS] if isinstance(block, int) and block >= 0)


def _as_order(reported: Any) -> Any:
    if not isinstance(reported, list) or len(reported) > MOST_BLOCKS:  # an order that is cut short is another one
        return _UNREADABLE
    return tuple(block for block in reported if isinstance(block, int) and block >= 0)


def selection(text: Any) -> str | None:
    """`text` if it has the form of a selection, else None."""
    return text if isinstance(text, str) and _SELECTION.fullmatch(text) else None


def block_of(selected: str | None) -> int | None:
    """The block's index of a selected block or layer; None for stem, head and nothing."""
    match = _SELECTION.fullmatch(selected) if selected else None
    if match is None:
        return None
    digits = match["block"] or match["of"]
    return int(digits) if digits else None


@lru_cache(maxsize=256)
def row(net: NetSpec, name: str, size: int | None = None) -> dict[str, Any]:
    """One net as the browser wants it: the few kinds of block it has, and which kind each of its blocks is."""
    laid = plan(net, size)
    kinds: list[dict[str, Any]] = []
    order: list[int] = []
    can_go = set(removable(net))
    for block in laid.blocks:
        kind = {**_kind(net, block), "whole": block.index not in can_go}
        if kind not in kinds:
            kinds.append(kind)
        order.append(kinds.index(kind))
    first = {block.stage: block for block in reversed(laid.blocks)}  # vgg-11's first stage is its stem alone
    return {
        "name": name,
        "family": net.family,
        "colour": family_colour(net),
        "kinds": kinds,
        "blocks": order,
        "stages": [
            f"{first[stage].size_out}×{first[stage].size_out}, {first[stage].outputs}" if stage in first else ""
            for stage in range(len(net.stage_blocks))
        ],
        "stem": _layer(laid.stem),
        "head": _layer(laid.head[-1]),
        "pool": "max pool" if net.form == "imagenet" else "",
    }


def _kind(net: NetSpec, block: Block) -> dict[str, Any]:
    return {
        "stage": block.stage,
        "layers": [_layer(layer) for layer in block.layers],
        "params": sum(layer.params for layer in block.layers),
        "shape": f"{block.size_out}×{block.size_out}, {block.outputs} channels",
        "shortcut": _shortcut(net, block),
        "dotted": net.shortcut != "none" and (block.reshapes or block.projection is not None),
        "projected": block.projection is not None,
        "kin": "/".join(map(str, kin(block))),
        "halves": block.stride * block.pooled > 1,
        "without": without(net, block),
    }


def without(net: NetSpec, block: Block) -> str:
    """What passes when the block's branch is cut, in a few words."""
    changed = block.reshapes or block.pooled > 1
    if net.shortcut == "none" and block.reshapes:
        return "it cannot be cut: shapes change, and nothing passes beside it"
    if net.shortcut == "none" and changed:  # VGG's last stage is as wide as the one before it
        return "its pooling alone remains"
    if block.projection is not None:
        return "the 1×1 projection alone passes"
    if not changed:
        return "its input passes as it is"
    smaller = "at a lower resolution, " if block.stride * block.pooled > 1 else ""
    return f"the shortcut alone passes: the input, {smaller}padded with zeros"


def _layer(layer: Layer) -> dict[str, Any]:
    what = "linear" if layer.kind == "fc" else f"{layer.kernel}×{layer.kernel}"
    stride = f", stride {layer.stride}" if layer.stride != 1 else ""
    tail = layer.name.split(".", 2)[2] if layer.block is not None else layer.name
    return {"tail": tail, "what": f"{what}, {layer.inputs} → {layer.outputs}{stride}", "params": layer.params}


def _shortcut(net: NetSpec, block: Block) -> str:
    if net.shortcut == "none":
        return ""
    if block.projection is not None:
        return "1×1 projection"
    return "identity, zero-padded" if block.reshapes else "identity"
