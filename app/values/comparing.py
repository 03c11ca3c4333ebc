"""What may be said of two things that were measured: no more than the interval of their difference allows.

Every sentence of every page that compares comes from here.
"""

from typing import Literal

from app.base.prose import prose
from app.values.evidence import CONFIDENCE, Effect

Over = Literal["seeds", "images", "batches"]


def comparison(
    first: str,
    second: str,
    effect: Effect,
    quantity: str = "training error",
    *,
    unit: str = "points",
    over: Over = "seeds",
    digits: int = 1,
) -> str:
    """A sentence of Markdown on `effect`, first minus second: shown, not shown or, of one pair, seen in this run."""
    page, words = (
        prose("evidence"),
        {"first": first, "second": second, "quantity": quantity, "unit": unit, "over": over},
    )
    size = f"{abs(effect.value):,.{digits}f}"
    direction = "above" if effect.value > 0 else "below"
    if effect.verdict == "one run":
        if float(size.replace(",", "")) == 0:
            return page["one run, equal"].format(**words, size=f"{10**-digits:.{digits}f}")
        return page["one run"].format(**words, size=size, direction=direction)
    if effect.verdict == "not shown":
        value, low, high = (f"{number:+,.{digits}f}" for number in (effect.value, effect.low, effect.high))
        return page["not shown"].format(**words, value=value, low=low, high=high, count=f"{effect.count:,}")
    near, far = sorted((abs(effect.low), abs(effect.high)))
    return page["shown"].format(
        **words,
        size=size,
        direction=direction,
        near=f"{near:,.{digits}f}",
        far=f"{far:,.{digits}f}",
        count=f"{effect.count:,}",
    )


def about_intervals(what: str) -> str:
    """What the intervals of a page are; `what` was paired: the seeds, the images."""
    return prose("evidence")["interval"].format(confidence=round(100 * CONFIDENCE), what=what)
