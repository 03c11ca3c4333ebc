"""The error of runs against step, in the manner of He et al. 2015, figure 6 (train thin, test bold), and table 6."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import frame, rounded, thinned
from app.figures.over_steps import End, Run, named, room_for, steps_in_all, styled
from app.figures.theme import Figure, Json, Style
from app.values.run_spec import RunSpec
from app.values.series import Series, farthest, mean_of
from models.spec import NetSpec

HAIR_POINTS = 160  # forty of them are sent every second
LONGEST_CUT = 12  # letters beside a mark
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


def errors(
    runs: Sequence[Run], *, seeds: Sequence[Sequence[Series]] = (), total: int | None = None, height: int = 380
) -> Figure:
    """Error of each run against step, in the manner of He 2015, figure 6. Mark the step with `step_mark`.

    `seeds`: of each run the series of all seeds, its own among them: each is a hair, and what is drawn bold is the mean
    of those that have come farthest. `total`: the steps that the runs will make (default: the newest).
    """
    each = [list(several) for several in seeds] or [[series] for _, series in runs]
    hairs = [several if len(several) > 1 else [] for several in each]
    runs = [(spec, mean_of(farthest(several))) for (spec, _), several in zip(runs, each, strict=True)]
    total = steps_in_all(runs, total)
    data: list[Json] = []
    ends: list[End] = []
    sentences = []
    for (spec, series, style), several in zip(styled(runs), hairs, strict=True):
        steps, means = thinned(series.steps, series.error)
        data += [_hair(style, one) for one in several if one.steps.size]
        data += _traces(style, series, steps, means)
        if steps.size:
            ends.append(End(style.name, float(steps[-1]), float(means[-1]), style.colour))
            sentences.append(_error_words(style.name, series, means))
        if paper := paper_figure(spec):
            data.append(_paper_trace(style, *paper, total))
            ends.append(End(f"paper, {spec.net.depth}: {paper[0]:.2f}", total, paper[0], style.colour))
    top = _top(data)
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=room_for(ends),
            xaxis=theme.axis("step", range=frame(total), showgrid=True, tickformat=",d"),
            yaxis=theme.axis(range=[0, top], fixedrange=False),
            annotations=[theme.heading("error %"), *named(ends, 0, top, height, digits=2), *_cut_names(runs)],
        ),
        caption=_caption(runs, [len(farthest(several)) for several in each], max(map(len, each), default=1)),
        alt="Error in percent against training step. " + " ".join(sentences),
    )


def _traces(style: Style, series: Series, steps: NDArray[Any], means: NDArray[Any]) -> list[Json]:
    """What a run has so far: training error, test error, the cuts made while it trained."""
    traces = [_train_trace(style, steps, means)] if steps.size else []
    if series.eval_steps.size:
        traces.append(_test_trace(style, series))
    if steps.size and series.cuts:
        traces.append(_cut_trace(style, series, np.interp(series.cut_steps, steps, means)))
    return traces


def _top(data: Sequence[Json]) -> float:
    """The round tenth above all that is drawn."""
    seen = [value for trace in data for value in trace["y"] if value is not None]
    return min(100.0, 10 * np.ceil(max([*seen, 10.0]) / 10)) if seen else 100.0


def _cut_names(runs: Sequence[Run]) -> list[Json]:
    """What was cut, at the foot of each cut's line."""
    return [
        theme.end_label(
            _cut_words(cut),
            step,
            0,
            style.colour,
            yanchor="bottom",
            xshift=3,
            font={"color": style.colour, "size": 13},
        )
        for _, series, style in styled(runs)
        for step, cut in zip(series.cut_steps, series.cuts, strict=True)
    ]


def _caption(runs: Sequence[Run], counted: Sequence[int], most: int) -> str:
    window = max([series.window for _, series in runs] + [1])
    mean = f"mean of the last {window:,} steps" if window > 1 else "every step's batch"
    caption = f"{theme.badge('measured')} error %; train thin ({mean}, on the batches as they are learned from), "
    caption += "test bold, after each epoch"
    if most > 1:
        counts = " and ".join(map(str, sorted(set(counted))))
        caption += f". Lines: means over {counts} {'seed' if counts == '1' else 'seeds'}; hairs: each seed's training"
    if any(series.cuts for _, series in runs):
        caption += ". Crosses: blocks cut while it trained, or put back"
    if papers := [paper for spec, _ in runs if (paper := paper_figure(spec))]:
        caption += f". {theme.badge('paper')} marks at the right edge: final test errors, "
        caption += " and ".join(sorted({WHERE[table] for _, table in papers}))
    return caption


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


def _hair(style: Style, series: Series) -> Json:
    steps, means = thinned(series.steps, series.error, HAIR_POINTS)
    line = {"color": style.colour, "width": 0.8, "dash": style.dash}
    return _train_trace(style, steps, means) | {"name": f"{style.name} seed", "line": line, "opacity": 0.45}


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
