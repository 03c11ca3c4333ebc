"""The class as a degradation sweep: runs that were trained alike, a point each, depth × error, a line a family."""

from collections import Counter
from collections.abc import Sequence

from app.figures.theme import Figure, Json, axis, badge, end_label, heading, layout, spread
from app.studies.class_sweep.points import Line, Seeds, State
from app.values.evidence import CONFIDENCE, mean

HEIGHT = 420
FEWEST = 3  # seeds at one depth for an interval: of two, it is most of the plot
SYMBOLS: dict[State, str] = {"ended": "circle", "under way": "circle-open", "cut": "circle-open", "diverged": "x"}


def sweep(drawn: Sequence[Line], what: str, about: str) -> Figure:
    """Points, and a line through the means of those that went to their end.

    `what`: whose error; `about`: what these runs share.
    """
    data: list[Json] = []
    ends: list[tuple[Line, int, float]] = []
    for line in drawn:
        middle = means(line)
        data += [*([_joined(line, middle)] if middle else []), _dots(line)]
        depth, error, _ = middle[-1] if middle else (line.points[-1].depth, line.points[-1].error, 0.0)
        ends.append((line, depth, error))
    points = [point for line in drawn for point in line.points]
    top = min(100.0, max([point.error for point in points], default=100.0) * 1.08)
    places = spread([error for *_, error in ends], top * 0.06, 0, top)
    notes = [
        end_label(f"{line.name} {error:.1f}%", depth, place, line.colour, xshift=12)
        for (line, depth, error), place in zip(ends, places, strict=True)
    ]
    depths = [point.depth for point in points] or [0]
    whole = {"dtick": 1} if max(depths) - min(depths) < 8 else {}  # there is no half layer
    counted = _counted(Counter(point.state for point in points))
    joined = "the line joins the means over the seeds of those at their end"
    bars = f"; bars: {round(100 * CONFIDENCE)} % intervals of the means, from {FEWEST} seeds on" if _bars(drawn) else ""
    return Figure(
        data,
        layout(
            HEIGHT,
            right=max(140, 24 + 9 * max((len(note["text"]) for note in notes), default=0)),
            xaxis=axis("weighted layers", **whole),
            yaxis=axis(range=[0, top], ticksuffix="%"),
            annotations=[heading(f"{what} error"), *notes],
        ),
        f"{badge('measured')} {counted}; {joined}{bars}. {about}",
        f"{what} error over depth. {counted}. " + "; ".join(f"{line.name}: {_words(line)}" for line in drawn),
    )


def means(line: Line) -> list[tuple[int, float, float]]:
    """(depth, mean error over the seeds, half of its interval) where runs ended; half is 0 for fewer than `FEWEST`."""
    return [(depth, *_mean(seeds)) for depth, _, seeds in line.ended]


def _mean(seeds: Seeds) -> tuple[float, float]:
    effect = mean(list(seeds.values()))
    return effect.value, effect.high - effect.value if effect.count >= FEWEST else 0.0


def _bars(drawn: Sequence[Line]) -> bool:
    return any(len(seeds) >= FEWEST for line in drawn for *_, seeds in line.ended)


def _counted(states: Counter[State]) -> str:
    total = states.total()
    apart = {
        "not at their end (hollow)": states["under way"],
        "cut while they trained (hollow)": states["cut"],
        "diverged (crosses)": states["diverged"],
    }
    parts = [f"{count} of them {which}" for which, count in apart.items() if count]
    return ", ".join([f"{total} {'run' if total == 1 else 'runs'}, a point each", *parts])


def _words(line: Line) -> str:
    told = [f"{error:.1f}% at {depth} layers" for depth, error, _ in means(line)]
    return ", ".join(told) or "none at its end"


def _joined(line: Line, middle: Sequence[tuple[int, float, float]]) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [depth for depth, *_ in middle],
        "y": [error for _, error, _ in middle],
        "error_y": {"array": [half for *_, half in middle], "color": line.colour, "thickness": 1.5, "width": 5},
        "line": {"color": line.colour, "dash": line.dash, "width": 2.5},
        "hoverinfo": "skip",
    }


def _dots(line: Line) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": line.name,
        "x": [point.depth for point in line.points],
        "y": [point.error for point in line.points],
        "text": [point.name for point in line.points],
        "customdata": [f"seed {point.spec.seed}, {point.state}" for point in line.points],
        "marker": {
            "size": 11,
            "color": line.colour,
            "opacity": 0.75,
            "symbol": [SYMBOLS[point.state] for point in line.points],
        },
        "hovertemplate": "%{text}<br>%{x} layers: %{y:.1f}%<br>%{customdata}<extra></extra>",
    }
