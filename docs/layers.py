"""Boxes on floors with lines between them: few crossings, lines around the boxes that they pass (Sugiyama 1981)."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP_BETWEEN_FLOORS, GAP_BETWEEN_BOXES = 32.0, 20.0
WIDTH = 830.0  # that nothing leaves, where a floor fits into it
LANE = 12.0  # the width that a line takes of a floor that it passes
SWEEPS = 24

Edge = tuple[str, str]
Point = tuple[float, float]


@dataclass(frozen=True)
class Drawing:
    """Of each box the middle, the width and the height; of each line its points, from above."""

    width: float
    height: float
    boxes: dict[str, tuple[float, float, float, float]]
    lines: dict[Edge, list[Point]]


def drawn(floors: Sequence[Sequence[str]], edges: Sequence[Edge], sizes: dict[str, tuple[float, float]]) -> Drawing:
    """Lay out boxes of these sizes on these floors; every edge leads downwards."""
    rows, ways = _with_lanes(floors, edges)
    above, below = defaultdict(list), defaultdict(list)
    for way in ways.values():
        for one, other in itertools.pairwise(way):
            below[one].append(other)
            above[other].append(one)
    widths = {name: sizes.get(name, (LANE, 0.0))[0] for row in rows for name in row}
    rows = _ordered(rows, above, below)
    x = _placed(rows, above, below, widths, set(sizes))
    least = min(x[name] - widths[name] / 2 for name in x)
    x = {name: place - least for name, place in x.items()}
    y, height = _heights(rows, sizes)
    boxes = {name: (x[name], y[name], *sizes[name]) for name in sizes}
    tall = {name: max(sizes[box][1] for box in row if box in sizes) for row in rows for name in row}
    lines = {edge: _points(way, x, y, sizes | _lanes(tall, sizes), above, below) for edge, way in ways.items()}
    return Drawing(max(x[name] + widths[name] / 2 for name in x), height, boxes, lines)


def _with_lanes(
    floors: Sequence[Sequence[str]], edges: Sequence[Edge]
) -> tuple[list[list[str]], dict[Edge, list[str]]]:
    """The floors with a lane on each that a line passes, and what each line goes through."""
    level = {name: nth for nth, floor in enumerate(floors) for name in floor}
    rows = [list(floor) for floor in floors]
    ways: dict[Edge, list[str]] = {}
    for start, end in edges:
        lanes = [f"{start}→{end} {nth}" for nth in range(level[start] + 1, level[end])]
        for nth, lane in enumerate(lanes, level[start] + 1):
            rows[nth].append(lane)
        ways[start, end] = [start, *lanes, end]
    return rows, ways


def _ordered(rows: list[list[str]], above: dict[str, list[str]], below: dict[str, list[str]]) -> list[list[str]]:
    """Each floor in the order of what its boxes hang on, downwards and upwards in turn; the best order met is kept."""
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        rows = [list(row) for row in rows]
        for nth in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            fixed = {name: place for place, name in enumerate(rows[nth - 1 if down else nth + 1])}
            near = above if down else below
            here = {name: float(place) for place, name in enumerate(rows[nth])}
            rows[nth].sort(key=lambda name: _mean((fixed[other] for other in near[name]), here[name]))
        if (crossings := _crossings(rows, below)) < fewest:
            best, fewest = rows, crossings
    return best


def _crossings(rows: Sequence[Sequence[str]], below: dict[str, list[str]]) -> int:
    count = 0
    for row, under in itertools.pairwise(rows):
        place = {name: nth for nth, name in enumerate(under)}
        ends = [place[other] for name in row for other in sorted(below[name], key=place.__getitem__)]
        starts = [nth for nth, name in enumerate(row) for _ in below[name]]
        count += sum(
            ends[i] > ends[j] for i in range(len(ends)) for j in range(i + 1, len(ends)) if starts[i] < starts[j]
        )
    return count


def _placed(
    rows: Sequence[Sequence[str]],
    above: dict[str, list[str]],
    below: dict[str, list[str]],
    widths: dict[str, float],
    boxes: set[str],
) -> dict[str, float]:
    """Middles: each as near as may be to the mean of what it hangs on, in its floor's order, without touching."""
    x: dict[str, float] = {}
    for row in rows:
        x |= _apart(row, {name: 100.0 * nth for nth, name in enumerate(row)}, widths)
    lanes = {lane: [one for one in x if one.partition(" ")[0] == lane.partition(" ")[0]] for lane in set(x) - boxes}
    for sweep in range(2 * SWEEPS):
        straight = lanes if sweep > SWEEPS else {}  # at last, a line keeps to one lane as far as there is room
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            near = {name: straight.get(name) or (*above[name], *below[name]) for name in row}
            wanted = {name: _mean((x[other] for other in near[name]), x[name]) for name in row}
            x |= _apart(row, wanted, widths)
    return x


def _apart(row: Sequence[str], wanted: dict[str, float], widths: dict[str, float]) -> dict[str, float]:
    """Neighbours that are too near form a group around their mean (pool adjacent violators)."""
    offset, offsets = 0.0, []
    for nth, name in enumerate(row):
        if nth:
            offset += (widths[row[nth - 1]] + widths[name]) / 2 + GAP_BETWEEN_BOXES
        offsets.append(offset)
    groups: list[tuple[float, int]] = []
    for name, shift in zip(row, offsets, strict=True):
        groups.append((wanted[name] - shift, 1))
        while len(groups) > 1 and groups[-2][0] > groups[-1][0]:
            (one, n), (other, m) = groups[-2:]
            groups[-2:] = [((one * n + other * m) / (n + m), n + m)]
    low, high = widths[row[0]] / 2, WIDTH - widths[row[-1]] / 2 - offsets[-1]
    starts = [max(low, min(start, high)) for start, count in groups for _ in range(count)]
    return {name: start + shift for name, start, shift in zip(row, starts, offsets, strict=True)}


def _heights(rows: Sequence[Sequence[str]], sizes: dict[str, tuple[float, float]]) -> tuple[dict[str, float], float]:
    y: dict[str, float] = {}
    top = 0.0
    for row in rows:
        tall = max(sizes[name][1] for name in row if name in sizes)
        y |= dict.fromkeys(row, top + tall / 2)
        top += tall + GAP_BETWEEN_FLOORS
    return y, top - GAP_BETWEEN_FLOORS


def _lanes(tall: dict[str, float], boxes: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """A lane is as tall as its floor: a line runs straight beside the boxes there, and turns between two floors."""
    return {name: (LANE, height) for name, height in tall.items() if name not in boxes}


def _points(
    way: Sequence[str],
    x: dict[str, float],
    y: dict[str, float],
    sizes: dict[str, tuple[float, float]],
    above: dict[str, list[str]],
    below: dict[str, list[str]],
) -> list[Point]:
    """From the lower edge of the first box to the upper edge of the last, each line at a place of its own there."""
    start, end = way[0], way[-1]
    first = x[start] + _port(way[1], below[start], x, sizes[start][0]), y[start] + sizes[start][1] / 2
    last = x[end] + _port(way[-2], above[end], x, sizes[end][0]), y[end] - sizes[end][1] / 2 - 1
    through = [(x[lane], y[lane] + side * sizes[lane][1] / 2) for lane in way[1:-1] for side in (-1, 1)]
    return [first, *through, last]


def _port(other: str, others: Sequence[str], x: dict[str, float], width: float) -> float:
    """Where a line meets a box's edge, from its middle: in the order in which the other ends stand."""
    order = sorted(others, key=lambda name: (x[name], name))
    return (order.index(other) - (len(order) - 1) / 2) * min(26.0, 0.7 * width / len(order))


def _mean(values: Iterable[float], otherwise: float) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else otherwise
