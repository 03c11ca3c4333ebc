"""Nets on paper as figures and tables: what each layer is and costs, and the papers' own numbers beside ours.

Multiply-adds and what they count: He et al. 2015, table 1 and figure 3.
"""

from collections.abc import Sequence
from typing import Any

from app.figures import theme
from app.figures.theme import Figure, Json
from app.values.run_spec import net_title
from models.paper.costs import PRINTED, RELATIVES, Printed, added, printed
from models.paper.receptive import receptive_fields
from models.plan import Layer, plan
from models.spec import NetSpec

HEAD, BAR = 34, 48  # pixels of height: a panel's heading, a bar with its name
Row = dict[str, Any]


def costs(nets: Sequence[NetSpec]) -> Figure:
    """Multiply-adds for one image and parameters of each net as bars, the paper's own number and the difference beside.

    In billions and millions; multiply-adds in millions where no net needs a tenth of a billion.
    """
    laid = [plan(net) for net in nets]
    unit = 1e9 if max([laid_out.macs for laid_out in laid] + [0]) >= 1e8 else 1e6
    height = 24 + 2 * (HEAD + BAR * max(len(nets), 1))
    layout = theme.layout(height, top=4, left=4, right=4, bargap=0.62, dragmode=False)
    layout["margin"]["b"] = 4
    panels = (
        (
            "multiply-adds",
            "billions" if unit == 1e9 else "millions",
            unit,
            [laid_out.macs for laid_out in laid],
            "",
            (0.52, 1.0),
        ),
        ("parameters", "millions", 1e6, [laid_out.params for laid_out in laid], "2", (0.0, 0.48)),
    )
    data: list[Json] = []
    for what, word, of, counts, axis, domain in panels:
        values = [count / of for count in counts]
        data += [_bars(nets, what, values, counts, axis, of), _names(nets, f"{what}, {word}", axis)]
        quiet: Json = {"showgrid": False, "showticklabels": False, "ticks": "", "fixedrange": True, "automargin": False}
        layout[f"xaxis{axis}"] = theme.axis(range=[0, 1.9 * max([*values, 1e-9])], anchor=f"y{axis}", **quiet)
        layout[f"yaxis{axis}"] = theme.axis(
            range=[len(nets) - 0.55, -1.25], domain=list(domain), anchor=f"x{axis}", **quiet
        )
    said = "; ".join(
        f"{net.name}: {laid_out.macs / 1e9:.3g} billion multiply-adds, {laid_out.params / 1e6:.3g} million parameters"
        for net, laid_out in zip(nets, laid, strict=True)
    )
    return Figure(data, layout, f"{theme.badge('measured')} {_counting(nets)}", f"Costs of the nets. {said}")


def _bars(nets: Sequence[NetSpec], what: str, values: list[float], counts: list[int], axis: str, unit: float) -> Json:
    return {
        "type": "bar",
        "orientation": "h",
        "name": what,
        "x": [round(value, 4) for value in values],
        "y": list(range(len(nets))),
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "marker": {"color": _colours(nets)},
        "text": [_label(net, what, value, unit) for net, value in zip(nets, values, strict=True)],
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 15},
        "customdata": [f"{net.name}<br>{count:,} {what}" for net, count in zip(nets, counts, strict=True)],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _names(nets: Sequence[NetSpec], heading: str, axis: str) -> Json:
    """Each net's name above its bar, and what is drawn above them all: letters of one size at every width."""
    return {
        "type": "scatter",
        "mode": "text",
        "name": heading,
        "x": [0] * (len(nets) + 1),
        "y": [-0.95, *(i - 0.43 for i in range(len(nets)))],
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "text": [f"<b>{heading}</b>", *(net_title(net) for net in nets)],
        "textposition": "middle right",
        "textfont": {"size": 14},
        "cliponaxis": False,
        "hoverinfo": "skip",
    }


def _label(net: NetSpec, what: str, value: float, unit: float) -> str:
    """Our count, and where a paper prints one, the paper's and the difference."""
    row = printed(net, what)
    own = f"{value:.{3 if value < 1 else 2 if value < 100 else 1}f}"
    if row is None or row.unit != unit:
        return f" {own}"
    return f" {own} · paper {row.value:.{row.digits}f} ({row.difference:+.2f})".replace("-", "−")


def _counting(nets: Sequence[NetSpec]) -> str:
    sizes = sorted({net.image_size for net in nets})
    images = " and ".join(f"{size}×{size}" for size in sizes)
    return f"counted layer by layer for one image of {images}; multiply-adds of convolutions and fully connected layers"


def _colours(nets: Sequence[NetSpec]) -> list[str]:
    """The family's colour, darker for a second net of the same family."""
    seen: dict[str, int] = {}
    colours = []
    for net in nets:
        nth = seen.get(net.family, 0)
        seen[net.family] = nth + 1
        colours.append(theme.shade(theme.family_colour(net), -0.18 * nth))
    return colours


def layer_table(net: NetSpec) -> list[Row]:
    """One row a weighted layer in forward order. Shapes are side × side × channels, the field is in image pixels."""
    laid = plan(net)
    fields = receptive_fields(net)
    return [_layer_row(layer, field) for layer, field in zip(laid.layers, fields, strict=True)]


def _layer_row(layer: Layer, field: int) -> Row:
    return {
        "name": layer.name,
        "shape in": _shape(layer.inputs, layer.size_in),
        "shape out": _shape(layer.outputs, layer.size_out),
        "kernel": "fc" if layer.kind == "fc" else f"{layer.kernel}×{layer.kernel}",
        "stride": layer.stride,
        "parameters": layer.params,
        "multiply-adds": layer.macs,
        "sees (px)": field,
    }


def _shape(channels: int, size: int) -> str:
    return f"{size}×{size}×{channels}" if size != 1 else str(channels)


def shortcut_table(net: NetSpec) -> list[Row]:
    """What options A, B and C add: empty where there is nothing to choose."""
    rows = []
    for row in added(net):
        laid = plan(row.net)
        rows.append(
            {
                "option": row.option,
                "+ parameters": row.params,
                "in %": 100 * row.params / (laid.params - row.params),
                "+ multiply-adds": row.macs,
                "in % ": 100 * row.macs / (laid.macs - row.macs),
            }
        )
    return rows


def paper_table(rows: Sequence[Printed] = PRINTED) -> list[Row]:
    """Every number that a paper prints beside our own count, in the paper's unit."""
    return [
        {
            "net": row.net,
            "what": f"{row.what}, {'10⁹' if row.unit == 1e9 else '10⁶'}",
            "printed": f"{row.value:.{row.digits}f}",
            "counted": f"{row.counted:.3f}",
            "difference": _signed(row.difference),
            "source": row.source,
        }
        for row in rows
    ]


def story_table(nets: Sequence[NetSpec]) -> list[Row]:
    """`nets` among those of the story that are not built here, the cheapest first; in billions and millions."""
    laid = [(net, plan(net)) for net in nets]
    rows = [(net_title(net), net.image_size, laid_out.macs, laid_out.params) for net, laid_out in laid]
    rows += [(relative.title, relative.size, relative.macs, relative.params) for relative in RELATIVES]
    return [
        {"net": title, "px": size, "multiply-adds": macs / 1e9, "parameters": params / 1e6}
        for title, size, macs, params in sorted(rows, key=lambda row: row[2])
    ]


def _signed(value: float) -> str:
    """Three decimals with a sign; none where they are all zero."""
    return f"{value:+.3f}".replace("-", "−") if abs(value) >= 0.0005 else "0.000"
