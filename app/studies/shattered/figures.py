"""The gradient as a signal or noise: Balduzzi et al. 2017, *The Shattered Gradients Problem*, figures 1 and 2."""

import numpy as np

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.numbers import rounded
from app.figures.theme import Figure, Json
from app.studies.shattered.questions import Neighbours, Shattered
from models.spec import NetSpec

SHADES = (0.35, 0.0, -0.3, -0.5)
EACH = 88  # pixels of height of one gradient


def autocorrelation(shattered: Shattered) -> Figure:
    """Autocorrelation of the gradient along the input, mean over the nets, with the middle nine tenths as a band."""
    styles = _styles(shattered.names)
    curves = [
        Curve(name, shattered.lags, mean, colour, dash, band=(low, high))
        for name, mean, low, high, (colour, dash) in zip(
            shattered.names, shattered.autocorrelation, shattered.low, shattered.high, styles, strict=True
        )
    ]
    data, layout = chart(curves, "lag, grid points", "autocorrelation", span=(-0.5, 1.05), height=360)
    nets = f"mean over {shattered.nets} nets, band: 5th to 95th percentile"
    return Figure(
        data,
        layout,
        f"{theme.badge('measured')} autocorrelation of df/dx at initialisation, {nets}. "
        f"{theme.badge('simulated')} brown and white noise on the same grid",
        "Autocorrelation at lag 1. "
        + "; ".join(
            f"{name}: {mean[1]:.2f}" for name, mean in zip(shattered.names, shattered.autocorrelation, strict=True)
        ),
    )


def gradient_rows(shattered: Shattered) -> Figure:
    """The gradient of one net of each kind along its input, one under the other, each on a scale of its own."""
    count = len(shattered.names)
    height = EACH * count + 66
    data: list[Json] = []
    layout = theme.layout(height, xaxis=theme.axis("x", anchor=f"y{count}" if count > 1 else "y", showgrid=False))
    notes: list[Json] = []
    for i, (name, row, (colour, _)) in enumerate(
        zip(shattered.names, shattered.gradients, _styles(shattered.names), strict=True)
    ):
        n = "" if i == 0 else str(i + 1)
        reach = float(np.nanmax(np.abs(row))) or 1.0
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": name,
                "x": shattered.inputs.round(4).tolist(),
                "y": rounded(row / reach, 4),
                "yaxis": f"y{n}",
                "line": {"color": colour, "width": 1.3},
                "hovertemplate": f"{name}<br>x = %{{x:.2f}}<extra></extra>",
            }
        )
        top = 1 - i / count
        quiet = theme.axis(range=[-1.15, 1.15], showticklabels=False, ticks="", showgrid=False, fixedrange=True)
        layout[f"yaxis{n}"] = quiet | {"domain": [top - 0.78 / count, top - 0.2 / count], "anchor": "x"}
        notes.append(theme.heading(name, y=top - 0.2 / count, colour=colour, shift=0))
    layout["annotations"] = notes
    caption = (
        f"{theme.badge('measured')} df/dx of one net of each kind, each divided by its largest; "
        f"{theme.badge('simulated')} noise below"
    )
    return Figure(data, layout, caption, f"Gradients along the input: {', '.join(shattered.names)}.")


def neighbour_lines(neighbours: Neighbours) -> Figure:
    """How alike the input gradients of an image and its neighbours are, against the distance between the two."""
    nets = [NetSpec.parse(net) for net in neighbours.nets]
    seen: dict[str, int] = {}
    curves = []
    for i, net in enumerate(nets):
        nth = seen[net.family] = seen.get(net.family, -1) + 1
        colour = theme.shade(theme.family_colour(net), SHADES[nth % len(SHADES)])
        band = (neighbours.low[i], neighbours.high[i])
        curves.append(Curve(net.name, neighbours.distances, neighbours.correlation[i], colour, band=band))
    data, layout = chart(curves, "part of the way to another image", "likeness", span=(-0.5, 1.05), height=360)
    caption = (
        f"{theme.badge('measured')} cosine of the input gradients at an image and at its neighbour, "
        f"{neighbours.images} images, evaluation mode, statistics over training images, float32; "
        "band: 5th to 95th percentile"
    )
    last = neighbours.correlation[:, min(2, len(neighbours.distances) - 1)]
    said = "; ".join(f"{net.name}: {value:.2f}" for net, value in zip(nets, last, strict=True))
    return Figure(data, layout, caption, f"Likeness of neighbouring gradients at the second distance. {said}")


def _styles(names: tuple[str, ...]) -> list[tuple[str, str]]:
    """(colour, dash): nets with shortcuts are residual, the others plain, noise is grey; deeper is darker."""
    seen: dict[str, int] = {}
    styles = []
    for name in names:
        kind = "noise" if "noise" in name else "resnet" if "shortcut" in name else "plain"
        nth = seen[kind] = seen.get(kind, -1) + 1
        if kind == "noise":
            styles.append((theme.NEUTRAL, ("dash", "dot")[nth % 2]))
        else:
            styles.append((theme.shade(theme.FAMILY_COLOURS[kind], SHADES[nth % len(SHADES)]), "solid"))
    return styles
