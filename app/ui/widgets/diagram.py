"""Nets side by side, one box a weighted layer, in the manner of He et al. 2015, figure 3.

Nets meet at their resolutions: what works on maps of one side stands in one band. Deep stages fold.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import streamlit as st

from app.ui.widgets.component import component
from app.ui.widgets.strip import selection
from app.ui.widgets.theme import family_colour
from models.plan import Block, Layer, plan
from models.spec import NetSpec

_component = component("diagram", html="<div class='diagram'></div>")


@dataclass(frozen=True)
class Choice:
    """What was clicked: the column, from 0, and the block or layer, as the strip writes it."""

    net: int
    at: str


def diagram(
    nets: Sequence[NetSpec],
    *,
    key: str,
    chosen: Choice | None = None,
    on_choose: Callable[[Choice], None] | None = None,
) -> None:
    """Draw the nets as columns; `on_choose` is given what is clicked, before the page runs."""

    def choose() -> None:
        wanted = choice(dict(st.session_state.get(key) or {}).get("choose"), len(nets))
        if on_choose is not None and wanted is not None:
            on_choose(wanted)

    data = {
        "columns": [column(net) for net in nets],
        "chosen": {"net": chosen.net, "at": chosen.at} if chosen else None,
    }
    _component(key=key, data=data, on_choose_change=choose)


def choice(reported: Any, nets: int) -> Choice | None:
    """What the browser reported, if it is one of `nets` columns and has the form of a selection."""
    if not isinstance(reported, dict):
        return None
    net, at = reported.get("net"), selection(reported.get("at"))
    if not isinstance(net, int) or isinstance(net, bool) or not 0 <= net < nets or at is None:
        return None
    return Choice(net, at)


@lru_cache(maxsize=256)
def column(net: NetSpec) -> dict[str, Any]:
    """One net as the browser wants it: what stands before its blocks, the few kinds of block, which is which, the head.

    Every part has its band: the side of its output in pixels.
    """
    laid = plan(net)
    kinds: list[dict[str, Any]] = []
    order: list[int] = []
    for block in laid.blocks:
        kind = _kind(net, block)
        if kind not in kinds:
            kinds.append(kind)
        order.append(kinds.index(kind))
    before = [_box(laid.stem)]
    if net.form == "imagenet" and net.family != "vgg":
        before.append(_pool("max pool", laid.blocks[0].size_out, laid.blocks[0].inputs))
    return {
        "name": net.name,
        "colour": family_colour(net),
        "totals": [f"{laid.depth} layers", f"{short(laid.macs)} multiply-adds", f"{short(laid.params)} parameters"],
        "before": before,
        "kinds": kinds,
        "blocks": order,
        "after": _head(net, laid.blocks[-1], laid.head),
    }


def short(number: int) -> str:
    """Three digits and a word: `3.66 billion`, `850 thousand`."""
    for unit, name in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if number >= unit:
            value = number / unit
            return f"{value:.{max(0, 3 - len(str(int(value))))}f} {name}"
    return str(number)


def _kind(net: NetSpec, block: Block) -> dict[str, Any]:
    """A block that looks like others: its boxes, its arc, and what stands on the arc."""
    boxes = [] if block.transition is None else [_box(block.transition)]
    if block.pooled != 1:
        pool = "avg pool" if block.transition else "max pool"
        boxes.append(_pool(pool, block.branch[0].size_in, block.inputs))
    enters = len(boxes)
    boxes += [_box(layer) for layer in block.branch]
    if block.squeeze:
        boxes.append({**_box(block.squeeze[0]), "text": f"SE, {block.squeeze[0].outputs}", "short": "SE"})
        boxes[-1]["params"] += block.squeeze[1].params
        boxes[-1]["macs"] += block.squeeze[1].macs
    beside = [layer for layer in (block.projection, block.gate) if layer]
    return {
        "stage": block.stage,
        "band": block.size_out,
        "boxes": boxes,
        "enters": enters,  # boxes before the split: the arc begins below them
        "arc": "" if net.shortcut == "none" else "dotted" if block.reshapes or block.projection else "solid",
        "mark": "1×1" if block.projection else "T" if block.gate else "",
        "beside": [_box(layer) for layer in beside],
        "shortcut": _shortcut(net, block),
    }


def _shortcut(net: NetSpec, block: Block) -> str:
    if net.shortcut == "none":
        return ""
    if block.projection is not None:
        return "1×1 projection"
    plain = "identity, zero-padded" if block.reshapes else "identity"
    return f"{plain}, appended to" if net.family == "dense" else plain


def _box(layer: Layer) -> dict[str, Any]:
    """One weighted layer: its text, long and short, and what the pointer reads."""
    halves = f", /{layer.stride}" if layer.stride != 1 else ""
    kernel = f"{layer.kernel}×{layer.kernel}"
    fc = layer.kind == "fc"
    return {
        "band": layer.size_out,
        "layer": layer.name.split(".", 2)[2] if layer.block is not None else layer.name,
        "text": f"fc {layer.outputs}" if fc else f"{kernel} conv, {layer.outputs}{halves}",
        "short": f"fc {layer.outputs}" if fc else f"{kernel}, {layer.outputs}{halves}",
        "shape": f"{shape(layer.inputs, layer.size_in)} → {shape(layer.outputs, layer.size_out)}",
        "params": layer.params,
        "macs": layer.macs,
    }


def shape(channels: int, size: int) -> str:
    """`56×56×64`: side, side, channels; the channels alone where the side is 1."""
    return f"{size}×{size}×{channels}" if size != 1 else str(channels)


def _pool(what: str, band: int, channels: int) -> dict[str, Any]:
    """A pooling has no weights: words without a box."""
    halves = "" if band == 1 else ", /2"
    return {"band": band, "layer": "", "text": f"{what}{halves}", "short": f"pool{halves}", "channels": channels}


def _head(net: NetSpec, last: Block, layers: tuple[Layer, ...]) -> list[dict[str, Any]]:
    if net.family == "vgg":
        size = 7 if net.form == "imagenet" else 1
        return [_pool("max pool", size, last.outputs), *(_box(layer) for layer in layers)]
    pool = "max pool" if net.form == "mnist" else "avg pool"
    return [_pool(pool, 1, last.outputs), *(_box(layer) for layer in layers)]
