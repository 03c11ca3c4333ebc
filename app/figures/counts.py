"""Curves, bars and bands over whole numbers: path lengths, numbers of blocks."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import significant
from app.figures.theme import Json


def whole_axis(numbers: NDArray[Any], title: str) -> Json:
    """An axis for whole numbers, with room at both ends."""
    first, last = float(numbers.min()), float(numbers.max())
    return theme.axis(title, range=[first - 0.6, last + 0.6], tickformat="d", nticks=12, showgrid=False)


def line(
    name: str, x: NDArray[Any], y: Sequence[float | None], colour: str, hover: str, *, width: float = 2, mode: str = ""
) -> Json:
    """A curve over whole numbers, with a marker at each where there are few."""
    return {
        "type": "scatter",
        "mode": mode or ("lines+markers" if len(x) <= 60 else "lines"),
        "name": name,
        "x": x.tolist(),
        "y": y,
        "line": {"color": colour, "width": width},
        "marker": {"size": 5, "color": colour},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def bars(name: str, x: NDArray[Any], y: NDArray[Any], number: list[str], hover: str) -> Json:
    """Quiet bars; `number` is what `hover` may name as %{customdata}."""
    return {
        "type": "bar",
        "name": name,
        "x": x.tolist(),
        "y": significant(y),
        "customdata": number,
        "marker": {"color": theme.NEUTRAL, "opacity": 0.5},
        "hovertemplate": f"{hover}<extra></extra>",
    }


def band(x: NDArray[Any], low: NDArray[Any], high: NDArray[Any], colour: str) -> list[Json]:
    """A filled band between two curves; hovering passes through it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    edge = {"type": "scatter", "mode": "lines", "x": x.tolist(), "line": {"width": 0}, "hoverinfo": "skip"}
    fill = {"fill": "tonexty", "fillcolor": f"rgba({red},{green},{blue},0.18)"}
    return [{**edge, "name": "low", "y": significant(low)}, {**edge, "name": "high", "y": significant(high), **fill}]


def beside(text: str, x: NDArray[Any], y: NDArray[Any], colour: str, end: str) -> Json:
    """A label above the highest point of a curve, its left or right `end` there, or its center."""
    top = int(y.argmax())
    label = theme.end_label(text, float(x[top]), round(float(y[top]), 3), colour)
    return {**label, "xanchor": end, "yanchor": "bottom", "xshift": 0, "yshift": 5}
