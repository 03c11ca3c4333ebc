"""An interval beside the range that was claimed, as a small picture: one line a card, legible from the last row."""

from html import escape

from app.values.reproduction.card import Card
from app.values.reproduction.kept import Reproduced

ROOM = 0.15  # of the span, left free at either end


def interval_bar(card: Card, outcome: Reproduced) -> str:
    """HTML (st.html lets no SVG pass): the claimed range as a band, the interval as a bar, the mean as a dot."""
    ends = [end for end in (card.claimed.low, card.claimed.high) if abs(end) < float("inf")]
    known = [outcome.measured, *(end for end in (outcome.low, outcome.high) if end is not None), *ends]
    room = ROOM * (max(known) - min(known)) or 1.0
    left, right = min(known) - room, max(known) + room

    def at(value: float | None, otherwise: float) -> float:
        """Percent of the width."""
        value = otherwise if value is None else min(max(value, left), right)
        return 100 * (value - left) / (right - left)

    begin, end = at(card.claimed.low, left), at(card.claimed.high, right)
    low, high = at(outcome.low, left), at(outcome.high, right)
    marks = "".join(f'<i class="edge" style="left:{at(one, left):.2f}%"><b>{one:g}</b></i>' for one in ends)
    return (
        f'<div class="interval {outcome.verdict}" role="img" aria-label="{escape(told(card, outcome))}">'
        f'<i class="claimed" style="left:{begin:.2f}%;width:{end - begin:.2f}%"></i>{marks}'
        f'<i class="found" style="left:{low:.2f}%;width:{high - low:.2f}%"></i>'
        f'<i class="mean" style="left:{at(outcome.measured, left):.2f}%"></i></div>'
    )


def told(card: Card, outcome: Reproduced) -> str:
    """The same in words, for who does not see it."""
    ends = [f"{end:.{card.digits}f}" if end is not None else "without end" for end in (outcome.low, outcome.high)]
    value = f"{outcome.measured:.{card.digits}f}"
    return f"Measured {value}, interval from {ends[0]} to {ends[1]}; claimed: {card.claimed.words}. {outcome.verdict}."
