"""Layer × step: the gradient norm of every weight layer at every step, one map a run, one colour scale for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import decades, rounded
from app.figures.over_steps import Run, precision_of, steps_in_all, styled
from app.figures.theme import Figure, Json
from app.values.series import Series

COLUMNS = 200  # most columns of a map
SPIKE = 10  # a step so many times above its cell's mean, or below it, gives the cell its colour

CellOf = Literal["mean", "largest", "smallest"]
_STORED: dict[CellOf, Callable[[Series], NDArray[Any]]] = {
    "mean": lambda series: series.norms,
    "largest": lambda series: series.norms_high,
    "smallest": lambda series: series.norms_low,
}


def norm_map(
    runs: Sequence[Run],
    *,
    total: int | None = None,
    each: int = 150,
    columns: int = COLUMNS,
    of: CellOf = "mean",
) -> Figure:
    """Maps of log10 of the gradient norm, one under the other, `each` pixels high. Mark with `map_marks`.

    `total`: the steps that the runs will make, so that a live map grows into its frame. `of`: what a cell shows that
    stands for several steps; the mean gives way to a step more than SPIKE times off it, so that no spike is hidden.
    """
    frame = _Frame(max(len(runs), 1), each)
    low, high = decades([_STORED[of](series) for _, series in runs], trim=1.0 if of == "mean" else 0)
    total = steps_in_all(runs, total)
    data: list[Json] = []
    annotations: list[Json] = []
    axes: Json = {}
    sentences: list[str] = []
    for row, (_, series, style) in enumerate(styled(runs)):
        cells = pooled(series, columns)
        if cells.steps.size:
            data.append(_map_trace(series, cells, of, style.name, axis_number(row)))
            sentences.append(_said(style.name, cells))
        annotations.append(theme.heading(style.name, y=frame.top(row), colour=style.colour, shift=2))
        axes |= frame.axes(row, len(series.layers), total)
    return Figure(
        data=data,
        layout=theme.layout(
            frame.height,
            right=16,
            annotations=annotations,
            coloraxis=_colours(low, high),
            **axes,
        ),
        caption=f"{theme.badge('measured')} L2 norm of each layer's weight gradient, training mode"
        f"{precision_of(runs)}; layer 0 is nearest the image{_grain(runs, columns, of)}",
        alt="Map of gradient norms, layers from input (bottom) to output (top) against training step. "
        + " ".join(sentences),
    )


def axis_number(row: int) -> str:
    """What Plotly puts behind the x or y of the axes of that row: nothing for the first, then 2, 3, …"""
    return "" if row == 0 else str(row + 1)


@dataclass(frozen=True)
class _Frame:
    """So many maps one under the other, each so many pixels high; steps are the same in all of them."""

    rows: int
    each: int

    GAP, MARGINS = 30, 68  # between two maps; above and below all of them

    @property
    def _inner(self) -> int:
        return self.rows * self.each + (self.rows - 1) * self.GAP

    @property
    def height(self) -> int:
        """Of the whole figure."""
        return self._inner + self.MARGINS

    def top(self, row: int) -> float:
        """Where a map begins, as a part of the height from below."""
        return 1 - row * (self.each + self.GAP) / self._inner

    def axes(self, row: int, layers: int, total: int) -> Json:
        """Both axes of a map; steps are named under the last one only."""
        n, top, last = axis_number(row), self.top(row), row == self.rows - 1
        x = theme.axis(
            "step" if last else "",
            anchor=f"y{n}",
            range=[-0.5, total + 0.5],
            showgrid=False,
            showticklabels=last,
            tickformat=",d",
            **({} if row == 0 else {"matches": "x"}),
        )
        y = theme.axis(
            "layer",
            anchor=f"x{n}",
            domain=[max(top - self.each / self._inner, 0), top],
            range=[-0.5, max(layers, 1) - 0.5],
            showgrid=False,
            showticklabels=bool(layers),
            nticks=5,
        )
        return {f"xaxis{n}": x, f"yaxis{n}": y}


def _colours(low: float, high: float) -> Json:
    """The scale that all maps share, decade by decade."""
    ticks = [*range(int(np.ceil(low)), int(np.floor(high)) + 1)]
    return {
        "cmin": low,
        "cmax": high,
        "colorscale": theme.SEQUENTIAL,
        "colorbar": {
            "title": {"text": "norm", "side": "top"},
            "thickness": 11,
            "outlinewidth": 0,
            "len": 1,
            "xpad": 8,
            "ticks": "outside",
            "ticklen": 3,
            "tickvals": ticks,
            "ticktext": [f"{10.0**tick:g}" for tick in ticks],
        },
    }


def map_marks(runs: Sequence[Run], step: int | None, selected: str | None) -> tuple[Json, ...]:
    """The slider's step and the selected layer, or the layers of the selected block, drawn on every map."""
    marks: list[Json] = []
    for i, (_, series) in enumerate(runs):
        n = axis_number(i)
        if step is not None:
            marks.append(theme.vertical(step, xref=f"x{n}", yref=f"y{n} domain"))
        found = layers_of(series.layers, selected)
        if found:
            box = theme.horizontal(found[0] - 0.5, yref=f"y{n}", xref=f"x{n} domain")
            marks.append({**box, "type": "rect", "y1": found[-1] + 0.5, "line": {"width": 1.5}})
    return tuple(marks)


def layers_of(layers: Sequence[str], selected: str | None) -> list[int]:
    """Places, in forward order, of the layer `blocks.3.branch.conv1`, or of all layers of `block:3`."""
    if selected is None:
        return []
    if selected.startswith("block:"):
        prefix = f"blocks.{selected.removeprefix('block:')}."
        return [i for i, name in enumerate(layers) if name.startswith(prefix)]
    return [i for i, name in enumerate(layers) if name == selected]


def layer_mark(runs: Sequence[Run], selected: str | None) -> tuple[Json, ...]:
    """The selected layer, or block, as a band in `norm_lines`, for the first run that has it."""
    for _, series in runs:
        if rows := layers_of(series.layers, selected):
            band = theme.vertical(rows[0] - 0.5, name="band")
            return ({**band, "type": "rect", "x1": rows[-1] + 0.5, "line": {"width": 0}},)
    return ()


@dataclass(frozen=True)
class Cells:
    """C columns of L layers: log10 of each cell's geometric mean, smallest and largest norm, NaN where there is none.

    A smallest norm of zero is −∞; it does not count in a mean.
    """

    steps: NDArray[Any]  # C, the first of each column
    mean: NDArray[np.float64]  # C × L
    smallest: NDArray[np.float64]  # C × L
    largest: NDArray[np.float64]  # C × L

    def shown(self, of: CellOf) -> NDArray[np.float64]:
        """C × L: what the colour says; NaN also for zero, which has none."""
        largest, smallest = (np.where(np.isfinite(part), part, np.nan) for part in (self.largest, self.smallest))
        if of != "mean":
            return largest if of == "largest" else smallest
        above, below = (np.nan_to_num(far) for far in (largest - self.mean, self.mean - smallest))
        farther = np.where(above >= below, largest, smallest)
        return np.where(np.maximum(above, below) > np.log10(SPIKE), farther, self.mean)


def pooled(series: Series, columns: int) -> Cells:
    """The map of `series` in at most so many columns: of neighbours, the mean, the smallest and the largest."""
    every = (series.norms, series.norms_low, series.norms_high)
    mean, smallest, largest = (np.asarray(norms, dtype=float) for norms in every)
    with np.errstate(divide="ignore", invalid="ignore"):
        smallest, largest = (np.where(np.isfinite(norms), np.log10(norms), np.nan) for norms in (smallest, largest))
        mean = np.where(np.isfinite(mean) & (mean > 0), np.log10(mean), np.nan)
    if len(series.norm_steps) <= columns:
        return Cells(series.norm_steps, mean, smallest, largest)
    begins = np.arange(0, len(mean), -(-len(mean) // columns))
    known = np.isfinite(mean)
    sums = np.add.reduceat(np.where(known, mean, 0.0), begins, axis=0)
    counts = np.add.reduceat(known.astype(int), begins, axis=0)
    return Cells(
        series.norm_steps[begins],
        np.where(counts > 0, sums / np.maximum(counts, 1), np.nan),
        np.fmin.reduceat(smallest, begins, axis=0),
        np.fmax.reduceat(largest, begins, axis=0),
    )


def _map_trace(series: Series, cells: Cells, of: CellOf, name: str, n: str) -> Json:
    steps, shown = cells.steps, cells.shown(of).round(2)
    newest = int(series.steps[-1]) if series.steps.size else int(steps[-1])
    # Plotly takes L + 1 edges for L cells: each column runs from its first step to the next one's.
    edges = [*(steps - 0.5).tolist(), max(newest, int(steps[-1])) + 0.5]
    several = len(steps) <= newest
    return {
        "type": "heatmap",
        "name": name,
        "xaxis": f"x{n}",
        "yaxis": f"y{n}",
        "x": edges,
        "y": [layer - 0.5 for layer in range(len(series.layers) + 1)],
        "z": [rounded(row, 2) for row in shown.T],
        "coloraxis": "coloraxis",
        # The browser writes one text per cell from these: steps, layer's name, 10 to the power of z; where a cell
        # stands for several steps also its smallest and largest, as hundredths of a decade below and above z.
        "meta": {
            "cells": "log10",
            "name": name,
            "rows": list(series.layers),
            "columns": steps.tolist(),
            "below": [_hundredths(row) for row in (shown - cells.smallest).T] if several else None,
            "above": [_hundredths(row) for row in (cells.largest - shown).T] if several else None,
        },
        "hoverinfo": "text",
    }


def _hundredths(decades: NDArray[np.float64]) -> list[int | None]:
    """Whole numbers, which take little room; None where there is nothing, or a norm of zero."""
    return [None if value is None else int(value) for value in rounded(100 * decades, 0)]


def _said(name: str, cells: Cells) -> str:
    least, most = (part[np.isfinite(part)] for part in (cells.smallest, cells.largest))
    if not most.size:
        return f"{name}: nothing measured."
    return f"{name}: between {10 ** least.min():.2g} and {10 ** most.max():.2g}."


def _grain(runs: Sequence[Run], columns: int, of: CellOf) -> str:
    newest = max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])
    shown = max([min(series.norm_steps.size, columns) for _, series in runs] + [1])
    each = -(-newest // max(shown, 1))
    if each == 1:
        return ""
    off = f", or the one that is more than {SPIKE} times off it" if of == "mean" else ""
    return f"; each cell is the {'geometric ' * (of == 'mean')}{of} of {each} steps{off}"
