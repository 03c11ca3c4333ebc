"""A Plotly chart that keeps zoom, pan and hover while its data changes.

Streamlit's own charts are remounted at every update. Here the browser keeps one element and calls `Plotly.react`.
The figure is packed once for all sessions (`pack`) and travels as bytes: what is left per session and second is to
copy and to hash them.
"""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import streamlit as st

from app.figures.theme import Figure
from app.ui.component import component

_component = component(
    "live_chart",
    html="<div class='live-chart' role='img' style='height:300px'><div class='live-chart-plot'></div></div>",
    isolate_styles=False,  # plotly.js puts its style rules into the document's head
)


@dataclass(frozen=True)
class Packed:
    """A figure ready to be sent, and shared by all sessions. Height in pixels."""

    body: bytes
    etag: str
    height: int
    alt: str


@dataclass(frozen=True)
class Click:
    """The point of a chart that was clicked. On a map, x is the step, y the row and `customdata` the layer's name."""

    x: Any
    y: Any
    customdata: Any
    name: str


def pack(figure: Figure) -> Packed:
    """`figure` as gzipped JSON. Do it once per new data, and give every session the same value."""
    text = json.dumps({"data": figure.data, "layout": figure.layout}, separators=(",", ":"), allow_nan=False)
    body = gzip.compress(text.encode(), compresslevel=5, mtime=0)
    return Packed(body, blake2b(body, digest_size=9).hexdigest(), int(figure.layout.get("height", 300)), figure.alt)


def live_chart(
    figure: Figure | Packed,
    *,
    key: str,
    rev: str = "1",
    marks: Sequence[dict[str, Any]] = (),
    height: int | None = None,
    alt: str | None = None,
    lights: str = "",
    on_click: Callable[[Click], None] | None = None,
) -> Click | None:
    """Draw `figure`, or what `pack` made of it, and return the point that was just clicked.

    `rev`: zoom and pan are kept while it stays the same (plotly.js's `uirevision`): change it with the question.
    `marks`: shapes that move without the data. `lights`: the key of an `unrolled` net, whose lit paths are marked in
    the bars of a chart that has their length as x and percent as y; a bar that is pointed at lights its paths there.
    `on_click` runs before the page does.
    """
    packed = figure if isinstance(figure, Packed) else pack(figure)
    if isinstance(figure, Figure):
        marks = [*figure.marks, *marks]
    pixels = height or packed.height
    head = {
        "etag": packed.etag,
        "rev": rev,
        "height": pixels,
        "alt": alt or packed.alt,
        "marks": list(marks),
        "lights": lights,
    }

    def clicked() -> None:
        click = _click(dict(st.session_state.get(key) or {}).get("click"))
        if on_click is not None and click is not None:
            on_click(click)

    result = _component(key=key, data=framed(head, packed.body), height=pixels, on_click_change=clicked)
    return _click(result.get("click"))


def framed(head: dict[str, Any], body: bytes) -> bytes:
    """Four bytes of length (little-endian), the head as JSON, the body."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + body


def _click(value: Any) -> Click | None:
    if not isinstance(value, dict):
        return None
    return Click(value.get("x"), value.get("y"), value.get("customdata"), str(value.get("name", "")))
