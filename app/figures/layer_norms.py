"""The gradient norm of every layer at one step, and of one layer at every step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.curves import Numbers, band
from app.figures.numbers import decades, frame, significant, thinned
from app.figures.over_steps import End, Run, named, precision_of, room_for, steps_in_all, styled
from app.figures.theme import Figure, Json, Style
from app.values.series import Series


def norm_lines(runs: Sequence[Run], step: int | None, *, height: int = 300) -> Figure:
    """Gradient norm of each layer, input to output, at `step` (None: the newest). Mark a layer with `layer_mark`."""
    data: list[Json] = []
    ends: list[End] = []
    sentences: list[str] = []
    where = ""
    deepest = max([len(series.layers) - 1 for _, series in runs] + [1])
    for _, series, style in styled(runs):
        column = column_at(series, step)
        if column is None:
            continue
        norms = series.norms[column].astype(float)
        where = where or _column_words(series, column)
        on_path = np.array([not is_projection(name) for name in series.layers])
        index = np.arange(len(series.layers))
        for chosen, what in ((on_path, "lines"), (~on_path, "markers")):
            if chosen.any():
                data.append(_norm_trace(style, series, index[chosen], norms[chosen], what))
        usable = on_path & (norms > 0) & np.isfinite(norms)
        if usable.any():
            first, last = norms[usable][0], norms[usable][-1]
            # At the right edge, whatever the depth: beside a shallow net's end the deeper ones still go on.
            ends.append(End(style.name, deepest, float(np.log10(last)), style.colour))
            sentences.append(f"{style.name}: {first:.2g} in the first layer, {last:.2g} in the last.")
    low, high = decades([np.asarray(series.norms) for _, series in runs], trim=0)
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=room_for(ends),
            xaxis=theme.axis("layer, input to output", range=frame(deepest), showgrid=False),
            yaxis=theme.axis(type="log", range=[low, high], dtick=1, tickformat="~g"),
            annotations=[theme.heading("gradient norm"), *named(ends, low, high, height)],
        ),
        caption=f"{theme.badge('measured')} L2 norm of each layer's weight gradient, training mode"
        + f"{precision_of(runs)}, "
        + (where or "no step yet")
        + (". Diamonds: projections" if any(trace["mode"] == "markers" for trace in data) else ""),
        alt=f"Gradient norm of each layer, {where}. " + " ".join(sentences),
    )


def layer_history(runs: Sequence[Run], layer: str, *, total: int | None = None, height: int = 240) -> Figure:
    """Gradient norm of one layer against step, for every run that has it. Mark the step with `step_mark`.

    Where a point stands for several steps, a band reaches from the smallest to the largest of them: no spike is hidden.
    """
    histories = [
        _history(series, series.layers.index(layer), style)
        for _, series, style in styled(runs)
        if layer in series.layers and series.norm_steps.size
    ]
    data = [trace for history in histories for trace in history.traces()]
    ends = [end for history in histories if (end := history.end()) is not None]
    bottom, top = decades([values for history in histories for values in history.drawn()], trim=0)
    grain = max([history.grain for history in histories] + [1])
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=room_for(ends),
            xaxis=theme.axis("step", range=frame(steps_in_all(runs, total)), tickformat=",d"),
            yaxis=theme.axis(type="log", range=[bottom, top], dtick=1, tickformat="~g"),
            annotations=[theme.heading(f"gradient norm of {layer}"), *named(ends, bottom, top, height)],
        ),
        caption=f"{theme.badge('measured')} L2 norm of the weight gradient of `{layer}`, training mode"
        + f"{precision_of(runs)}, over the run"
        + (f"; geometric mean, smallest and largest of each {grain} steps" if grain > 1 else ""),
        alt=f"Gradient norm of {layer} against training step, {len(histories)} runs.",
    )


@dataclass(frozen=True)
class _History:
    """One layer of one run: `norms` at `steps`; `span`: low and high of the steps that a point stands for."""

    style: Style
    steps: Numbers
    norms: Numbers
    every_step: Numbers  # of the span, which is not thinned
    span: tuple[Numbers, Numbers] | None

    @property
    def grain(self) -> int:
        """The most steps that a point stands for."""
        return int(np.diff(self.every_step).max(initial=1)) if self.span else 1

    def drawn(self) -> list[Numbers]:
        """All that the axis has to hold."""
        return [self.norms, *(self.span or ())]

    def end(self) -> End | None:
        """None where no norm can be drawn."""
        usable = (self.norms > 0) & np.isfinite(self.norms)
        if not usable.any():
            return None
        return End(self.style.name, float(self.steps[-1]), float(np.log10(self.norms[usable][-1])), self.style.colour)

    def traces(self) -> list[Json]:
        """The line, and the band behind it."""
        name, colour = self.style.name, self.style.colour
        line: Json = {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": self.steps.tolist(),
            "y": significant(self.norms),
            "line": {"color": colour, "width": 1.8, "dash": self.style.dash},
            "hovertemplate": f"{name} · step %{{x:,d}}<br>norm %{{y:.3g}}<extra></extra>",
        }
        if self.span is None:
            return [line]
        low, high = self.span
        return [band(name, self.every_step, significant(low), significant(high), colour), line]


def _history(series: Series, layer: int, style: Style) -> _History:
    """Of the layer at that place."""
    steps, norms = thinned(series.norm_steps, series.norms[:, layer].astype(float))
    low, high = (edge[:, layer].astype(float) for edge in (series.norms_low, series.norms_high))
    span = None
    if (high > low).any():
        span = np.where(low > 0, low, norms), high  # a low of zero is a norm that no axis shows
    return _History(style, steps, norms, series.norm_steps, span)


def _norm_trace(style: Style, series: Series, index: NDArray[Any], norms: NDArray[Any], mode: str) -> Json:
    projections = mode == "markers"
    return {
        "type": "scatter",
        "mode": mode,
        "name": style.name + (" projections" if projections else ""),
        "x": index.tolist(),
        "y": significant(norms),
        "customdata": [series.layers[i] for i in index],
        "line": {"color": style.colour, "width": 2.2, "dash": style.dash},
        "marker": {"color": style.colour, "symbol": "diamond-open", "size": 8, "line": {"width": 1.8}},
        "hovertemplate": f"{style.name} · %{{customdata}}<br>norm %{{y:.3g}}<extra></extra>",
    }


def column_at(series: Series, step: int | None) -> int | None:
    """The column of the map that holds `step` (None: the newest column); None where there is no column."""
    if not series.norm_steps.size:
        return None
    if step is None:
        return len(series.norm_steps) - 1
    return max(int(np.searchsorted(series.norm_steps, step, side="right")) - 1, 0)


def is_projection(layer: str) -> bool:
    """True for the 1×1 convolution on a shortcut."""
    return ".shortcut." in layer


def _column_words(series: Series, column: int) -> str:
    first = int(series.norm_steps[column])
    last = int(series.norm_steps[column + 1]) - 1 if column + 1 < len(series.norm_steps) else int(series.steps[-1])
    return f"step {first:,}" if last <= first else f"geometric mean of steps {first:,}–{last:,}"
