"""Paths by their length: how many there are, and what they carry of the gradient.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, figure 6; stochastic depth:
Huang et al. 2016, *Deep Networks with Stochastic Depth*, section 3.
"""

from fractions import Fraction

import numpy as np

from app.figures import theme
from app.figures.counts import band, bars, beside, line, whole_axis
from app.figures.numbers import branch, decades, raised, rounded, significant
from app.figures.theme import Figure, Json
from app.studies.paths.questions import PathGradients, SampledPaths
from app.values.arrays import Floats, Ints
from models.families import PLAIN
from models.paper.lengths import active_blocks, expected_depth, path_counts, share, successes, trained_lengths
from models.spec import NetSpec

PASSED = "residual branches on the path"
# Veit 2016, section 4.3: lengths of the effective paths through 54 blocks; their part of all paths is exact.
VEIT_BLOCKS, VEIT_EFFECTIVE = 54, (5, 17)


# ---- lengths -------------------------------------------------------------------------------------------------------


def shares(net: NetSpec, blocks: int, exact: PathGradients | None = None, *, height: int = 300) -> Figure:
    """How many of all paths have each length, as grey bars; beside them what they carry of the gradient."""
    counts = path_counts(net, blocks)
    total = sum(counts.values())
    parts = np.array([float(Fraction(100 * n, total)) for n in counts.values()])
    lengths = np.array(list(counts))
    data = [
        bars(
            "paths",
            lengths,
            parts,
            [f"{n:,}" for n in counts.values()],
            "length %{x}<br>%{customdata} paths, %{y:.3g} %",
        )
    ]
    caption = f"{total:,} path{'s' if total > 1 else ''}" if blocks <= 60 else f"2{raised(blocks)} paths"
    caption = f"{theme.badge('measured')} counted: {caption}"
    alt = f"Share of the paths by length, most of them {int(lengths[parts.argmax()])} branches long."
    top = float(parts.max())
    labels = [beside("share of paths", lengths, parts, theme.NEUTRAL, "left")]
    if exact is not None and exact.norms.sum() > 0:
        carried = 100 * exact.norms / exact.norms.sum()
        colour = theme.family_colour(net)
        data.append(
            line(
                "gradient", exact.lengths, rounded(carried, 3), colour, "length %{x}<br>gradient %{y:.2f} %", width=2.6
            )
        )
        labels.append(beside("gradient", exact.lengths, carried, colour, "right"))
        caption += f". Gradient: norm of the exact sum over the paths of each length, parts of all; {_where(exact)}"
        alt += f" Their gradient is largest at length {int(exact.lengths[carried.argmax()])}."
        top = max(top, float(carried.max()))
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            xaxis=whole_axis(lengths, PASSED),
            yaxis=theme.axis(range=[0, 1.15 * top]),
            annotations=[theme.heading("%"), *labels],
        ),
        caption=caption,
        alt=alt,
    )


def norms(net: NetSpec, exact: PathGradients, sampled: SampledPaths | None = None, *, height: int = 340) -> Figure:
    """Norm of the exact sum by length; with `sampled`, single paths and the sum of their norms beside it."""
    colour = theme.family_colour(net)
    lines = [("norm of the sum", exact.lengths, exact.norms, colour)]
    data: list[Json] = []
    if sampled is not None:
        quiet = theme.shade(colour, 0.35)
        data += band(sampled.lengths, sampled.low, sampled.high, colour)
        lines.append(("one path", sampled.lengths, sampled.means, quiet))
        with np.errstate(over="ignore"):
            lines.append(("sum of the norms", sampled.lengths, sampled.means * 10**sampled.log10_counts, theme.NEUTRAL))
    data += [
        line(name, x, significant(y), tint, f"length %{{x}}<br>{name} %{{y:.3g}}", width=3.2 if i == 0 else 1.6)
        for i, (name, x, y, tint) in enumerate(lines)
    ]
    bounds = [] if sampled is None else [sampled.low, sampled.high]
    low, high = decades([values for _, _, values, _ in lines] + bounds + [np.array([exact.gradient_norm])], trim=0)
    caption = f"{theme.badge('measured')} L2 norm, mean over {_where(exact)}. Dotted: the ordinary gradient, "
    caption += f"{exact.gradient_norm:.3g}; "
    if exact.lengths[-1] == exact.blocks:
        caption += f"the sum over lengths differs from it by {exact.relative_remainder:.1e} of it"
    else:
        caption += f"paths longer than {exact.lengths[-1]} carry {exact.remainder_norm:.3g} together"
    if sampled is not None:
        caption += f". One path: {sampled.draws:,} drawn of each length, band: 95% of the mean"
    top = int(exact.lengths[exact.norms.argmax()])
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            xaxis=whole_axis(exact.lengths, PASSED),
            yaxis=theme.axis(**_decade_axis(low, high)),
            annotations=[theme.heading("gradient norm"), *(_halfway(*curve) for curve in lines)],
        ),
        caption=caption,
        alt=f"Gradient norm by path length: largest at length {top}, {exact.norms.max():.3g}; "
        f"the ordinary gradient has {exact.gradient_norm:.3g}.",
        marks=(theme.horizontal(exact.gradient_norm, name="gradient"),) if exact.gradient_norm > 0 else (),
    )


def veit(net: NetSpec, sampled: SampledPaths, *, height: int = 300) -> Figure:
    """Veit 2016, figure 6: number of paths × mean norm of one → what they carry; the effective range marked."""
    colour = theme.family_colour(net)
    counts = 10 ** (sampled.log10_counts - sampled.log10_counts.max())
    logs = np.full(len(counts), -np.inf)
    np.log10(sampled.means, out=logs, where=sampled.means > 0)
    logs = logs + sampled.log10_counts
    carried = 10 ** (logs - logs.max()) if np.isfinite(logs.max()) else np.zeros(len(logs))
    carried = 100 * carried / max(carried.sum(), 1e-300)
    number = [f"{int(n):,}" for n in sampled.counts]
    panels: list[list[Json]] = [
        [bars("paths", sampled.lengths, 100 * counts / counts.sum(), number, "length %{x}<br>%{customdata} paths")],
        [
            *band(sampled.lengths, sampled.low, sampled.high, colour),
            line("one path", sampled.lengths, significant(sampled.means), colour, "length %{x}<br>norm %{y:.3g}"),
        ],
        [line("carried", sampled.lengths, rounded(carried, 4), colour, "length %{x}<br>%{y:.2f} %", width=2.6)],
    ]
    titles = ("number of paths, %", "× mean norm of one", "→ carried, %")
    low, high = decades([sampled.low, sampled.high], trim=0)
    data: list[Json] = []
    axes: Json = {}
    headings: list[Json] = []
    marks: list[Json] = []
    for i, (traces, title) in enumerate(zip(panels, titles, strict=True)):
        n, left = "" if i == 0 else str(i + 1), i * 0.36
        data += [{**trace, "xaxis": f"x{n}", "yaxis": f"y{n}"} for trace in traces]
        axes[f"xaxis{n}"] = {
            **whole_axis(sampled.lengths, PASSED if i == 1 else ""),
            "domain": [left, left + 0.28],
            "anchor": f"y{n}",
        }
        scale: Json = _decade_axis(low, high) if i == 1 else {"rangemode": "tozero"}
        axes[f"yaxis{n}"] = theme.axis(anchor=f"x{n}", **scale)
        headings.append(theme.heading(title, x=left))
        if sampled.effective:
            first, last = sampled.effective
            edge = theme.vertical(first - 0.5, xref=f"x{n}", yref=f"y{n} domain", name="band")
            marks.append({**edge, "type": "rect", "x1": last + 0.5, "line": {"width": 0}})
    return Figure(
        data=data,
        layout=theme.layout(height, annotations=headings, **axes),
        caption=f"{theme.badge('measured')} {sampled.draws:,} paths of each length, {_where(sampled)}"
        + _effective(sampled)
        + _veit_s(net, sampled),
        alt="Number of paths, mean norm of one path, and their product, by path length" + _effective(sampled) + ".",
        marks=tuple(marks),
    )


def trained(net: NetSpec, *, height: int = 300) -> Figure:
    """Path lengths in the nets that stochastic depth trains, against all 2ⁿ paths of the whole net."""
    n = np.arange(net.blocks + 1)
    colour = theme.family_colour(net)
    curves = (
        ("all paths of the net", successes([0.5] * net.blocks), theme.NEUTRAL, 1.8, "left"),
        ("paths in training", trained_lengths(net), colour, 3.0, "right"),
        ("branches there", active_blocks(net), theme.shade(colour, -0.35), 1.8, "center"),
    )
    depth = expected_depth(net)
    return Figure(
        data=[
            line(name, n, rounded(100 * np.array(parts), 4), tint, f"%{{x}}: {name} %{{y:.2f}} %", width=width)
            for name, parts, tint, width, _ in curves
        ],
        layout=theme.layout(
            height,
            xaxis=whole_axis(n, "residual branches"),
            yaxis=theme.axis(rangemode="tozero"),
            annotations=[theme.heading("%")]
            + [beside(name, n, 100 * np.array(parts), tint, side) for name, parts, tint, _, side in curves],
        ),
        caption=f"{theme.badge('simulated')} exact distributions for survival falling to {net.survival:g}: a step "
        f"trains {depth:.4g} of {net.blocks} branches on average (Huang et al. 2016, section 3); a path passes each "
        f"of them with probability ½. Mean length {depth / 2:.4g}, of all paths {net.blocks / 2:g}",
        alt=f"Distribution of path lengths. In training a path passes {depth / 2:.4g} branches on average, "
        f"of all paths of the net {net.blocks / 2:g}.",
    )


# ---- parts and words ---------------------------------------------------------------------------------------------


def _decade_axis(low: float, high: float) -> Json:
    """A log axis from 10^low to 10^high with at most some six ticks."""
    return {"type": "log", "range": [low, high], "tickformat": "~g", "dtick": max(1, round((high - low) / 6))}


def _halfway(text: str, x: Ints, y: Floats, colour: str) -> Json:
    """A label above the middle of a curve on a log axis: at both ends a length has a single path, and curves meet."""
    at = len(x) // 2
    drawn = 0 < y[at] < np.inf
    label = theme.end_label(text if drawn else "", float(x[at]), float(np.log10(y[at])) if drawn else 0.0, colour)
    return {**label, "xanchor": "center", "yanchor": "bottom", "xshift": 0, "yshift": 6}


def _where(result: PathGradients | SampledPaths) -> str:
    place = {"image": "at the image", "stem": "behind the stem"}.get(result.at)
    place = place or f"at the input of {branch(int(result.at.removeprefix('block:')))}"
    return f"{result.images:,} test images, {place}, evaluation mode"


def _effective(sampled: SampledPaths) -> str:
    if not sampled.effective:
        return ""
    first, last = sampled.effective
    return f". 95 % in lengths {first}–{last}, which are {100 * sampled.effective_share:.3g} % of all paths"


def _veit_s(net: NetSpec, sampled: SampledPaths) -> str:
    """The paper's own range, beside a net of as many blocks."""
    if sampled.blocks != VEIT_BLOCKS or net.family in PLAIN:
        return ""
    first, last = VEIT_EFFECTIVE
    part = 100 * share(path_counts(net, VEIT_BLOCKS), first, last)
    return f". {theme.badge('paper')} lengths {first}–{last}, {part:.2f} % (Veit et al. 2016, section 4.3)"
