"""The gradient at every block as figures: lines over depth, and the truth test as a table of verdicts.

Who claims what: see `app.verdicts`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.numbers import rounded
from app.figures.theme import Figure, Json
from app.results import Course, Grid
from app.verdicts import factors_at, times, typical, verdict
from models.spec import NetSpec

STRONGEST = 1.5  # a factor per block that has the full colour
ROW = 30  # pixels


def block_lines(courses: Sequence[Course], steps: Sequence[int] | None = None, *, height: int = 340) -> Figure:
    """RMS of the activation gradient at each block, input to output, at the chosen steps (None: all); later darker."""
    curves: list[Curve] = []
    for course in courses:
        net = NetSpec.parse(course.net)
        shown = [i for i, step in enumerate(course.steps.tolist()) if steps is None or step in steps]
        names = ("stem", *(f"block {i}" for i in range(net.blocks)))
        for nth, i in enumerate(shown):
            colour = theme.shade(theme.family_colour(net), 0.5 * (1 - (nth + 1) / len(shown)))
            name = f"{net.name}, step {int(course.steps[i])}"
            curves.append(Curve(name, np.arange(len(course.stages)), course.rms[i], colour, names=names))
    data, layout = chart(curves, "block, input to output", "RMS of the gradient", log=True, height=height)
    said = [
        f"{course.net}: " + ", ".join(f"{moment} {times(f)} a block" for moment, f in factors_at(course).items())
        for course in courses
    ]
    caption = (
        f"{theme.badge('measured')} RMS of the loss's gradient with respect to each block's output, training mode "
        "(batch statistics); the level jumps where a stage ends, since shapes change: compare within a stage"
    )
    return Figure(data, layout, caption, "Activation gradients by block. " + "; ".join(said))


def verdict_map(grid: Grid) -> Figure:
    """The truth test: one cell a net with the verdict and the change per block towards the input; rows by setting."""
    nets = [NetSpec.parse(net) for net in grid.nets]
    depths = sorted({net.depth for net in nets})
    rows = list(dict.fromkeys(_setting(net) for net in nets))
    z: NDArray[Any] = np.full((len(rows), len(depths)), np.nan)
    text = [["" for _ in depths] for _ in rows]
    hover = [["" for _ in depths] for _ in rows]
    for net, factors in zip(nets, grid.factors, strict=True):
        row, column, factor = rows.index(_setting(net)), depths.index(net.depth), typical(factors)
        with np.errstate(divide="ignore"):
            z[row, column] = np.clip(np.log(factor), -np.log(STRONGEST), np.log(STRONGEST))
        text[row][column] = f"{verdict(factor)} {times(factor)}"
        spread = f"{times(float(np.nanmin(factors)))} to {times(float(np.nanmax(factors)))}"
        hover[row][column] = f"{net.name}, {_setting(net)}<br>{spread} over {len(grid.seeds)} seeds"
    reach = float(np.log(STRONGEST))
    trace: Json = {
        "type": "heatmap",
        "name": "change per block",
        "x": [f"{depth} layers" for depth in depths],
        "y": rows,
        "z": [rounded(row, 3) for row in z],
        "zmin": -reach,
        "zmax": reach,
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
        left=170,
        xaxis=theme.axis(side="top", showgrid=False, ticks="", fixedrange=True),
        yaxis=theme.axis(autorange="reversed", showgrid=False, ticks="", fixedrange=True),
        dragmode=False,
    )
    layout["margin"] |= {"t": 40, "b": 10}
    caption = (
        f"{theme.badge('measured')} change of the activation gradient's RMS per block towards the input, at "
        f"initialisation: geometric mean over {len(grid.seeds)} seeds, {grid.images} images, training mode. "
        "A change of more than a factor 1.1 is *vanish* or *explode*"
    )
    said = "; ".join(
        f"{net.name}, {_setting(net)}: {verdict(typical(f))}" for net, f in zip(nets, grid.factors, strict=True)
    )
    return Figure([trace], layout, caption, f"Verdict for each net. {said}")


def _setting(net: NetSpec) -> str:
    """`plain · BN · ReLU`."""
    activation = {"relu": "ReLU", "elu": "ELU", "selu": "SELU"}[net.activation]
    return f"{net.family} · {'BN' if net.norm == 'batch' else 'no BN'} · {activation}"
