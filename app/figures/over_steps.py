"""What the figures of runs share: each run with its style, how far the step axis goes, names at the ends of lines."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.figures import theme
from app.figures.theme import Json, Style
from app.values.run_spec import RunSpec
from app.values.series import Series

Run = tuple[RunSpec, Series]


def styled(runs: Sequence[Run]) -> Iterator[tuple[RunSpec, Series, Style]]:
    """Each run with the colour and the name that tell it from the others."""
    for (spec, series), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        yield spec, series, style


def steps_in_all(runs: Sequence[Run], total: int | None) -> int:
    """The steps that the runs will make, where that is known; else those that the longest has made."""
    return total or max([int(series.steps[-1]) + 1 for _, series in runs if series.steps.size] + [1])


def precision_of(runs: Sequence[Run]) -> str:
    """In which precision the runs were trained, for a caption: what was recorded then is no more exact."""
    names = dict.fromkeys(spec.precision for spec, _ in runs if spec.precision != "auto")
    return "".join([f", trained in {' and '.join(names)}"] * bool(names))


def step_mark(step: int | None) -> tuple[Json, ...]:
    """The slider's step as a vertical line over the whole figure; none while it follows the newest."""
    return () if step is None else (theme.vertical(step),)


class End(NamedTuple):
    """Where a line ends, and what it is called there; y as the axis counts it."""

    name: str
    x: float
    y: float
    colour: str


def named(ends: Sequence[End], low: float, high: float, height: int, *, digits: int = 3) -> list[Json]:
    """The names of lines at their ends, moved apart where they would stand on one another; `height` of the figure."""
    places = theme.spread([end.y for end in ends], 17 * (high - low) / (height - 66), low, high)
    return [
        theme.end_label(end.name, end.x, round(place, digits), end.colour)
        for end, place in zip(ends, places, strict=True)
    ]


def room_for(ends: Sequence[End]) -> int:
    """Pixels at the right of a figure in which its longest name fits."""
    return 18 + 8 * max([len(end.name) for end in ends] + [8])
