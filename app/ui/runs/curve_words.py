"""What the curves say, in words computed from them: never a sentence that stands there whatever was measured."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.ui.runs.source_races import what_the_source_found
from app.values.arrays import Floats
from app.values.run_spec import RunSpec
from app.values.series import Series
from models.spec import plain_pairs

CLEAR_GAP = 5.0  # points of training error, over the window, from which on one net is said to be behind
SAME_GAP = 1.0
NO_DIFFERENCE = "no difference"  # as a prediction


@dataclass(frozen=True)
class Standing:
    """How one net stands: training error in percent, over the last `window` steps."""

    name: str
    spec: RunSpec
    series: Series
    error: float | None
    window: int
    under_way: bool
    norms_at: Callable[[int], Floats | None]
    diverged: bool = False

    def seen(self, step: int | None) -> int:
        """Steps measured up to the one that is looked at."""
        newest = int(self.series.steps[-1]) + 1 if len(self.series.steps) else 0
        return newest if step is None else min(step + 1, newest)


def what_the_sources_say(race: str | None) -> None:
    """The claim that a race is about; without one, where this measurement was first made."""
    if race:
        what_the_source_found(race)
    else:
        st.caption(f":violet-badge[paper] {prose('train')['source']}")


def passages(standings: list[Standing], step: int | None, guess: str | None) -> list[str]:
    """The passage that fits the measurements, and whether the prediction held: paragraphs of Markdown."""
    page = prose("train")
    known = [(standing, standing.error) for standing in standings if standing.error is not None]
    if fallen := [standing.name for standing in standings if standing.diverged]:
        sentences = [page["diverged"].format(names=" and ".join(fallen))]
    elif known:
        sentences = [_comparison(known, step)]
        if verdict := _prediction(known, guess):
            sentences.insert(0, verdict)
    else:
        return [page["waiting"]]
    if known and (remark := _map_remark(known[0][0], step)):
        sentences.append(remark)
    return sentences


def _comparison(known: list[tuple[Standing, float]], step: int | None) -> str:
    page = prose("train")
    pair = _twins(known)
    if pair is None:
        best, error = min(known, key=lambda pair: pair[1])
        return page["others"].format(best=best.name, error=error)
    (plain, plain_error), (residual, residual_error) = pair
    gap = plain_error - residual_error
    names = {"plain": plain.name, "residual": residual.name, "gap": abs(gap)}
    begun = all(curve.seen(step) >= curve.window for curve in (plain, residual))
    over = not any(curve.under_way or curve.seen(step) < curve.seen(None) for curve in (plain, residual))
    if begun and abs(gap) >= CLEAR_GAP:
        return page["plain-behind" if gap > 0 else "plain-ahead"].format(**names)
    if not (begun and over):
        return page["early"].format(first=plain.name, second=residual.name, gap=abs(gap), window=plain.window)
    if abs(gap) <= SAME_GAP:
        return page["same"].format(**names)
    return page["slightly"].format(**names, direction="more" if gap > 0 else "fewer")


def _twins(known: list[tuple[Standing, float]]) -> tuple[tuple[Standing, float], tuple[Standing, float]] | None:
    """The deepest plain net and a net with shortcuts of the same depth, data and recipe, if both are there."""
    pairs = [
        (known[plain], known[other])
        for plain, other in plain_pairs([standing.spec.net for standing, _ in known])
        if known[plain][0].spec.trained_like(known[other][0].spec)
    ]
    return pairs[0] if pairs else None


def _prediction(known: list[tuple[Standing, float]], guess: str | None) -> str:
    """Said once an epoch of every net has been measured, and the gap is clear; that there is none, at the end only."""
    page = prose("train")
    names = {standing.name: error for standing, error in known}
    if len(names) < 2 or any(not len(standing.series.eval_steps) for standing, _ in known):
        return ""
    best, *rest = sorted(names, key=lambda name: names[name])
    if guess == NO_DIFFERENCE:
        gap = names[rest[-1]] - names[best]
        over = not any(standing.under_way for standing, _ in known)
        return page["none-wrong"].format(best=best) if gap >= CLEAR_GAP else page["none-right"] if over else ""
    if guess not in names or names[rest[0]] - names[best] < CLEAR_GAP:
        return ""
    return page["predicted-right" if guess == best else "predicted-wrong"].format(guess=guess, best=best)


def _map_remark(standing: Standing, step: int | None) -> str:
    """First layer against last, at the slider's step or at the first."""
    norms = standing.norms_at(step or 0)
    if norms is None or not (np.isfinite(norms).all() and norms.min() > 0):
        return ""
    first, last = float(norms[0]), float(norms[-1])
    ratio = f"{_short(first / last)} times" if first > last else f"1/{_short(last / first)} of"
    return prose("train")["map"].format(step=step or 0, name=standing.name, ratio=ratio)


def _short(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
