"""Nets on paper as figures and tables: what each layer is and costs, and the papers' own numbers beside ours.

Multiply-adds and what they count: He et al. 2015, table 1 and figure 3.
"""

from collections.abc import Sequence
from typing import Any

from app.figures import theme
from app.figures.theme import Figure, Json
from models.costs import PRINTED, Printed, added, printed
from models.plan import Layer, plan
from models.receptive import receptive_fields
from models.spec import NetSpec

BAR = 46  # pixels of height for each bar and the space to the next
Row = dict[str, Any]


def costs(nets: Sequence[NetSpec]) -> Figure:
    """Multiply-adds for one image and parameters of each net as bars, the paper's own number and the difference beside.

    In billions and millions, or in millions where no net needs a tenth of a billion.
    """
    laid = [plan(net) for net in nets]
    billions = max([one.macs for one in laid] + [0]) >= 1e8
    colours = _colours(nets)
    data: list[Json] = []
    notes: list[Json] = []
    layout = theme.layout(94 + 2 * BAR * max(len(nets), 1), top=32, left=12, right=8, bargap=0.45)
    # The second panel has its own axes, under the first.
    panels = (
        ("multiply-adds", 1e9 if billions else 1e6, [one.macs for one in laid], "", (0.58, 1.0)),
        ("parameters", 1e6, [one.params for one in laid], "2", (0.0, 0.42)),
    )
    for what, unit, counts, axis, domain in panels:
        values = [count / unit for count in counts]
        data.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": what,
                "x": [round(value, 4) for value in values],
                "y": [net.name for net in nets],
                "xaxis": f"x{axis}",
                "yaxis": f"y{axis}",
                "marker": {"color": colours},
                "text": [_label(net, what, value, unit) for net, value in zip(nets, values, strict=True)],
                "textposition": "outside",
                "cliponaxis": False,
                "textfont": {"size": 15},
                "customdata": [f"{count:,}" for count in counts],
                "hovertemplate": f"%{{y}}<br>%{{customdata}} {what}<extra></extra>",
            }
        )
        scale = theme.axis(range=[0, 1.85 * max([*values, 1e-9])], showgrid=False, showticklabels=False, ticks="")
        layout[f"xaxis{axis}"] = {**scale, "anchor": f"y{axis}", "fixedrange": True}
        rows = theme.axis(autorange="reversed", showgrid=False, ticks="", domain=list(domain), anchor=f"x{axis}")
        layout[f"yaxis{axis}"] = {**rows, "fixedrange": True}
        word = "billions" if unit == 1e9 else "millions"
        notes.append(theme.heading(f"{what}, {word}", y=domain[1]))
    layout |= {"annotations": notes, "dragmode": False}
    said = "; ".join(
        f"{net.name}: {one.macs / 1e9:.3g} billion multiply-adds, {one.params / 1e6:.3g} million parameters"
        for net, one in zip(nets, laid, strict=True)
    )
    return Figure(data, layout, f"{theme.badge('measured')} {_counting(nets)}", f"Costs of the nets. {said}")


def _label(net: NetSpec, what: str, value: float, unit: float) -> str:
    """Our count, and where a paper prints one, the paper's and the difference."""
    row = printed(net, what)
    own = f"{value:.{2 if value < 100 else 1}f}"
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
        "block": layer.block,
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
            "difference": f"{row.difference:+.3f}".replace("-", "−"),
            "source": row.source,
        }
        for row in rows
    ]
