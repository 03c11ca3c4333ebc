"""The truth table as one picture: four quantities by stage and moment, each above what is claimed of it.

Who claims what: see `app.studies.gradients.claims`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.base.prose import prose
from app.figures import theme
from app.figures.numbers import significant
from app.figures.theme import Figure, Json, Style
from app.studies.gradients.claims import Claim, Mark, Quantity, likeness_pairs, prediction
from app.studies.gradients.verdicts import (
    LIMIT,
    MOMENTS,
    WHOLE,
    Moment,
    Stage,
    Trained,
    between,
    exponential,
    named,
    times,
)
from app.values.evidence import CONFIDENCE, Effect

SIGNS: dict[Mark, str] = {
    "held": "✓",
    "did not hold": "✗",
    "cannot be decided": "?",
    "not claimed": "–",
    "not measured": "",
}
# Pixels: above all panels, of a panel's name, of its plot, of its stages' names, of a claim, and below.
TOP, NAME, PLOT, STAGES, CLAIM, BELOW = 48, 32, 80, 26, 36, 14
LEFT, RIGHT = 54, 16
NAMES_FROM = -30  # pixels left of the plots: where words begin, on a phone too
APART = 0.13  # by which two nets stand beside each other, of a stage's width


@dataclass(frozen=True)
class Panel:
    """One quantity: its passage, what is drawn of a stage, and which claims are about it."""

    name: str
    about: tuple[Quantity, ...]
    of: Callable[[Stage], tuple[Effect, int] | None] | None = None  # a logarithm, by how much it is divided; no plot

    def height(self, claims: int) -> int:
        """In pixels, with so many claims below it."""
        return NAME + (PLOT + STAGES if self.of else 0) + CLAIM * claims


PANELS = (
    Panel("per-block", ("per block",), lambda stage: (stage.ratio, stage.blocks) if stage.number != WHOLE else None),
    Panel("total", ("total", "range"), lambda stage: (stage.ratio, 1)),
    Panel("pull", (), lambda stage: (stage.pull, 1)),
    Panel("growth", (), lambda stage: (stage.growth, 1) if stage.growth else None),
)
WITH_CLAIMS = (Panel("likeness", ("likeness",)), Panel("cause", ("cause",)))  # no quantity of a stage


@dataclass(frozen=True)
class _Slots:
    """Where a stage of a moment stands on the axis that all panels share."""

    moments: tuple[Moment, ...]
    stages: tuple[int, ...]  # WHOLE is the last

    def at(self, moment: Moment, stage: int) -> int:
        """Of one stage."""
        return self.moments.index(moment) * (len(self.stages) + 1) + self.stages.index(stage)

    def middle(self, moment: Moment) -> float:
        """Of a moment."""
        return self.at(moment, self.stages[0]) + (len(self.stages) - 1) / 2

    @property
    def labels(self) -> tuple[list[int], list[str]]:
        """Ticks and what stands at them: stages count from 1 on pages."""
        ticks = [(self.at(moment, stage), stage) for moment in self.moments for stage in self.stages]
        return [place for place, _ in ticks], ["all" if stage == WHOLE else str(stage + 1) for _, stage in ticks]


def truth_picture(nets: Sequence[tuple[Style, Trained]], claims: Sequence[Claim] = ()) -> Figure:
    """The table of all nets; `claims` are those on the first of them."""
    slots = _slots([trained for _, trained in nets])
    panels = (*PANELS, *(WITH_CLAIMS if claims else ()))
    height = TOP + BELOW + sum(panel.height(len(_about(panel, claims))) for panel in panels)
    inner = height - TOP - BELOW
    data: list[Json] = []
    notes = _header(nets, slots)
    shapes: list[Json] = []
    axes: Json = {}
    down = 0
    for row, panel in enumerate(panels):
        n = "" if row == 0 else str(row + 1)
        top = 1 - (down + NAME) / inner
        bold = {"xshift": NAMES_FROM, "font": {"size": 14, "weight": 600}}
        notes.append(theme.heading(_heading(panel, nets), y=top, shift=3) | bold)
        if panel.of:
            traces = [_points(style, trained, panel, slots, n, nth) for nth, (style, trained) in enumerate(nets)]
            span = _span(traces, nets, panel)
            data += traces
            axes |= _axes(n, slots, (top - PLOT / inner, top), span)
            shapes += _lines(panel, nets, slots, n, span)
        about = _about(panel, claims)
        below = down + panel.height(0)
        for nth, claim in enumerate(about):
            notes += _claimed(claim, nets[0][1], slots, 1 - (below + nth * CLAIM) / inner)
        down += panel.height(len(about))
    layout = theme.layout(height, top=TOP, left=LEFT, right=RIGHT, annotations=notes, shapes=shapes, **axes)
    layout["margin"]["b"], layout["dragmode"] = BELOW, False
    return Figure(data, layout, _caption(nets), _read_out(nets, claims))


def _slots(nets: Sequence[Trained]) -> _Slots:
    moments = tuple(moment for moment in MOMENTS if any(moment in trained.moments for trained in nets))
    numbers = {stage.number for trained in nets for moment in trained.moments[:1] for stage in trained.stages(moment)}
    return _Slots(moments, (*sorted(numbers - {WHOLE}), WHOLE))


def _about(panel: Panel, claims: Sequence[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.about in panel.about]


def _heading(panel: Panel, nets: Sequence[tuple[Style, Trained]]) -> str:
    """A quantity's name; of what has no plot the numbers stand in it."""
    words = prose("gradients")[f"panel-{panel.name}"]
    if panel.name != "likeness":
        return words
    pairs = likeness_pairs(nets[0][1], nets[1][1])
    means = [np.mean([side[which].mean() for side in pairs]) if pairs else math.nan for which in (0, 1)]
    return words.format(plain=short(means[0]), twin=short(means[1]))


def short(value: float) -> str:
    """A likeness, in two decimals."""
    return "—" if math.isnan(value) else f"{round(value, 2) + 0.0:.2f}"  # no −0.00


def _header(nets: Sequence[tuple[Style, Trained]], slots: _Slots) -> list[Json]:
    """The nets' names in their colours, and below them the moments."""
    names = []
    along = NAMES_FROM
    for style, _ in nets:
        names.append(theme.heading(style.name, colour=style.colour, shift=27) | {"xshift": along})
        along += 9 * len(style.name) + 18
    above = {"xref": "x", "xanchor": "center", "xshift": 0, "font": {"size": 15, "weight": 600}}
    return names + [
        theme.heading(named(moment, [trained for _, trained in nets]), x=slots.middle(moment), shift=4) | above
        for moment in slots.moments
    ]


def _points(style: Style, trained: Trained, panel: Panel, slots: _Slots, n: str, nth: int) -> Json:
    """One net in one panel: a line through the stages of each moment, broken between moments."""
    x: list[float | None] = []
    values: list[tuple[float, float, float]] = []
    hover: list[str] = []
    for moment in trained.moments:
        for stage in trained.stages(moment):
            found = panel.of(stage) if panel.of else None
            if found is None:
                continue
            if stage.number == WHOLE:  # no further stage: the line ends before it
                x.append(None)
                values.append((math.nan,) * 3)
                hover.append("")
            log, by = found
            x.append(slots.at(moment, stage.number) + (2 * nth - 1) * APART)
            values.append((exponential(log.value / by), exponential(log.low / by), exponential(log.high / by)))
            which = "all stages" if stage.number == WHOLE else f"stage {stage.number + 1}"
            hover.append(f"{named(moment, [trained])}, {which}: {between(*values[-1])}")
        x.append(None)
        values.append((math.nan,) * 3)
        hover.append("")
    value, low, high = (np.array(part) for part in zip(*values, strict=True))
    shown = significant(value)
    up, down = (_bars(edge, value, low > 0) for edge in (high, low))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": style.name,
        "xaxis": f"x{n}",
        "yaxis": f"y{n}",
        "x": x,
        "y": shown,
        "customdata": hover,
        "line": {"color": style.colour, "width": 1.6, "dash": style.dash},
        "marker": {"color": style.colour, "size": 8},
        "error_y": {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "thickness": 1.6, "width": 3},
        "hovertemplate": f"{style.name}<br>%{{customdata}}<extra></extra>",
    }


def _bars(edge: np.ndarray, value: np.ndarray, known: np.ndarray) -> list[float]:
    """How far an interval reaches; nothing is drawn of one that is everything."""
    with np.errstate(invalid="ignore"):
        far = np.where(known, np.abs(edge - value), 0.0)
    return [float(f"{one:.4g}") if math.isfinite(one) else 0.0 for one in far.tolist()]


def _span(traces: Sequence[Json], nets: Sequence[tuple[Style, Trained]], panel: Panel) -> tuple[float, float]:
    """The range of log10 that holds every point, and 1."""
    seen = [math.log10(y) for trace in traces for y in trace["y"] if y] + [0.0] * (panel.name != "pull")
    if panel.name == "per-block":
        seen += [math.log10(gain) for _, trained in nets if (gain := prediction(trained))]
    low, high = (min(seen), max(seen)) if seen else (-1.0, 1.0)
    room = max(0.12 * (high - low), 0.03)
    return low - room, high + room


def _axes(n: str, slots: _Slots, domain: tuple[float, float], span: tuple[float, float]) -> Json:
    places, names = slots.labels
    x = theme.axis(anchor=f"y{n}", showgrid=False, tickvals=places, ticktext=names, ticklen=2, tickangle=0)
    x |= {"range": [-0.7, max(places, default=0) + 0.7], "fixedrange": True, "automargin": False}
    if n:
        x["matches"] = "x"
    values = _ticks(*span)
    y = theme.axis(anchor=f"x{n}", domain=list(domain), type="log", range=list(span), tickvals=values)
    y |= {"ticktext": [f"{value:g}" for value in values], "automargin": False, "fixedrange": True}
    return {f"xaxis{n}": x, f"yaxis{n}": y}


def _ticks(low: float, high: float) -> list[float]:
    """A few round numbers between 10^low and 10^high."""
    if high - low > 1:
        every = max(1, round((high - low) / 4))
        return [10.0**power for power in range(math.ceil(low), math.floor(high) + 1) if power % every == 0]
    return [value for value in (0.2, 0.5, 0.7, 1, 1.5, 2, 3, 5) if low <= math.log10(value) <= high]


def _lines(
    panel: Panel, nets: Sequence[tuple[Style, Trained]], slots: _Slots, n: str, span: tuple[float, float]
) -> list[Json]:
    """What a point is read against: no change; our limits; the prediction, where it is made."""
    if panel.name == "pull":
        return []
    marks: list[Json] = [theme.horizontal(1, yref=f"y{n}", xref=f"x{n} domain")]
    if panel.name == "total":
        low, high = max(1 / LIMIT, 10 ** span[0]), min(LIMIT, 10 ** span[1])
        box = theme.horizontal(low, yref=f"y{n}", xref=f"x{n} domain", name="band")
        marks.append({**box, "type": "rect", "y1": high, "line": {"width": 0}})
    for style, trained in nets:
        if panel.name == "per-block" and (gain := prediction(trained)) and "start" in slots.moments:
            begin, end = slots.at("start", slots.stages[0]) - 0.5, slots.at("start", slots.stages[-2]) + 0.5
            line = theme.horizontal(gain, yref=f"y{n}", xref=f"x{n}", name="prediction")
            dashed = {"width": 2.5, "dash": "dash", "color": style.colour}
            marks.append({**line, "x0": begin, "x1": end, "line": dashed})
    return marks


def _claimed(claim: Claim, plain: Trained, slots: _Slots, y: float) -> list[Json]:
    """A claim in words, and below them a sign under each moment."""
    words, gain = prose("gradients")[f"claim-{claim.name}"], prediction(plain)
    if claim.about == "per block" and gain:
        words += prose("gradients")["claim-gain"].format(gain=f"{gain:.3f}")
    label = theme.heading(words, y=y, shift=-18)
    below = {"xref": "x", "xanchor": "center", "xshift": 0, "font": {"size": 15, "weight": 600}}
    signs = [
        theme.heading(SIGNS[claim.marks[moment]], x=slots.middle(moment), y=y, shift=-35) | below
        for moment in slots.moments
    ]
    return [label | {"xshift": NAMES_FROM}, *signs]


def _caption(nets: Sequence[tuple[Style, Trained]]) -> str:
    overs = dict.fromkeys(f"{trained.count} {trained.over}" for _, trained in nets)
    return prose("gradients")["table-source"].format(
        confidence=round(100 * CONFIDENCE),
        over=" and ".join(overs),
        images=max(course.images for _, trained in nets for course in trained.courses),
        limit=f"{LIMIT:g}",
    )


def _read_out(nets: Sequence[tuple[Style, Trained]], claims: Sequence[Claim]) -> str:
    """Every total, and every mark, for who cannot see them."""
    said = []
    for style, trained in nets:
        for moment in trained.moments:
            totals = ", ".join(
                f"{'all' if stage.number == WHOLE else stage.number + 1} {times(exponential(stage.ratio.value))}"
                for stage in trained.stages(moment)
            )
            said.append(f"{style.name}, {named(moment, [trained])}: {totals}")
    marks = [
        f"{prose('gradients')[f'claim-{claim.name}']}: {', '.join(claim.marks[moment] for moment in MOMENTS)}"
        for claim in claims
    ]
    return "; ".join(["First block's gradient over the last's, by stage", *said, *marks])
