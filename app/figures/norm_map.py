"""Layer × step: the gradient norm of every weight layer at every step, one map a run, one colour scale for all."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import decades, rounded
from app.figures.theme import Figure, Json
from app.figures.training import Run
from app.results import Series

COLUMNS = 200  # most columns of a map


def norm_map(
    runs: Sequence[Run], *, total: int | None = None, each: int = 150, columns: int = COLUMNS, across: int = 1
) -> Figure:
    """Maps of log10 of the gradient norm, one under the other, `each` pixels high. Mark with `map_marks`.

    `total`: the steps that the runs will make, so that a live map grows into its frame.
    """
    rows = max(len(runs), 1)
    low, high = decades([series.norms for _, series in runs])
    total = total or max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])
    gap, height = 30, rows * each + (rows - 1) * 30 + 68
    inner = height - 68
    data: list[Json] = []
    annotations: list[Json] = []
    axes: Json = {}
    said: list[str] = []
    for i, ((_, series), style) in enumerate(zip(runs, theme.styles([spec for spec, _ in runs]), strict=True)):
        n = "" if i == 0 else str(i + 1)
        top = 1 - i * (each + gap) / inner
        steps, norms = pooled(series.norm_steps, series.norms, columns)
        if steps.size:
            data.append(_map_trace(series, steps, norms, style.name, n))
            said.append(_said(style.name, norms))
        annotations.append(theme.heading(style.name, y=top, colour=style.colour, shift=2))
        last = i == rows - 1
        axes[f"xaxis{n}"] = theme.axis(
            "step" if last else "",
            anchor=f"y{n}",
            range=[-0.5, total + 0.5],
            showgrid=False,
            showticklabels=last,
            tickformat=",d",
            **({} if i == 0 else {"matches": "x"}),
        )
        axes[f"yaxis{n}"] = theme.axis(
            "layer",
            anchor=f"x{n}",
            domain=[max(top - each / inner, 0), top],
            range=[-0.5, max(len(series.layers), 1) - 0.5],
            showgrid=False,
            showticklabels=bool(series.layers),
            nticks=5,
        )
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=16,
            annotations=annotations,
            coloraxis={
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
                    "tickvals": (ticks := [*range(int(np.ceil(low)), int(np.floor(high)) + 1)]),
                    "ticktext": [f"{10.0**tick:g}" for tick in ticks],
                },
            },
            **axes,
        ),
        caption=f"{theme.badge('measured')} L2 norm of each layer's weight gradient, training mode; "
        f"layer 0 is nearest the image{_grain(runs, columns)}",
        alt="Map of gradient norms, layers from input (bottom) to output (top) against training step. "
        + " ".join(said),
    )


def map_marks(runs: Sequence[Run], step: int | None, selected: str | None) -> tuple[Json, ...]:
    """The slider's step and the selected layer, or the layers of the selected block, drawn on every map."""
    marks: list[Json] = []
    for i, (_, series) in enumerate(runs):
        n = "" if i == 0 else str(i + 1)
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
        if found := layers_of(series.layers, selected):
            band = theme.vertical(found[0] - 0.5, name="band")
            return ({**band, "type": "rect", "x1": found[-1] + 0.5, "line": {"width": 0}},)
    return ()


def pooled(steps: NDArray[Any], norms: NDArray[Any], columns: int) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """At most so many columns: log10 of the norms, averaged over neighbours; NaN where nothing positive was kept."""
    norms = np.asarray(norms, dtype=float)
    logs = np.full(norms.shape, np.nan)
    np.log10(norms, out=logs, where=np.isfinite(norms) & (norms > 0))
    if len(steps) <= columns:
        return steps, logs
    each = -(-len(steps) // columns)
    begins = np.arange(0, len(steps), each)
    known = np.isfinite(logs)
    sums = np.add.reduceat(np.where(known, logs, 0.0), begins, axis=0)
    counts = np.add.reduceat(known.astype(int), begins, axis=0)
    return steps[begins], np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _map_trace(series: Series, steps: NDArray[Any], logs: NDArray[np.float64], name: str, n: str) -> Json:
    newest = int(series.steps[-1]) if series.steps.size else int(steps[-1])
    # Plotly takes L + 1 edges for L cells: each column runs from its first step to the next one's.
    edges = [*(steps - 0.5).tolist(), max(newest, int(steps[-1])) + 0.5]
    return {
        "type": "heatmap",
        "name": name,
        "xaxis": f"x{n}",
        "yaxis": f"y{n}",
        "x": edges,
        "y": [layer - 0.5 for layer in range(len(series.layers) + 1)],
        "z": [rounded(row, 2) for row in logs.T],
        "coloraxis": "coloraxis",
        # The browser writes one text per cell from these: step, layer's name, 10 to the power of z.
        "meta": {
            "cells": "log10",
            "name": name,
            "rows": list(series.layers),
            "columns": steps.tolist(),
        },
        "hoverinfo": "text",
    }


def _said(name: str, logs: NDArray[np.float64]) -> str:
    known = np.isfinite(logs)
    if not known.any():
        return f"{name}: nothing measured."
    values = 10 ** logs[known]
    return f"{name}: between {values.min():.2g} and {values.max():.2g}."


def _grain(runs: Sequence[Run], columns: int) -> str:
    newest = max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])
    shown = max([min(series.norm_steps.size, columns) for _, series in runs] + [1])
    each = -(-newest // max(shown, 1))
    return f"; each column is the geometric mean of {each} steps" if each > 1 else ""
