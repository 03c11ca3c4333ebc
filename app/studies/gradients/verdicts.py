"""What the numbers say, in words: does the gradient vanish, explode, or neither, and whose claim holds when?

Nothing here is fixed beforehand: other numbers, other words. Claims: the common lesson on deep nets; He et al. 2015,
section 4.1; Yang et al. 2019, *A Mean Field Theory of Batch Normalization*; Balduzzi et al. 2017, *The Shattered
Gradients Problem*.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.studies.gradients.questions import Course, Gradients
from models.spec import NetSpec

Verdict = Literal["vanish", "healthy", "explode", "unknown"]
Moment = Literal["initialisation", "first steps", "end"]

MOMENTS: tuple[Moment, ...] = ("initialisation", "first steps", "end")
LIMIT = 1.1  # a change per block that is larger is a verdict
FIRST_STEPS = (1, 10)
WORSE = 1.0  # percentage points of training error by which a net must be behind to count as degraded

VERBS: dict[Verdict, str] = {
    "vanish": "vanishes",
    "healthy": "stays healthy",
    "explode": "explodes",
    "unknown": "cannot be told",
}


def factor_per_block(rms: NDArray[Any], stages: NDArray[Any]) -> float:
    """By what the RMS is multiplied per block on the way to the input: above 1 it explodes, below it vanishes.

    rms: P places from input to output; stages: P, only places of one stage are compared (−1: none). A line is fitted to
    the logarithms of each stage, and the slopes are averaged, each weighted by the blocks it spans. 0 where a gradient
    is zero, ∞ where one is not finite, NaN where no stage has two places.
    """
    values = np.asarray(rms, dtype=float)[np.asarray(stages) >= 0]
    stages = np.asarray(stages)[np.asarray(stages) >= 0]
    if not np.isfinite(values).all():
        return math.inf
    if (values == 0).any():
        return 0.0
    slopes, spans = [], []
    for stage in np.unique(stages):
        logs = np.log(values[stages == stage])
        if len(logs) > 1:
            slopes.append(-np.polyfit(np.arange(len(logs)), logs, 1)[0])
            spans.append(len(logs) - 1)
    return float(np.exp(np.average(slopes, weights=spans))) if spans else math.nan


def verdict(factor: float) -> Verdict:
    """The word for a change per block towards the input."""
    if math.isnan(factor):
        return "unknown"
    if factor > LIMIT:
        return "explode"
    return "vanish" if factor < 1 / LIMIT else "healthy"


def typical(factors: Sequence[float] | NDArray[Any]) -> float:
    """The geometric mean of factors, of seeds or of steps: 0 or ∞ where one of them is (0 first), NaN for none."""
    values = np.asarray(factors, dtype=float)
    values = values[~np.isnan(values)]
    if not values.size:
        return math.nan
    return 0.0 if (values == 0).any() else float(np.exp(np.log(values).mean()))


def factors_at(course: Course) -> dict[Moment, float]:
    """The change per block at initialisation, over the first steps and at the end, as far as the course has them."""
    steps = course.steps.tolist()
    chosen: dict[Moment, list[int]] = {
        "initialisation": [step for step in steps if step == 0],
        "first steps": [step for step in steps if step in FIRST_STEPS],
        "end": [step for step in steps[-1:] if step > max(FIRST_STEPS)],
    }
    return {
        moment: typical([float(course.factors[steps.index(step)]) for step in those])
        for moment, those in chosen.items()
        if those
    }


def heading(moment: Moment, course: Course) -> str:
    """What a moment of this course is called: the newest one of a run under way is no end."""
    return "so far" if moment == "end" and course.going_on else moment


def course_of(
    net: NetSpec,
    moments: Mapping[int, Gradients],
    train_error: float,
    test_error: float,
    diverged: bool = False,
    going_on: bool = False,
) -> Course:
    """A run's gradients at some of its moments, and the errors it reached, as a course: for the same words."""
    steps = sorted(moments)
    first = moments[steps[0]]
    return Course(
        net=str(net),
        steps=np.array(steps),
        rms=np.array([moments[step].block_rms for step in steps]),
        stages=first.stages,
        factors=np.array([factor_per_block(moments[step].block_rms, first.stages) for step in steps]),
        train_error=train_error,
        test_error=test_error,
        diverged=diverged,
        going_on=going_on,
    )


def said(course: Course) -> str:
    """The course in a sentence: a verdict for each moment, with its factor, beside the error reached."""
    net = NetSpec.parse(course.net)
    norm = "with batch normalisation" if net.norm == "batch" else "without normalisation"
    when = {**_WHEN, "end": f"at step {int(course.steps[-1]):,}, the newest kept so far"} if course.going_on else _WHEN
    parts = [
        f"{VERBS[verdict(factor)]} {when[moment]} ({times(factor)} a block)"
        for moment, factor in factors_at(course).items()
    ]
    if course.diverged:
        end = f"training diverged after step {int(course.steps[-1])}"
    else:
        reached = {"training": course.train_error, "test": course.test_error}
        end = ", ".join(f"{what} error {error:.1f} %" for what, error in reached.items() if not math.isnan(error))
        end += " so far" if end and course.going_on else ""
    return f"{net.name} {norm}, {_ACTIVATIONS[net.activation]}: the gradient {_listed(parts)}{end and f'; {end}'}."


def times(factor: float) -> str:
    """A factor for people: ×1.32; where two decimals would not tell on which side of the limit it is, ×1.098."""
    if math.isnan(factor):
        return "—"
    digits = 3 if round(factor, 2) in (LIMIT, round(1 / LIMIT, 2)) else 2
    return (
        "×∞" if math.isinf(factor) else f"×{factor:.{digits}f}" if factor >= 0.01 or factor == 0 else f"×{factor:.0e}"
    )


_ACTIVATIONS = {"relu": "ReLU", "elu": "ELU", "selu": "SELU"}

_WHEN: dict[Moment, str] = {
    "initialisation": "at initialisation",
    "first steps": "in the first steps",
    "end": "at the end",
}


def _listed(parts: Sequence[str]) -> str:
    return ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else "".join(parts)


# ---- claims --------------------------------------------------------------------------------------------------------

Mark = Literal["held", "did not hold", "not claimed", "not measured"]


@dataclass(frozen=True)
class Claim:
    """What a source says of the gradient in a plain net, and at which moments it held."""

    source: str
    words: str
    held: Mapping[Moment, Mark]


def claims(plain: Course, residual: Course) -> tuple[Claim, ...]:
    """Each source's claim against the measured courses of a plain net and of its residual twin."""
    at = {moment: verdict(factor) for moment, factor in factors_at(plain).items()}
    normed = NetSpec.parse(plain.net).norm == "batch"
    worse = plain.diverged or plain.train_error > residual.train_error + WORSE

    def marks(wanted: Verdict, also: bool = True, of: Sequence[Moment] = MOMENTS) -> dict[Moment, Mark]:
        return {moment: _mark(at.get(moment), wanted, also) if moment in of else "not claimed" for moment in MOMENTS}

    return (
        Claim("Most lessons", "deep plain nets fail because the gradient vanishes", marks("vanish")),
        Claim(
            "He et al. 2015",
            "with batch normalisation the gradient has healthy norms",
            marks("healthy", of=MOMENTS if normed else ()),
        ),
        Claim(
            "Yang et al. 2019",
            "batch normalisation without shortcuts makes the gradient explode at initialisation",
            marks("explode", of=("initialisation",) if normed else ()),
        ),
        Claim(
            "Balduzzi et al. 2017",
            "its size is not the point: a plain net can be behind although the size is healthy",
            marks("healthy", also=worse),
        ),
    )


def _mark(measured: Verdict | None, wanted: Verdict, also: bool) -> Mark:
    if measured is None or measured == "unknown":
        return "not measured"
    return "held" if measured == wanted and also else "did not hold"
