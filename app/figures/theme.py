"""How every figure looks: colour means family, labels stand at the lines, nothing is decided twice.

Figures are plain dictionaries in Plotly's JSON: no Plotly object is built in the server, and one figure serves every
session. Colours of text, axes and grid are left out: the browser takes them from the theme in force, light or dark.

Colours: Okabe and Ito 2008, *Color Universal Design*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.values.run_spec import RunSpec, net_address, setting_words
from models.spec import NetSpec

FAMILY_COLOURS: dict[str, str] = {
    "plain": "#D55E00",
    "resnet": "#0072B2",
    "preact": "#009E73",
    "highway": "#CC79A7",
    "stochastic": "#56B4E9",
    "dense": "#E69F00",
}
NEUTRAL = "#8A93A5"

# Viridis, but with its darkest tenth left out, which would vanish in a dark page.
SEQUENTIAL = [
    [0.0, "#46186A"],
    [0.125, "#472D7B"],
    [0.25, "#3B528B"],
    [0.375, "#2C728E"],
    [0.5, "#21918C"],
    [0.625, "#28AE80"],
    [0.75, "#5EC962"],
    [0.875, "#ADDC30"],
    [1.0, "#FDE725"],
]

# Brewer's PRGn: below the middle purple, above it green; neither is a family's colour.
DIVERGING = [
    [0.0, "#762A83"],
    [0.25, "#AF8DC3"],
    [0.5, "#F0F0F0"],
    [0.75, "#7FBF7B"],
    [1.0, "#1B7837"],
]

Source = Literal["measured", "simulated", "paper"]
_BADGES: dict[Source, str] = {"measured": "green", "simulated": "blue", "paper": "violet"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure: Plotly's `data` and `layout`, the caption below it (Markdown) and the text read out instead of it.

    `marks` are shapes that move without the data: the slider's step, the chosen layer. They travel apart from the
    rest, so that one payload serves sessions that look at different steps.
    """

    data: list[Json]
    layout: Json
    caption: str
    alt: str
    marks: tuple[Json, ...] = ()


@dataclass(frozen=True)
class Style:
    """How one run is drawn. `dash` and `shade` tell runs of one family apart; `name` is short and unique."""

    name: str
    colour: str
    dash: str = "solid"


def badge(source: Source) -> str:
    """The word that every caption begins with, as Streamlit's Markdown."""
    return f":{_BADGES[source]}-badge[{source}]"


def family_colour(net: NetSpec) -> str:
    """The one colour of the net's family."""
    return FAMILY_COLOURS.get(net.family, NEUTRAL)


def styles(specs: Sequence[RunSpec]) -> list[Style]:
    """One style a run. The first of a family is solid and in the family's colour, the others dashed and shaded."""
    dashes = ("solid", "dash", "dot", "dashdot")
    seen: dict[str, int] = {}
    drawn = []
    for spec, name in zip(specs, short_names(specs), strict=True):
        nth = seen.get(spec.net.family, 0)
        seen[spec.net.family] = nth + 1
        drawn.append(Style(name, shade(family_colour(spec.net), -0.18 * nth), dashes[nth % len(dashes)]))
    return drawn


def short_names(specs: Sequence[RunSpec]) -> list[str]:
    """The shortest names that tell the runs apart: the net's, then its settings, then data, recipe and seed."""
    settings = [net_address(spec.net).split(":")[1:] for spec in specs]
    shared = set.intersection(*map(set, settings)) if settings else set()

    def own(spec: RunSpec) -> str:
        apart = [setting for setting in net_address(spec.net).split(":")[1:] if setting not in shared]
        return " · ".join([spec.net.name, *map(setting_words, apart)])

    ways = (
        lambda spec: spec.net.name,
        own,
        lambda spec: f"{own(spec)} · {spec.recipe.name}",
        lambda spec: f"{own(spec)} · {spec.data}",
        lambda spec: f"{own(spec)} · seed {spec.seed}",
        lambda spec: f"{own(spec)} · {spec.data} · {spec.recipe.name} · seed {spec.seed}",
    )
    for way in ways:
        names = [way(spec) for spec in specs]
        if len(set(names)) == len(names):
            return names
    return [f"{name} ({i + 1})" for i, name in enumerate(names)]


def shade(colour: str, amount: float) -> str:
    """`colour` (#RRGGBB) moved towards white (amount > 0) or black (amount < 0) by |amount| ≤ 1 of the way."""
    target, part = (255, amount) if amount > 0 else (0, -amount)
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(value + (target - value) * min(part, 1)):02X}" for value in parts)


def layout(height: int, *, top: int = 26, right: int = 16, left: int = 46, **more: Any) -> Json:
    """The layout that all figures share, at a height in pixels. `more` is merged one level deep."""
    base: Json = {
        "height": height,
        "margin": {"l": left, "r": right, "t": top, "b": 40},
        "showlegend": False,
        "hovermode": "closest",
        "dragmode": "zoom",
        "font": {"size": 14},
        "hoverlabel": {"align": "left"},
    }
    for key, value in more.items():
        both = isinstance(base.get(key), Mapping) and isinstance(value, Mapping)
        base[key] = {**base[key], **value} if both else value
    return base


def axis(title: str = "", **more: Any) -> Json:
    """An axis with outside ticks and a quiet grid; the browser colours it."""
    return {
        "title": {"text": title, "standoff": 8},
        "ticks": "outside",
        "ticklen": 4,
        "zeroline": False,
        "showline": False,
        "automargin": True,
        **more,
    }


def heading(text: str, *, x: float = 0, y: float = 1, colour: str | None = None, shift: int = 8) -> Json:
    """A label that stands, upright, above the top left corner of the plot at (x, y) in paper coordinates.

    A y axis is named so, because a title turned by 90° cannot be read from the last row.
    """
    font: Json = {"size": 15, "color": colour, "weight": 600} if colour else {"size": 14}
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": "left",
        "yanchor": "bottom",
        "yshift": shift,
        "xshift": -4,
        "showarrow": False,
        "font": font,
    }


def end_label(text: str, x: float, y: float, colour: str, xref: str = "x", **more: Any) -> Json:
    """A label to the right of a line's end."""
    return {
        "text": text,
        "x": x,
        "y": y,
        "xref": xref,
        "xanchor": "left",
        "yanchor": "middle",
        "xshift": 7,
        "showarrow": False,
        "align": "left",
        "font": {"color": colour, "size": 15, "weight": 600},
        **more,
    }


def spread(wanted: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near to `wanted` as may be, at least `gap` apart, within low…high where they fit.

    Neighbours that are too near form a group around their mean (pool adjacent violators), so that no label wanders
    farther than it must.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, (high - low) / max(len(wanted) - 1, 1))
    groups: list[tuple[float, int]] = []  # (start of the group, how many)
    for i in order:
        groups.append((min(max(wanted[i], low), high), 1))
        while len(groups) > 1 and groups[-2][0] + gap * groups[-2][1] > groups[-1][0]:
            (start, n), (later, m) = groups[-2:]
            centre = ((start + gap * (n - 1) / 2) * n + (later + gap * (m - 1) / 2) * m) / (n + m)
            start = min(max(centre - gap * (n + m - 1) / 2, low), high - gap * (n + m - 1))
            groups[-2:] = [(start, n + m)]
    places = [start + gap * k for start, n in groups for k in range(n)]
    result = [0.0] * len(wanted)
    for i, place in zip(order, places, strict=True):
        result[i] = place
    return result


def vertical(x: float, *, xref: str = "x", yref: str = "paper", name: str = "step") -> Json:
    """A quiet vertical line at x over the whole height; the browser colours it."""
    return {
        "type": "line",
        "name": name,
        "xref": xref,
        "yref": yref,
        "x0": x,
        "x1": x,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1, "dash": "dot"},
    }


def horizontal(y: float, *, yref: str = "y", xref: str = "paper", name: str = "layer") -> Json:
    """A quiet horizontal line at y over the whole width; the browser colours it."""
    line = vertical(0, name=name)
    return {**line, "xref": xref, "yref": yref, "x0": 0, "x1": 1, "y0": y, "y1": y}
