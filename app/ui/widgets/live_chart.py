"""A Plotly chart that keeps zoom, pan and hover while its data changes.

Streamlit's own charts are remounted at every update. Here the browser keeps one element and calls `Plotly.react`.
The figure is packed once for all sessions (`pack`) and travels as bytes: with the page, or by its feed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.figures.theme import Figure
from app.ui.widgets.component import PLOTLY_NAME, component
from app.ui.widgets.feed import Feed, Part, framed, packed

_component = component(
    "live_chart",
    html="<div class='live-chart' role='img' style='height:300px'><div class='live-chart-plot'></div></div>",
    isolate_styles=False,  # plotly.js puts its style rules into the document's head
)


@dataclass(frozen=True)
class Packed:
    """A figure ready to be sent, and shared by all sessions. Height in pixels."""

    part: Part
    height: int


@dataclass(frozen=True)
class Click:
    """The point of a chart that was clicked. On a map, x is the step, y the row and `customdata` the layer's name."""

    x: Any
    y: Any
    customdata: Any
    name: str


def pack(figure: Figure) -> Packed:
    """`figure` as gzipped JSON. Do it once per new data, and give every session the same value."""
    part = packed({"data": figure.data, "layout": figure.layout, "alt": figure.alt})
    return Packed(part, int(figure.layout.get("height", 300)))


def live_chart(
    figure: Figure | Packed,
    *,
    key: str,
    rev: str = "1",
    marks: Sequence[dict[str, Any]] = (),
    height: int | None = None,
    lights: str = "",
    feed: Feed | None = None,
    on_click: Callable[[Click], None] | None = None,
) -> Click | None:
    """Draw `figure`, or what `pack` made of it, and return the point that was just clicked.

    `rev`: zoom and pan are kept while it stays the same (plotly.js's `uirevision`): change it with the question.
    `marks`: shapes that move without the data. `lights`: the key of an `unrolled` net, whose lit paths are marked in
    the bars of a chart that has their length as x and percent as y; a bar that is pointed at lights its paths there.
    `feed`: where the browser gets the figure, now and as it changes; it is not sent with the page then.
    `on_click` runs before the page does.
    """
    ready = figure if isinstance(figure, Packed) else pack(figure)
    if isinstance(figure, Figure):
        marks = [*figure.marks, *marks]
    pixels = height or ready.height
    head = {
        "etag": ready.part.etag,
        "rev": rev,
        "height": pixels,
        "marks": list(marks),
        "lights": lights,
        "feed": feed.told() if feed else None,
        "plotly": PLOTLY_NAME,
    }

    def clicked() -> None:
        click = _click(dict(st.session_state.get(key) or {}).get("click"))
        if on_click is not None and click is not None:
            on_click(click)

    sent = framed(head, b"" if feed else ready.part.body)
    result = _component(key=key, data=sent, height=pixels, on_click_change=clicked)
    return _click(result.get("click"))


def _click(value: Any) -> Click | None:
    if not isinstance(value, dict):
        return None
    return Click(value.get("x"), value.get("y"), value.get("customdata"), str(value.get("name", "")))
