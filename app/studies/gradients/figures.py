"""The gradient at every block as figures: lines over depth, and the truth test as a table of verdicts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.numbers import rounded
from app.figures.theme import Figure, Json, Style
from app.studies.gradients.questions import Distribution, Gradients, Grid
from app.studies.gradients.verdicts import (
    LIMIT,
    WHOLE,
    between,
    exponential,
    log_ratios,
    of_values,
    stage_numbers,
    times,
    verdict,
)
from app.values.evidence import CONFIDENCE, Effect
from models.spec import NetSpec

REACH = float(np.log(1e4))  # first block ÷ last: what has the full colour
ROW = 38  # pixels: two lines of text, so that they can be read on a phone


@dataclass(frozen=True)
class Backward:
    """A run's RMS of the gradient at each place, at some moments: M × P."""

    style: Style
    steps: tuple[int, ...]
    rms: NDArray[Any]


def block_lines(runs: Sequence[Backward], *, over: str, height: int = 340) -> Figure:
    """RMS of the activation gradient at each block, input to output; later darker. `over`: which images.

    A point's name is what the address calls it.
    """
    curves: list[Curve] = []
    for run in runs:
        places = np.arange(run.rms.shape[1])
        names = ("stem.conv", *(f"block:{i}" for i in range(len(places) - 1)))
        for nth, (step, rms) in enumerate(zip(run.steps, run.rms, strict=True)):
            colour = later_darker(run.style.colour, nth, len(run.steps))
            curves.append(Curve(f"{run.style.name}, step {step:,}", places, rms, colour, run.style.dash, names=names))
    data, layout = chart(
        curves, "block, input to output", "RMS of the gradient", log=True, height=height, named_at="start"
    )
    readings = "; ".join(f"{curve.name}: {curve.y[0]:.2g} at first, {curve.y[-1]:.2g} at last" for curve in curves)
    caption = (
        f"{theme.badge('measured')} RMS of the loss's gradient with respect to each block's output, training mode "
        f"(batch statistics), {over}, float32; the level jumps where a stage ends, since shapes change: compare within "
        "a stage"
    )
    return Figure(data, layout, caption, f"Activation gradients by block. {readings}")


def later_darker(colour: str, nth: int, of: int) -> str:
    """The colour of the nth of so many moments of one run."""
    return theme.shade(colour, 0.5 * (1 - (nth + 1) / of))


def block_mark(selected: str | None) -> tuple[Json, ...]:
    """The selected block, or the block of the selected layer, as a band in `block_lines`."""
    kind, _, rest = (selected or "").replace("block:", "blocks.").partition(".")
    if kind == "stem":
        at = 0
    elif kind == "blocks":
        at = int(rest.partition(".")[0]) + 1
    else:
        return ()
    return ({**theme.vertical(at - 0.5, name="band"), "type": "rect", "x1": at + 0.5, "line": {"width": 0}},)


# ---- weights -------------------------------------------------------------------------------------------------------

Measure = Literal["weight", "parameter", "update"]

_MEASURES: dict[Measure, tuple[str, str]] = {
    "weight": ("gradient norm", "L2 norm of each layer's weight gradient"),
    "parameter": ("gradient RMS", "each layer's weight gradient per parameter: L2 norm ÷ √parameters"),
    "update": ("update ÷ weight", "learning rate × gradient norm ÷ norm of the weight itself, to first order"),
}


@dataclass(frozen=True)
class Measured:
    """A run's gradients at one kept moment; `rate` is the learning rate there."""

    style: Style
    step: int
    gradients: Gradients
    rate: float

    def values(self, of: Measure) -> NDArray[Any]:
        """One number a layer."""
        if of == "parameter":
            return self.gradients.weight_rms
        return self.gradients.weight_norm * (
            self.rate / np.maximum(self.gradients.weight_size, np.finfo(float).tiny) if of == "update" else 1.0
        )


def weight_lines(moments: Sequence[Measured], of: Measure = "weight", *, height: int = 340) -> Figure:
    """What each layer's weights receive, input to output; later darker. Projections are left out: they are no step."""
    curves = []
    for moment in moments:
        same = [other.step for other in moments if other.style == moment.style]
        on_path = np.flatnonzero(~np.array(moment.gradients.on_shortcut))
        names = tuple(moment.gradients.layers[i] for i in on_path)
        colour = later_darker(moment.style.colour, same.index(moment.step), len(same))
        name = f"{moment.style.name}, step {moment.step:,}"
        curves.append(Curve(name, on_path, moment.values(of)[on_path], colour, moment.style.dash, names=names))
    heading, words = _MEASURES[of]
    data, layout = chart(curves, "layer, input to output", heading, log=True, height=height, named_at="start")
    images = max((moment.gradients.images for moment in moments), default=0)
    readings = "; ".join(f"{curve.name}: {curve.y[0]:.2g} first, {curve.y[-1]:.2g} last" for curve in curves)
    caption = f"{theme.badge('measured')} {words}, training mode, {images} training images, float32"
    return Figure(data, layout, caption, f"{words}. {readings}")


def histograms(distributions: Sequence[tuple[Style, Distribution]], step: int, *, height: int = 300) -> Figure:
    """The numbers of one layer's weight gradient, each run over its own standard deviation."""
    curves = []
    for style, distribution in distributions:
        middles = (distribution.edges[1:] + distribution.edges[:-1]) / 2 / (distribution.std or 1.0)
        share = 100 * distribution.counts / max(int(distribution.counts.sum()), 1)
        curves.append(Curve(style.name, middles, share, style.colour, style.dash))
    layer = distributions[0][1].layer if distributions else ""
    data, layout = chart(curves, "gradient of one weight ÷ standard deviation", "% of the weights", height=height)
    readings = "; ".join(
        f"{style.name}: standard deviation {distribution.std:.2g}, "
        f"excess kurtosis {distribution.kurtosis:.1f} (normal: 0), {100 * distribution.zeros:.0f} % exactly zero"
        for style, distribution in distributions
    )
    caption = (
        f"{theme.badge('measured')} weight gradient of `{layer}` at step {step:,}, training mode, float32. {readings}"
    )
    return Figure(data, layout, caption, f"Distribution of the gradient of {layer}. {readings}")


# ---- the truth test ------------------------------------------------------------------------------------------------


def grid_ratios(grid: Grid, nth: int) -> list[Effect]:
    """The logarithm of first ÷ last in each stage of the nth net, and over all of them; over its seeds."""
    rms, where = grid.rms[nth], grid.stages[nth]
    return [of_values(log_ratios(rms, where, stage)) for stage in (*stage_numbers(where), WHOLE)]


def in_all(ratios: Sequence[Effect]) -> str:
    """One word for a net: vanish or explode where a stage does, both where one does each, neither where none can."""
    words = {verdict(ratio) for ratio in ratios}
    if {"vanish", "explode"} <= words:
        return "both"
    if found := words & {"vanish", "explode"}:
        return min(found)
    edge = math.log(LIMIT)
    return "neither" if all(-edge < ratio.low and ratio.high < edge for ratio in ratios) else "not shown"


def verdict_map(grid: Grid) -> Figure:
    """The truth test: a cell a net, with its word and what the gradient does in each stage; rows by setting."""
    nets = [NetSpec.parse(net) for net in grid.nets]
    depths = sorted({net.depth for net in nets})
    rows = list(dict.fromkeys(_setting(net) for net in nets))
    z: NDArray[Any] = np.full((len(rows), len(depths)), np.nan)
    text = [["" for _ in depths] for _ in rows]
    hover = [["" for _ in depths] for _ in rows]
    words = []
    for nth, net in enumerate(nets):
        row, column, ratios = rows.index(_setting(net)), depths.index(net.depth), grid_ratios(grid, nth)
        # What does most gives number and colour, one stage or all: a mean would cancel.
        most = max((ratio.value for ratio in ratios), key=abs)
        z[row, column] = np.clip(most, -REACH, REACH)
        words.append(in_all(ratios))
        text[row][column] = f"{words[-1]}<br>{times(exponential(most))}"
        each = [between(*(exponential(part) for part in (one.value, one.low, one.high))) for one in ratios]
        spread = (
            "".join(f"<br>stage {1 + stage}: {one}" for stage, one in enumerate(each[:-1])) + f"<br>all: {each[-1]}"
        )
        hover[row][column] = f"{net.name}, {_setting(net)}, {len(grid.seeds)} seeds{spread}"
    trace: Json = {
        "type": "heatmap",
        "name": "first block ÷ last",
        "x": [f"{depth} layers" for depth in depths],
        "y": rows,
        "z": [rounded(row, 3) for row in z],
        "zmin": -REACH,
        "zmax": REACH,
        "colorscale": theme.DIVERGING,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": text,
        "texttemplate": "%{text}",
        "customdata": hover,
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    layout = theme.layout(
        ROW * len(rows) + 70,
        left=130,
        xaxis=theme.axis(side="top", showgrid=False, ticks="", fixedrange=True),
        yaxis=theme.axis(autorange="reversed", showgrid=False, ticks="", fixedrange=True),
        dragmode=False,
    )
    layout["margin"] |= {"t": 40, "b": 10}
    readings = "; ".join(f"{net.name}, {_setting(net)}: {word}" for net, word in zip(nets, words, strict=True))
    return Figure([trace], layout, _about(grid), f"Verdict for each net. {readings}")


def _about(grid: Grid) -> str:
    return (
        f"{theme.badge('measured')} the activation gradient's RMS at each stage's first block ÷ at its last, at "
        f"initialisation: geometric mean over {len(grid.seeds)} seeds, {grid.images} images, training mode, float32. "
        f"*Vanish*, *explode*: in some stage or over all, by more than a factor {LIMIT:g}, a limit of ours, "
        f"and the interval ({100 * CONFIDENCE:.0f} %, over the seeds) lies beyond it. "
        "Number and colour: of what does most, a stage or all of them"
    )


def _setting(net: NetSpec) -> str:
    """`plain · BN · ReLU`."""
    activation = {"relu": "ReLU", "elu": "ELU", "selu": "SELU"}[net.activation]
    return f"{net.family} · {'BN' if net.norm == 'batch' else 'no BN'} · {activation}"
