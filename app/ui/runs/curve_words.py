"""What the curves say, in words computed from them: never a sentence that stands there whatever was measured."""

from collections.abc import Iterator, Sequence

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.ui.runs.source_races import what_the_source_found, what_was_found_here
from app.ui.runs.standing import Comparison, Standing, compare
from app.values.comparing import about_intervals, comparison
from models.families import PLAIN
from models.spec import depth_pairs, plain_pairs

NO_DIFFERENCE = "no difference"  # as a prediction


def what_the_sources_say(race: str | None, standings: Sequence[Standing]) -> None:
    """The claim that a race is about, and how it fared here; without one, where this measurement was first made."""
    if race:
        what_the_source_found(race)
        what_was_found_here(race, standings)
    else:
        st.caption(f":violet-badge[paper] {prose('train')['source']}")


def passages(standings: Sequence[Standing], step: int | None, guess: str | None) -> list[str]:
    """What the measurements say, and whether the prediction held: paragraphs of Markdown."""
    page = prose("train")
    known = [standing for standing in standings if standing.error(step) is not None]
    fallen = [
        page["diverged"].format(**_counted(standing))
        for standing in standings
        if len(standing.whole) < len(standing.each)
    ]
    if not known:
        return fallen or [page["waiting"]]
    sentences = [*fallen, *_prediction(known, guess), *_comparisons(known, step)]
    if remark := _map_remark(known[0], step):
        sentences.append(remark)
    return sentences


def _counted(standing: Standing) -> dict[str, str]:
    lost, all_of_them = len(standing.each) - len(standing.whole), len(standing.each)
    return {"name": standing.name, "seeds": "" if all_of_them == 1 else f" with {lost} of {all_of_them} seeds"}


def _comparisons(known: Sequence[Standing], step: int | None) -> Iterator[str]:
    """Deep against shallow, a plain net against its twin; where there is no such pair, the best against the others."""
    page = prose("train")
    if len(known) == 1:
        yield page["alone"].format(name=known[0].name, error=known[0].error(step))
        return
    found = [(deep, shallow, compare(deep, shallow, step)) for deep, shallow in _of_two_depths(known)]
    for deep, shallow, seen in found:
        yield from said(deep, shallow, seen)
        if (
            seen
            and deep.spec.net.family in PLAIN
            and _is_over(seen, step)
            and seen.effect.verdict in ("more", "one run")
        ):
            yield from _degraded(deep, shallow, seen)
    twins = _twins(known)
    if twins:
        yield from said(*twins, compare(*twins, step))
    elif not found:
        best, *others = sorted(known, key=lambda standing: standing.error(step) or 0.0)
        for other in others:
            yield from said(best, other, compare(best, other, step))
    if any(seen and seen.effect.count > 1 for _, _, seen in found):
        yield f"*{about_intervals('seeds')}*"


def against_the_first(standings: Sequence[Standing]) -> list[str]:
    """What tells the first of these nets from each of the others, and what the intervals mean: Markdown."""
    if len(standings) < 2:
        return []
    first, *others = standings
    found = [(other, compare(first, other, None)) for other in others]
    sentences = [sentence for other, seen in found for sentence in said(first, other, seen)]
    if any(seen is None for _, seen in found):
        sentences.append(prose("runs")["no-pair"].format(first=first.name))
    if any(seen and seen.effect.count > 1 for _, seen in found):
        sentences.append(f"*{about_intervals('seeds')}*")
    return sentences


def said(first: Standing, second: Standing, seen: Comparison | None) -> Iterator[str]:
    """The comparison in a sentence, and at which step it is made while training goes on; none before a whole window."""
    page = prose("train")
    if seen is None:
        return
    if seen.step is not None and seen.step + 1 < first.window:
        yield page["early"].format(first=first.name, second=second.name, window=first.window)
    else:
        at = "" if seen.step is None else page["at-step"].format(step=seen.step) + " "
        yield at + comparison(first.name, second.name, seen.effect)


def _degraded(deep: Standing, shallow: Standing, seen: Comparison) -> Iterator[str]:
    """What it means that the deeper of two plain nets ends with the higher training error; and was it still falling?"""
    if seen.effect.value <= 0:
        return
    page = prose("train")
    yield page["degraded"].format(deep=deep.name, shallow=shallow.name, steps=deep.asked)
    last = max(1, deep.asked // 5)
    changes = [
        end - before
        for run in deep.whole
        if run.over
        and (end := run.error_at(None)) is not None
        and (before := run.error_at(run.steps - 1 - last)) is not None
    ]
    if changes:
        yield page["slope"].format(deep=deep.name, steps=last, change=float(np.mean(changes)))


def _is_over(seen: Comparison, step: int | None) -> bool:
    return step is None and seen.step is None


def _of_two_depths(known: Sequence[Standing]) -> list[tuple[Standing, Standing]]:
    """A deep net and the shallow one that is trained as it is, plain nets first."""
    pairs = [(known[deep], known[shallow]) for deep, shallow in depth_pairs([standing.spec.net for standing in known])]
    return [pair for pair in pairs if pair[0].spec.trained_like(pair[1].spec)]


def _twins(known: Sequence[Standing]) -> tuple[Standing, Standing] | None:
    """The deepest plain net and a net with shortcuts of the same depth, data and recipe, if both are there."""
    pairs = [(known[plain], known[other]) for plain, other in plain_pairs([standing.spec.net for standing in known])]
    return next((pair for pair in pairs if pair[0].spec.trained_like(pair[1].spec)), None)


def _prediction(known: Sequence[Standing], guess: str | None) -> Iterator[str]:
    """Said once every net is over: of the one that was expected to be best against the best of the others."""
    page = prose("train")
    names = [standing.name for standing in known]
    if len(known) < 2 or not all(standing.evaluated for standing in known) or guess not in (*names, NO_DIFFERENCE):
        return
    first, *others = sorted(known, key=lambda standing: (standing.name != guess, standing.error(None) or 0.0))
    second = others[-1] if guess == NO_DIFFERENCE else others[0]
    seen = compare(first, second, None)
    if seen is None or seen.step is not None:
        return
    verdict, value = seen.effect.verdict, seen.effect.value
    if guess == NO_DIFFERENCE:
        outcome = "none-open" if verdict in ("not shown", "one run") else "none-wrong"
    elif verdict == "not shown":
        outcome = "predicted-open"
    else:
        outcome = "predicted-right" if value < 0 else "predicted-wrong"
    yield f"{page[outcome].format(guess=guess)} {comparison(first.name, second.name, seen.effect)}"


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
