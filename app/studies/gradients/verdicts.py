"""What the gradient does on its way back through each stage, moment by moment: a number with its interval, and a word.

The unit is a stage, first block to last: a change per block says nothing of how deep the net is, and means over stages
or moments cancel. LIMIT is ours: no source names one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from app.figures.numbers import raised
from app.studies.gradients.questions import Course, Sizes
from app.values.comparing import Over
from app.values.evidence import Effect, mean
from models.spec import NetSpec

Verdict = Literal["vanish", "shrink", "level", "grow", "explode", "unknown"]
Moment = Literal["start", "one step", "ten steps", "end"]
Floats = NDArray[Any]

MOMENTS: dict[Moment, int | None] = {"start": 0, "one step": 1, "ten steps": 10, "end": None}
LAST_FIXED = 10  # a kept moment after it can be the end
LIMIT = 10.0  # ours: by so much the gradient must change over a stage to vanish or to explode
WHOLE = -1  # the number of what is not one stage but all of them, one after the other

VERBS: dict[Verdict, str] = {
    "vanish": "vanishes",
    "shrink": "shrinks",
    "level": "shows no change",
    "grow": "grows",
    "explode": "explodes",
    "unknown": "cannot be told",
}


def verdict(ratio: Effect) -> Verdict:
    """The word for the logarithm of a total ratio, first block ÷ last: what its interval allows, and no more."""
    if math.isnan(ratio.value):
        return "unknown"
    if ratio.low > math.log(LIMIT):
        return "explode"
    if ratio.high < -math.log(LIMIT):
        return "vanish"
    return "grow" if ratio.low > 0 else "shrink" if ratio.high < 0 else "level"


def of_values(logs: Sequence[float] | Floats) -> Effect:
    """The mean of logarithms with its interval; of those that are not all finite, what they agree on."""
    values = np.asarray(logs, dtype=float)
    if np.isfinite(values).all():
        return mean(values.tolist())
    if (values == values[0]).all():
        return Effect(values[0].item(), values[0].item(), values[0].item(), len(values))
    return Effect(math.nan, -math.inf, math.inf, len(values))


# ---- from the image's end of a stage to the other ------------------------------------------------------------------


def log_ratios(rms: Floats, stages: Floats, stage: int) -> Floats:
    """Logarithm of the RMS at a stage's first place ÷ at its last: … × P → …; WHOLE adds the stages up.

    −∞ where a gradient is zero, ∞ where one is not finite, NaN for a stage of fewer than two places.
    """
    if stage == WHOLE:
        each = [log_ratios(rms, stages, one) for one in stage_numbers(stages)]
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sum(each, axis=0) if each else np.full(rms.shape[:-1], np.nan))
    there = np.asarray(rms, dtype=float)[..., np.asarray(stages) == stage]
    if there.shape[-1] < 2:
        return np.full(there.shape[:-1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(there[..., 0]) - np.log(there[..., -1])
    logs = np.where((there == 0).any(-1), -math.inf, logs)
    return np.where(np.isfinite(there).all(-1), logs, math.inf)


def log_range(rms: Floats, stages: Floats) -> Floats:
    """Logarithm of the largest RMS ÷ the smallest, … × P → …, the jumps where the shape changes taken out."""
    places = np.asarray(stages)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.asarray(rms, dtype=float))[..., places >= 0]
        inside = np.diff(places[places >= 0]) == 0
        steps = np.where(inside, np.diff(logs, axis=-1), 0.0)
        chain = np.concatenate([np.zeros((*logs.shape[:-1], 1)), steps.cumsum(-1)], axis=-1)
        return np.asarray(chain.max(-1) - chain.min(-1))


def stage_numbers(stages: Floats) -> list[int]:
    """The stages that have two places or more, and so a ratio."""
    numbers, counts = np.unique(np.asarray(stages), return_counts=True)
    return [int(number) for number, count in zip(numbers, counts, strict=True) if number >= 0 and count > 1]


# ---- one net, trained from one seed or from several ----------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What is measured of one stage at one moment, each as a natural logarithm.

    `ratio`: the gradient's RMS at its first block ÷ at its last, over so many `blocks`. `pull`: a weight's gradient ÷
    the weight, geometric mean over its layers. `growth`: a weight ÷ itself at initialisation; None where that is not
    kept.
    """

    number: int  # from 0; WHOLE: all of them
    blocks: int
    ratio: Effect
    pull: Effect
    growth: Effect | None

    @property
    def per_block(self) -> tuple[float, float, float]:
        """The factor per block towards the image: value, low, high."""
        value, low, high = (part / self.blocks for part in (self.ratio.value, self.ratio.low, self.ratio.high))
        return math.exp(value), math.exp(low), math.exp(high)


@dataclass(frozen=True)
class Trained:
    """One net: a course for each seed that it was trained from. Intervals are over seeds, or with one over batches."""

    courses: tuple[Course, ...]

    @property
    def net(self) -> NetSpec:
        """What was trained."""
        return NetSpec.parse(self.courses[0].net)

    @property
    def over(self) -> Over:
        """What the intervals are over."""
        return "seeds" if len(self.courses) > 1 else "batches"

    @property
    def count(self) -> int:
        """How many of them."""
        return len(self.courses) if self.over == "seeds" else int(self.courses[0].block_rms.shape[1])

    @property
    def going_on(self) -> bool:
        """True while more steps are to come: the newest moment is no end."""
        return any(course.going_on for course in self.courses)

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Those that every course has kept."""
        return tuple(moment for moment in MOMENTS if all(place(course, moment) is not None for course in self.courses))

    def values(self, moment: Moment, of: Callable[[Course, int], Floats]) -> Floats:
        """`of(course, place of the moment)`, B numbers each: the one course's, or of several each one's mean."""
        places = [(course, at) for course in self.courses if (at := place(course, moment)) is not None]
        each = [np.asarray(of(course, at), dtype=float) for course, at in places]
        with np.errstate(invalid="ignore"):
            return each[0] if len(each) == 1 else np.array([one.mean() for one in each])

    def stages(self, moment: Moment) -> tuple[Stage, ...]:
        """Each stage at a moment, and all of them together."""
        first = self.courses[0]
        numbers = stage_numbers(first.stages)
        spans = {number: int((first.stages == number).sum()) - 1 for number in numbers}
        spans[WHOLE] = sum(spans.values())
        return tuple(self._stage(moment, number, spans[number]) for number in (*numbers, WHOLE) if spans[number])

    def _stage(self, moment: Moment, number: int, blocks: int) -> Stage:
        def ratio(course: Course, at: int) -> Floats:
            return log_ratios(course.block_rms[at], course.stages, number)

        def pull(course: Course, at: int) -> Floats:
            those = _layers(course, number)
            return _mean_logs(course.weight_norm[at][:, those], course.weight_size[at, those])

        def growth(course: Course, at: int) -> Floats:
            those = _layers(course, number)
            return _mean_logs(course.weight_size[at : at + 1, those], course.weight_size[0, those])

        known = all(course.steps[0] == 0 for course in self.courses)
        return Stage(
            number,
            blocks,
            of_values(self.values(moment, ratio)),
            of_values(self.values(moment, pull)),
            of_values(self.values(moment, growth)) if known else None,
        )

    def range(self, moment: Moment) -> Floats:
        """`log_range` at a moment: a number a batch, or a seed."""
        return self.values(moment, lambda course, at: log_range(course.block_rms[at], course.stages))


def place(course: Course, moment: Moment) -> int | None:
    """Where a moment is among those of a course; None where it was not kept."""
    steps, wanted = course.steps.tolist(), MOMENTS[moment]
    if wanted is None:
        return len(steps) - 1 if steps and steps[-1] > LAST_FIXED else None
    return steps.index(wanted) if wanted in steps else None


def named(moment: Moment, of: Sequence[Trained]) -> str:
    """What a moment is called: by its step; the end by its name where the nets were not trained for as long."""
    ends = {int(course.steps[-1]) for trained in of for course in trained.courses}
    if MOMENTS[moment] is not None:
        return f"step {MOMENTS[moment]}"
    return f"step {max(ends):,}" if len(ends) == 1 else "so far" if any(one.going_on for one in of) else "end"


def course_of(
    net: NetSpec,
    moments: Mapping[int, Sizes],
    train_error: float,
    test_error: float,
    *,
    seed: int = 0,
    diverged: bool = False,
    going_on: bool = False,
) -> Course:
    """The sizes at some of a run's moments, and the errors it reached, as a course. Of batches, as many as all have."""
    steps = sorted(moments)
    found = [moments[step] for step in steps]
    batches = min(len(one.block_rms) for one in found)
    return Course(
        net=str(net),
        seed=seed,
        steps=np.array(steps),
        stages=found[0].stages,
        block_rms=np.array([one.block_rms[:batches] for one in found]),
        layers=found[0].layers,
        layer_stages=found[0].layer_stages,
        weight_norm=np.array([one.weight_norm[:batches] for one in found]),
        weight_size=np.array([one.weight_size for one in found]),
        likeness=found[0].likeness,
        train_error=train_error,
        test_error=test_error,
        diverged=diverged,
        images=found[0].images,
        going_on=going_on,
    )


def _layers(course: Course, number: int) -> Floats:
    """Which layers are those of a stage."""
    return course.layer_stages >= 0 if number == WHOLE else course.layer_stages == number


def _mean_logs(above: Floats, below: Floats) -> Floats:
    """Mean logarithm of above ÷ below over L layers, … × L → …; NaN for none."""
    if not above.shape[-1]:
        return np.full(above.shape[:-1], np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(above / below).mean(-1))


# ---- factors as people write them ----------------------------------------------------------------------------------


def exponential(value: float) -> float:
    """e to that power; ∞ where it is too large to be written."""
    return math.exp(value) if value < 700 else math.inf


def times(factor: float) -> str:
    """A factor for people: ×34.7, ×0.55, ×1/958."""
    if math.isnan(factor):
        return "—"
    if math.isinf(factor) or factor == 0:
        return "×∞" if factor else "×0"
    if factor >= 99_500:
        digits, _, power = f"{factor:.1e}".partition("e")
        return f"×{digits}·10{raised(int(power))}"
    if factor >= 99.5:
        return f"×{float(f'{factor:.3g}'):,.0f}"
    if factor < 0.01:
        return f"×1/{float(f'{1 / factor:.3g}'):,.0f}"
    return f"×{factor:.1f}" if factor >= 9.95 else f"×{factor:.2f}"


def between(value: float, low: float, high: float) -> str:
    """A factor with its interval: ×1.48 (1.47 to 1.49)."""
    if not (math.isfinite(low) and math.isfinite(high)) or low == high:
        return times(value)
    return f"{times(value)} ({times(low)[1:]} to {times(high)[1:]})"
