"""Several curves in one frame, each named at its end; a band around those that have one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import decades, rounded, significant, thinned
from app.figures.theme import Json

Numbers = NDArray[Any]


@dataclass(frozen=True)
class Curve:
    """One line: `names`, where given, are what its points are called when hovered; `band`: from, to."""

    name: str
    x: Numbers
    y: Numbers
    colour: str = theme.NEUTRAL
    dash: str = "solid"
    width: float = 2.2
    names: tuple[str, ...] = ()
    band: tuple[Numbers, Numbers] | None = None


def chart(
    curves: Sequence[Curve],
    x: str,
    y: str,
    *,
    log: bool = False,
    height: int = 320,
    span: Sequence[float] = (),
    named_at: Literal["start", "end"] = "end",
) -> tuple[list[Json], Json]:
    """Plotly's data and layout: `x` names the axis, `y` stands above it; `span` fixes the vertical range.

    `named_at`: the end of the lines where they differ more is the one to name them at.
    """
    at_start = named_at == "start"
    data: list[Json] = []
    for curve in curves:
        if curve.band:
            below, above = (rounded(edge, 4) for edge in curve.band)
            data.append(band(curve.name, curve.x, below, above, curve.colour))
        data.append(_line(curve, log))
    low, high = span or _range([curve.y for curve in curves], log)
    ends = [(curve, end) for curve in curves if (end := _end(curve, log, 0 if at_start else -1)) is not None]
    places = theme.spread([end for _, end in ends], 17 * (high - low) / (height - 66), low, high)
    wide = 18 + 8 * max([len(curve.name) for curve in curves] + [4])
    # Said, because Plotly would make room for the names a second time.
    first, last = _range([curve.x for curve in curves], log=False, room=0.015)
    vertical: Json = {"range": [low, high]} | ({"type": "log", "dtick": 1, "tickformat": "~g"} if log else {})
    beside: Json = {"xanchor": "right", "xshift": -7, "align": "right"} if at_start else {}
    layout = theme.layout(
        height,
        **({"left": wide, "right": 50} if at_start else {"right": wide}),
        xaxis=theme.axis(x, showgrid=False, range=[first, last]),
        yaxis=theme.axis(**vertical, **({"side": "right"} if at_start else {})),
        annotations=[theme.heading(y)]
        + [
            theme.end_label(curve.name, first if at_start else last, round(place, 4), curve.colour, **beside)
            for (curve, _), place in zip(ends, places, strict=True)
        ],
    )
    return data, layout


def _line(curve: Curve, log: bool) -> Json:
    x, y = thinned(curve.x, curve.y)
    where = "%{customdata}" if curve.names else "%{x:,}"
    line: Json = {
        "type": "scatter",
        "mode": "lines",
        "name": curve.name,
        "x": x.tolist(),
        "y": significant(y) if log else rounded(y, 4),
        "line": {"color": curve.colour, "width": curve.width, "dash": curve.dash},
        "hovertemplate": f"{curve.name} · {where}<br>%{{y:.3g}}<extra></extra>",
    }
    return line | ({"customdata": list(curve.names)} if curve.names else {})


def band(name: str, x: Numbers, low: Sequence[float | None], high: Sequence[float | None], colour: str) -> Json:
    """What lies between two curves over the same x, faint."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name} band",
        "x": [*x.tolist(), *x[::-1].tolist()],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": colour,
        "opacity": 0.15,
        "line": {"width": 0},
        "hoverinfo": "skip",
    }


def _range(values: Sequence[Numbers], log: bool, room: float = 0.04) -> tuple[float, float]:
    if log:
        return decades(values, trim=0)
    flat = np.concatenate([np.asarray(value, dtype=float).ravel() for value in values] or [np.zeros(1)])
    flat = flat[np.isfinite(flat)]
    low, high = (float(flat.min()), float(flat.max())) if flat.size else (0.0, 1.0)
    beyond = room * (high - low) or 0.5
    return low - beyond, high + beyond


def _end(curve: Curve, log: bool, which: int) -> float | None:
    """Where the curve begins (0) or ends (−1), as the axis counts it."""
    y = np.asarray(curve.y, dtype=float)
    usable = np.isfinite(y) & ((y > 0) | (not log))
    if not usable.any():
        return None
    value = float(y[usable][which])
    return float(np.log10(value)) if log else value
