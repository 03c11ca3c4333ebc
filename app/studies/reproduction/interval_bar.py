"""An interval beside the range that was claimed, as a small picture: one line a card, legible from the last row."""

from html import escape

from app.values.reproduction.card import Card
from app.values.reproduction.kept import Reproduced

WIDTH, HEIGHT, MARGIN = 360, 46, 10  # units of the picture; it is drawn as wide as its card
ROOM = 0.15  # of the span, left free at either end
BAR, LABELS = 14, 42  # heights of the interval, and of what stands below the axis

COLOURS = {"reproduced": "#1B7837", "contrary": "#B2182B", "underpowered": "#8A6D00", "not tried": "#8A93A5"}


def interval_bar(card: Card, outcome: Reproduced) -> str:
    """SVG: the claimed range as a band, its ends marked, the interval as a bar, the mean as a dot."""
    ends = [end for end in (card.claimed.low, card.claimed.high) if abs(end) < float("inf")]
    known = [outcome.measured, *(end for end in (outcome.low, outcome.high) if end is not None), *ends]
    least, most = min(known), max(known)
    room = ROOM * (most - least) or 1.0
    left, right = least - room, most + room

    def at(value: float | None, otherwise: float) -> float:
        value = otherwise if value is None else min(max(value, left), right)
        return MARGIN + (WIDTH - 2 * MARGIN) * (value - left) / (right - left)

    begin, end = at(card.claimed.low, left), at(card.claimed.high, right)
    low, high = at(outcome.low, left), at(outcome.high, right)
    colour = COLOURS[outcome.verdict]
    marks = "".join(
        f'<line x1="{at(one, left):.1f}" x2="{at(one, left):.1f}" y1="2" y2="28" class="edge"/>'
        f'<text x="{at(one, left):.1f}" y="{LABELS}">{one:g}</text>'
        for one in ends
    )
    return (
        f'<svg class="interval" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(told(card, outcome))}">'
        f'<rect x="{begin:.1f}" y="2" width="{end - begin:.1f}" height="26" class="claimed"/>{marks}'
        f'<rect x="{low:.1f}" y="{BAR - 3}" width="{max(high - low, 1):.1f}" height="6" rx="3" fill="{colour}"/>'
        f'<circle cx="{at(outcome.measured, left):.1f}" cy="{BAR}" r="6" fill="{colour}"/></svg>'
    )


def told(card: Card, outcome: Reproduced) -> str:
    """The same in words, for who does not see it."""
    ends = [f"{end:.{card.digits}f}" if end is not None else "without end" for end in (outcome.low, outcome.high)]
    value = f"{outcome.measured:.{card.digits}f}"
    return f"Measured {value}, interval from {ends[0]} to {ends[1]}; claimed: {card.claimed.words}. {outcome.verdict}."
