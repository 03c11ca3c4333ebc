"""What sub-networks are worth: Veit et al. 2016, *Residual Networks Behave Like Ensembles…*, section 4.2."""

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.counts import band, line, whole_axis
from app.figures.numbers import branch, raised, rounded
from app.figures.theme import Figure
from app.studies.subnetworks.questions import SubNetworks
from models.spec import NetSpec


def sub_networks(net: NetSpec, result: SubNetworks, *, height: int = 360) -> Figure:
    """Error of each sub-network by the number of blocks kept: all as points, best and worst of each size named."""
    colour = theme.family_colour(net)
    kept = result.kept.sum(1)
    names = [named(row) for row in result.kept]
    every = line("sub-networks", kept, rounded(result.errors, 3), theme.shade(colour, 0.35), "", mode="markers")
    every |= {"customdata": names, "hovertemplate": "keeps %{customdata}<br>error %{y:.2f} %<extra></extra>"}
    every["marker"] = {"size": 5, "color": theme.shade(colour, 0.35), "opacity": 0.55}
    data = [every, *band(result.sizes, result.low, result.high, colour)]
    labels = [("mean", result.means)]
    data.append(
        line(
            "mean", result.sizes, rounded(result.means, 3), theme.NEUTRAL, "mean of %{x} blocks: %{y:.2f} %", width=1.6
        )
    )
    for name, chosen in (("worst", result.worst), ("best", result.best)):
        errors = result.errors[chosen]
        curve = line(name, result.sizes, rounded(errors, 3), colour, "", width=2.4)
        curve |= {
            "customdata": [names[i] for i in chosen],
            "hovertemplate": f"{name}: keeps %{{customdata}}<br>error %{{y:.2f}} %<extra></extra>",
        }
        data.append(curve)
        labels.append((name, errors))
    kind = "all" if result.exhaustive else "a sample of the"
    at = len(result.sizes) // 2  # halfway, where best and worst are farthest apart
    tints = {"mean": theme.NEUTRAL}
    best = result.best[at]
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            xaxis=whole_axis(result.sizes, "blocks kept"),
            yaxis=theme.axis(range=[0, min(100.0, 1.1 * float(result.errors.max()) + 1)]),
            annotations=[theme.heading("error %")]
            + [
                {
                    **theme.end_label(name, float(result.sizes[at]), float(values[at]), tints.get(name, colour)),
                    "yshift": 9,
                }
                for name, values in labels
            ],
        ),
        caption=f"{theme.badge('measured')} {kind} 2{raised(int(result.sizes[-1] - result.sizes[0]))} sub-networks, "
        f"{result.images:,} test images, evaluation mode; best and worst were chosen on as many others"
        + ("" if result.exhaustive else f"; {len(result.errors):,} of them, band: 95% of the mean"),
        alt=f"Error by number of blocks kept, {len(result.errors):,} sub-networks. "
        f"With {int(result.sizes[at])} kept the best is {names[best]}: {result.errors[best]:.1f} %.",
    )


def named(kept: NDArray[np.bool_]) -> str:
    """The blocks that a sub-network keeps, in the notation of equations: F₁, F₃–F₅."""
    runs: list[list[int]] = []
    for i in np.flatnonzero(kept).tolist():
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    return ", ".join(branch(run[0]) + (f"–{branch(run[-1])}" if len(run) > 1 else "") for run in runs) or "none"
