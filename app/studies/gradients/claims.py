"""Each source's claim beside the quantity that it is about, and tested by that one alone.

The common lesson on deep nets; He et al. 2015, section 4.1; Yang et al. 2019, *A Mean Field Theory of Batch
Normalization*, abstract; Balduzzi et al. 2017, *The Shattered Gradients Problem*, section 2.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.studies.gradients.questions import Course
from app.studies.gradients.verdicts import LIMIT, MOMENTS, WHOLE, Moment, Stage, Trained, of_values
from app.values.evidence import Effect, paired
from models.plan import plan

Mark = Literal["held", "did not hold", "cannot be decided", "not claimed", "not measured"]
Quantity = Literal["per block", "total", "range", "likeness", "cause"]

GAIN = math.pi / (math.pi - 1)  # Yang 2019: of the squared gradient, a ReLU layer under BN at initialisation: 1.467


@dataclass(frozen=True)
class Claim:
    """What a source says of a plain net: its name in the prose, the quantity it is about, and a mark a moment."""

    name: str
    about: Quantity
    marks: Mapping[Moment, Mark]


def claims(plain: Trained, twin: Trained) -> tuple[Claim, ...]:
    """Every claim against what was measured of a plain net and of its residual twin."""
    normed = plain.net.norm == "batch"
    always, start, after_one = tuple(MOMENTS), ("start",), ("one step",)

    def marks(test: Callable[[Moment], Mark], claimed: Sequence[str]) -> dict[Moment, Mark]:
        there = plain.moments
        return {
            moment: "not claimed" if moment not in claimed else test(moment) if moment in there else "not measured"
            for moment in MOMENTS
        }

    return (
        Claim("yang-growth", "per block", marks(lambda at: grows(plain.stages(at)), start if normed else ())),
        Claim("lessons-size", "total", marks(lambda at: vanishes(plain.stages(at)), always)),
        Claim("he", "total", marks(lambda at: healthy(plain.stages(at)), always if normed else ())),
        Claim("yang-range", "range", marks(lambda _: shrunk(range_change(plain)), after_one if normed else ())),
        Claim("balduzzi", "likeness", marks(lambda _: shrunk(likeness_gap(plain, twin)), start)),
        # What a net fails of is shown by mending that alone; nothing here does.
        Claim("lessons-cause", "cause", marks(lambda _: "cannot be decided", always)),
    )


def grows(stages: Sequence[Stage]) -> Mark:
    """Does the gradient grow towards the image in every stage?"""
    ratios = [stage.ratio for stage in stages if stage.number != WHOLE]
    return _mark(all(one.low > 0 for one in ratios), any(one.high < 0 for one in ratios), there=bool(ratios))


def vanishes(stages: Sequence[Stage]) -> Mark:
    """Does it vanish in some stage, or over all of them?"""
    edge = -math.log(LIMIT)
    return _mark(
        any(one.ratio.high < edge for one in stages), all(one.ratio.low > edge for one in stages), there=bool(stages)
    )


def healthy(stages: Sequence[Stage]) -> Mark:
    """Does it neither vanish nor explode, in any stage or over all of them?"""
    edge = math.log(LIMIT)
    return _mark(
        all(-edge < one.ratio.low and one.ratio.high < edge for one in stages),
        any(one.ratio.low > edge or one.ratio.high < -edge for one in stages),
        there=bool(stages),
    )


def shrunk(effect: Effect | None) -> Mark:
    """Is the first less than the second?"""
    if effect is None or math.isnan(effect.value):
        return "not measured"
    return _mark(effect.verdict == "less", effect.verdict == "more", there=True)


def range_change(trained: Trained) -> Effect | None:
    """The range of the gradient after one step − at initialisation, as decades, on the same batches or seeds."""
    if not {"start", "one step"} <= {*trained.moments}:
        return None
    before, after = (trained.range(moment) / math.log(10) for moment in ("start", "one step"))
    return paired(after.tolist(), before.tolist()) if np.isfinite([before, after]).all() else None


def likeness_gap(plain: Trained, twin: Trained) -> Effect | None:
    """How alike neighbours' gradients are, plain − twin: over the seeds that both have, else over images."""
    pairs = likeness_pairs(plain, twin)
    if not pairs:
        return None
    if len(pairs) > 1:
        return paired(*zip(*((float(a.mean()), float(b.mean())) for a, b in pairs), strict=True))
    first, second = pairs[0]
    return paired(first.tolist(), second.tolist())


def likeness_pairs(plain: Trained, twin: Trained) -> list[tuple[np.ndarray, np.ndarray]]:
    """The likeness of the same images in both, a pair a seed that both were trained from."""
    others = {course.seed: course.likeness for course in twin.courses}
    found = [(course.likeness, others[course.seed]) for course in plain.courses if course.seed in others]
    found = found or [(plain.courses[0].likeness, twin.courses[0].likeness)]
    return [(a, b) for a, b in found if a.size and a.size == b.size]


def prediction(trained: Trained) -> float | None:
    """Yang's factor of the RMS per block at initialisation; None where the net is not what it is about."""
    net = trained.net
    if net.norm != "batch" or net.activation != "relu" or net.family != "plain":
        return None
    return float(GAIN ** (len(plan(net).blocks[0].branch) / 2))


# ---- from an explosion to starved weights --------------------------------------------------------------------------


@dataclass(frozen=True)
class Chain:
    """Why a gradient that exploded may starve, each link as a logarithm: the first layer beside the branches' last.

    Under batch normalisation a weight's scale changes nothing, so its gradient stands at right angles to it and
    falls as 1 ÷ its norm: a large gradient makes a weight longer, and a longer one is moved less.
    """

    exploded: Effect  # gradient, first layer ÷ last, at initialisation
    grew: Effect  # the first layer's weight, late ÷ at initialisation
    weights: Effect  # gradient, first layer ÷ last, late
    starved: Effect  # gradient ÷ weight, first layer ÷ last, late

    @property
    def complete(self) -> bool:
        """Whether every link is shown. Of one run there is one weight, and its growth has no interval."""
        grew = self.grew.low > 0 if self.grew.count > 1 else self.grew.value > 0
        return self.exploded.low > 0 and grew and self.starved.high < 0


def chain(trained: Trained, late: Moment) -> Chain:
    """The links between initialisation and a later moment; both were kept."""

    def gradient(course: Course, at: int) -> np.ndarray:
        first, last = _ends(course)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.log(course.weight_norm[at][:, first]) - np.log(course.weight_norm[at][:, last]))

    def pull(course: Course, at: int) -> np.ndarray:
        first, last = _ends(course)
        return np.asarray(gradient(course, at) - np.log(course.weight_size[at, first] / course.weight_size[at, last]))

    def growth(course: Course, at: int) -> np.ndarray:
        first, _ = _ends(course)
        return np.array([np.log(course.weight_size[at, first] / course.weight_size[0, first])])

    return Chain(
        exploded=of_values(trained.values("start", gradient)),
        grew=of_values(trained.values(late, growth)),
        weights=of_values(trained.values(late, gradient)),
        starved=of_values(trained.values(late, pull)),
    )


def _ends(course: Course) -> tuple[int, int]:
    """The first layer, and the last one that is in a branch."""
    return 0, int(np.flatnonzero(course.layer_stages >= 0)[-1])


def _mark(held: bool, refuted: bool, *, there: bool) -> Mark:
    if not there:
        return "not measured"
    return "held" if held else "did not hold" if refuted else "cannot be decided"
