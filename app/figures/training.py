"""A run's events as figures: error against step, and the gradient norm of every layer at every step.

He et al. 2015, *Deep Residual Learning for Image Recognition*, figure 6 (train thin, test bold) and table 6.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.curves import band
from app.figures.numbers import decades, frame, rounded, significant, thinned
from app.figures.theme import Figure, Json, Style
from app.values.run_spec import RunSpec
from app.values.series import Series
from models.spec import NetSpec

Run = tuple[RunSpec, Series]

# Test error on CIFAR-10, in percent: He 2015, table 6 (option A) and He 2016, table 2 (full pre-activation).
WHERE = {"He 2015, T6": "He et al. 2015, table 6", "He 2016, T2": "He et al. 2016, table 2"}
PAPER: dict[str, tuple[float, str]] = {
    "resnet-20": (8.75, "He 2015, T6"),
    "resnet-32": (7.51, "He 2015, T6"),
    "resnet-44": (7.17, "He 2015, T6"),
    "resnet-56": (6.97, "He 2015, T6"),
    "resnet-110": (6.43, "He 2015, T6"),
    "resnet-1202": (7.93, "He 2015, T6"),
    "preact-110": (6.37, "He 2016, T2"),
    "preact-bottleneck-164": (5.46, "He 2016, T2"),
}


def paper_figure(spec: RunSpec) -> tuple[float, str] | None:
    """The paper's own final test error for exactly this setting, and the table it stands in; None elsewhere."""
    papers_own = spec.net == NetSpec.parse(spec.net.name) and spec.images is None
    if spec.data != "cifar-10" or not spec.recipe.name.startswith("paper") or not papers_own:
        return None
    return PAPER.get(spec.net.name)


LONGEST_CUT = 12  # letters beside a mark

# ---- errors --------------------------------------------------------------------------------------------------------


def errors(runs: Sequence[Run], *, total: int | None = None, test_images: int = 0, height: int = 380) -> Figure:
    """Error of each run against step, in the manner of He 2015, figure 6. Mark the step with `step_mark`.

    `total`: the steps that the runs will make (default: the newest).
    """
    total = total or max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])
    data: list[Json] = []
    labels: list[tuple[str, float, float, str, str]] = []  # text, x, y, colour, xref
    said = []
    for (spec, series), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        steps, means = thinned(series.steps, series.error)
        if steps.size:
            data.append(_train_trace(style, steps, means))
        if series.eval_steps.size:
            data.append(_test_trace(style, series))
        if steps.size and series.cuts:
            data.append(_cut_trace(style, series, np.interp(series.cut_steps, steps, means)))
        if steps.size:
            labels.append((style.name, float(steps[-1]), float(means[-1]), style.colour, "x"))
            said.append(_error_words(style.name, series, means))
        if paper := paper_figure(spec):
            data.append(_paper_trace(style, *paper, total))
            labels.append((f"paper, {spec.net.depth}: {paper[0]:.2f}", total, paper[0], style.colour, "x"))
    seen = [value for trace in data for value in trace["y"] if value is not None]
    top = min(100.0, 10 * np.ceil(max([*seen, 10.0]) / 10)) if seen else 100.0
    gap = 17 * top / (height - 66)
    places = theme.spread([y for _, _, y, _, _ in labels], gap, 0, top)
    annotations = [theme.heading("error %")] + [
        theme.end_label(text, x, round(place, 2), colour, xref)
        for (text, x, _, colour, xref), place in zip(labels, places, strict=True)
    ]
    for (_, series), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        for step, cut in zip(series.cut_steps, series.cuts, strict=True):
            annotations.append(
                theme.end_label(
                    _cut_words(cut),
                    step,
                    0,
                    style.colour,
                    yanchor="bottom",
                    xshift=3,
                    font={"color": style.colour, "size": 13},
                )
            )
    longest = max([len(text) for text, *_ in labels] + [8])
    images = f" ({test_images:,} images)" if test_images else ""
    window = max([series.window for _, series in runs] + [1])
    mean = f"mean of the last {window:,} steps" if window > 1 else "every step's batch"
    caption = f"{theme.badge('measured')} error %; train thin ({mean}), test bold{images}, after each epoch"
    if any(series.cuts for _, series in runs):
        caption += ". Crosses: blocks cut while it trained, or put back"
    if any(paper_figure(spec) for spec, _ in runs):
        caption += f". {theme.badge('paper')} marks at the right edge: final test errors, "
        caption += " and ".join(sorted({WHERE[paper[1]] for spec, _ in runs if (paper := paper_figure(spec))}))
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=18 + 8 * longest,
            xaxis=theme.axis("step", range=frame(total), showgrid=True, tickformat=",d"),
            yaxis=theme.axis(range=[0, top], fixedrange=False),
            annotations=annotations,
        ),
        caption=caption,
        alt="Error in percent against training step. " + " ".join(said),
    )


def step_mark(step: int | None) -> tuple[Json, ...]:
    """The slider's step as a vertical line over the whole figure; none while it follows the newest."""
    return () if step is None else (theme.vertical(step),)


def _train_trace(style: Style, steps: NDArray[Any], means: NDArray[Any]) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{style.name} train",
        "x": steps.tolist(),
        "y": rounded(means, 2),
        "line": {"color": style.colour, "width": 1.3, "dash": style.dash},
        "hovertemplate": f"{style.name} · step %{{x:,d}}<br>train %{{y:.1f}} %<extra></extra>",
    }


def _test_trace(style: Style, series: Series) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{style.name} test",
        "x": series.eval_steps.tolist(),
        "y": rounded(series.test_error, 2),
        "line": {"color": style.colour, "width": 3.2, "dash": style.dash},
        "marker": {"size": 8 if series.eval_steps.size <= 40 else 4, "color": style.colour},
        "hovertemplate": f"{style.name} · step %{{x:,d}}<br>test %{{y:.2f}} %<extra></extra>",
    }


def _cut_trace(style: Style, series: Series, at: NDArray[Any]) -> Json:
    """Where blocks were cut while the run trained, or put back: a cross on the training error, a line to its name."""
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": f"{style.name} cut",
        "x": [x for step in series.cut_steps for x in (step, step, None)],
        "y": [y for height in rounded(at, 2) for y in (0, height, None)],
        "customdata": [_cut_words(cut) for cut in series.cuts for _ in range(3)],
        "line": {"color": style.colour, "width": 1.2, "dash": "dot"},
        "marker": {"symbol": "x", "size": [0, 10, 0] * len(series.cuts), "opacity": 1, "color": style.colour},
        "hovertemplate": f"{style.name} · from step %{{x:,d}} on<br>%{{customdata}}<extra></extra>",
    }


def _cut_words(cut: str) -> str:
    if not cut:
        return "whole again"
    return f"cut {cut}" if len(cut) <= LONGEST_CUT else f"cut {cut[:LONGEST_CUT]}…"


def _paper_trace(style: Style, error: float, table: str, total: int) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{style.name} paper",
        "x": [total],
        "y": [error],
        "marker": {"symbol": "line-ew", "size": 16, "line": {"width": 2.5, "color": style.colour}},
        "cliponaxis": False,
        "hovertemplate": f"{style.name} · {table}<br>test %{{y:.2f}} %<extra></extra>",
    }


def _error_words(name: str, series: Series, means: NDArray[Any]) -> str:
    test = f", test {series.test_error[-1]:.1f} %" if series.eval_steps.size else ""
    cuts = "".join(
        f" From step {step:,} on: {_cut_words(cut)}." for step, cut in zip(series.cut_steps, series.cuts, strict=True)
    )
    return f"{name}: training error {means[-1]:.1f} %{test} at step {int(series.steps[-1]):,}.{cuts}"


# ---- gradient norms ------------------------------------------------------------------------------------------------


def norm_lines(runs: Sequence[Run], step: int | None, *, height: int = 300) -> Figure:
    """Gradient norm of each layer, input to output, at `step` (None: the newest). Mark a layer with `layer_mark`."""
    data: list[Json] = []
    labels: list[tuple[str, float, float, str]] = []
    said: list[str] = []
    where = ""
    for (_, series), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
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
            labels.append((style.name, float(index[usable][-1]), float(np.log10(last)), style.colour))
            said.append(f"{style.name}: {first:.2g} in the first layer, {last:.2g} in the last.")
    low, high = decades([np.asarray(series.norms) for _, series in runs], trim=0)
    places = theme.spread([y for *_, y, _ in labels], 17 * (high - low) / (height - 66), low, high)
    longest = max([len(text) for text, *_ in labels] + [8])
    deepest = max([len(series.layers) - 1 for _, series in runs] + [1])
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=18 + 8 * longest,
            xaxis=theme.axis("layer, input to output", range=frame(deepest), showgrid=False),
            yaxis=theme.axis(type="log", range=[low, high], dtick=1, tickformat="~g"),
            annotations=[theme.heading("gradient norm")]
            + [
                # At the right edge, whatever the depth: beside a shallow net's end the deeper ones still go on.
                theme.end_label(text, deepest, round(place, 3), colour)
                for (text, _, _, colour), place in zip(labels, places, strict=True)
            ],
        ),
        caption=f"{theme.badge('measured')} L2 norm of each layer's weight gradient, training mode, "
        + (where or "no step yet")
        + (". Diamonds: projections" if any(trace["mode"] == "markers" for trace in data) else ""),
        alt=f"Gradient norm of each layer, {where}. " + " ".join(said),
    )


def layer_history(runs: Sequence[Run], layer: str, *, total: int | None = None, height: int = 240) -> Figure:
    """Gradient norm of one layer against step, for every run that has it. Mark the step with `step_mark`.

    Where a point stands for several steps, a band reaches from the smallest to the largest of them: no spike is hidden.
    """
    data: list[Json] = []
    labels: list[tuple[str, float, float, str]] = []
    columns = []
    grain = 1
    for (_, series), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        if layer not in series.layers or not series.norm_steps.size:
            continue
        at = series.layers.index(layer)
        steps, norms = thinned(series.norm_steps, series.norms[:, at].astype(float))
        columns.append(norms)
        low, high = (edge[:, at].astype(float) for edge in (series.norms_low, series.norms_high))
        if (high > low).any():
            low = np.where(low > 0, low, norms)  # that is a norm of zero, which no axis shows
            columns += [low, high]
            data.append(band(style.name, series.norm_steps, significant(low), significant(high), style.colour))
            grain = max(grain, int(np.diff(series.norm_steps).max(initial=1)))
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": style.name,
                "x": steps.tolist(),
                "y": significant(norms),
                "line": {"color": style.colour, "width": 1.8, "dash": style.dash},
                "hovertemplate": f"{style.name} · step %{{x:,d}}<br>norm %{{y:.3g}}<extra></extra>",
            }
        )
        usable = (norms > 0) & np.isfinite(norms)
        if usable.any():
            labels.append((style.name, float(steps[-1]), float(np.log10(norms[usable][-1])), style.colour))
    bottom, top = decades(columns, trim=0)
    places = theme.spread([y for *_, y, _ in labels], 17 * (top - bottom) / (height - 66), bottom, top)
    total = total or max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])
    longest = max([len(text) for text, *_ in labels] + [8])
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=18 + 8 * longest,
            xaxis=theme.axis("step", range=frame(total), tickformat=",d"),
            yaxis=theme.axis(type="log", range=[bottom, top], dtick=1, tickformat="~g"),
            annotations=[theme.heading(f"gradient norm of {layer}")]
            + [
                theme.end_label(text, x, round(place, 3), colour)
                for (text, x, _, colour), place in zip(labels, places, strict=True)
            ],
        ),
        caption=f"{theme.badge('measured')} L2 norm of the weight gradient of `{layer}`, training mode, over the run"
        + (f"; geometric mean, smallest and largest of each {grain} steps" if grain > 1 else ""),
        alt=f"Gradient norm of {layer} against training step, {sum('band' not in one['name'] for one in data)} runs.",
    )


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


# ---- series --------------------------------------------------------------------------------------------------------


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
