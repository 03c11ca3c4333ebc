"""The class as a degradation sweep: every run a point, depth × error, plain and residual."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Literal

from app.figures.theme import FAMILY_COLOURS, Figure, Json, axis, badge, end_label, heading, layout, spread

Kind = Literal["plain", "residual"]

HEIGHT = 420
KINDS: dict[Kind, str] = {"plain": FAMILY_COLOURS["plain"], "residual": FAMILY_COLOURS["resnet"]}


@dataclass(frozen=True)
class Point:
    """One run: its net's depth in weighted layers, its error in percent, and whether it went to its end."""

    name: str
    depth: int
    error: float
    kind: Kind
    ended: bool


def sweep(points: Sequence[Point], what: str, about: str) -> Figure:
    """Points, and a line through the medians of those that went to their end.

    `what`: whose error; `about`: which runs these are.
    """
    data: list[Json] = []
    ends: list[tuple[Kind, int, float]] = []
    for kind in KINDS:
        own = sorted((point for point in points if point.kind == kind), key=lambda point: point.depth)
        if not own:
            continue
        middle = medians([point for point in own if point.ended] or own)
        data += [_line(kind, middle), _dots(kind, own)]
        ends.append((kind, *middle[-1]))
    top = max([point.error for point in points], default=100.0) * 1.08
    places = spread([error for *_, error in ends], top * 0.06, 0, top)
    notes = [
        end_label(f"{kind} {error:.1f}%", depth, place, KINDS[kind], xshift=12)
        for (kind, depth, error), place in zip(ends, places, strict=True)
    ]
    depths = [point.depth for point in points] or [0]
    whole = {"dtick": 1} if max(depths) - min(depths) < 8 else {}  # there is no half layer
    short = sum(not point.ended for point in points)
    counted = f"{len(points)} {'run' if len(points) == 1 else 'runs'}, a point each" + (
        f", {short} of them not at their end (hollow)" if short else ""
    )
    return Figure(
        data,
        layout(
            HEIGHT,
            right=140,
            xaxis=axis("weighted layers", **whole),
            yaxis=axis(range=[0, top], ticksuffix="%"),
            annotations=[heading(f"{what} error"), *notes],
        ),
        f"{badge('measured')} {counted}; the line joins the medians of those at their end. {about}",
        f"{what} error over depth. {counted}. " + "; ".join(f"{kind}: {_words(points, kind)}" for kind, *_ in ends),
    )


def medians(points: Sequence[Point]) -> list[tuple[int, float]]:
    """(depth, median error) of each depth, the shallowest first. `points` stand in the order of their depth."""
    return [
        (depth, median(point.error for point in group)) for depth, group in groupby(points, lambda point: point.depth)
    ]


def _words(points: Sequence[Point], kind: Kind) -> str:
    own = sorted((point for point in points if point.kind == kind), key=lambda point: point.depth)
    own = [point for point in own if point.ended] or own
    return ", ".join(f"{error:.1f}% at {depth} layers" for depth, error in medians(own))


def _line(kind: Kind, middle: Sequence[tuple[int, float]]) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [depth for depth, _ in middle],
        "y": [error for _, error in middle],
        "line": {"color": KINDS[kind], "width": 2.5},
        "hoverinfo": "skip",
    }


def _dots(kind: Kind, points: Sequence[Point]) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": kind,
        "x": [point.depth for point in points],
        "y": [point.error for point in points],
        "text": [point.name for point in points],
        "marker": {
            "size": 11,
            "color": KINDS[kind],
            "opacity": 0.75,
            "symbol": ["circle" if point.ended else "circle-open" for point in points],
        },
        "hovertemplate": "%{text}<br>%{x} layers: %{y:.1f}%<extra></extra>",
    }
