"""What a stage does is what its two ends say, whatever its depth; a word is no more than the interval allows."""

import math

import numpy as np
import pytest
from scipy import stats

from app.studies.gradients.verdicts import (
    WHOLE,
    Trained,
    between,
    log_range,
    log_ratios,
    named,
    of_values,
    stage_numbers,
    times,
    verdict,
)
from app.values.evidence import Effect
from tests.studies.gradients.courses import course

STAGES = np.array([0, 0, 0, 1, 1])


def sure(factor: float) -> Effect:
    return of_values([math.log(factor)] * 3)


def test_a_ratio_is_of_a_stage_s_ends_and_the_jump_to_the_next_stage_counts_in_none() -> None:
    rms = np.array([[8.0, 1, 2, 700, 100], [4.0, 3, 2, 3, 3]])
    assert np.exp(log_ratios(rms, STAGES, 0)) == pytest.approx([4, 2])
    assert np.exp(log_ratios(rms, STAGES, 1)) == pytest.approx([7, 1])
    assert np.exp(log_ratios(rms, STAGES, WHOLE)) == pytest.approx([28, 2])


def test_the_range_does_not_cancel_where_stages_do() -> None:
    rms = np.array([10.0, 3, 1, 5, 50])  # a tenfold fall, a jump, a tenfold rise
    assert log_ratios(rms, STAGES, WHOLE) == pytest.approx(0)
    assert np.exp(log_range(rms, STAGES)) == pytest.approx(10)


def test_places_of_no_stage_and_stages_of_one_place_have_no_ratio() -> None:
    stages = np.array([-1, 0, 0, 1])
    assert stage_numbers(stages) == [0]
    assert np.exp(log_ratios(np.array([99.0, 6, 2, 1]), stages, WHOLE)) == pytest.approx(3)
    assert np.exp(log_range(np.array([99.0, 6, 2, 1]), stages)) == pytest.approx(3)


@pytest.mark.parametrize(
    ("factor", "word"),
    [
        (0.09, "vanish"),
        (0.11, "shrink"),
        (0.99, "shrink"),
        (1.0, "level"),
        (1.2, "grow"),
        (9.9, "grow"),
        (10.1, "explode"),
    ],
)
def test_the_word_follows_the_total_ratio(factor: float, word: str) -> None:
    assert verdict(sure(factor)) == word


@pytest.mark.parametrize("blocks", [2, 9, 40])
def test_the_word_is_the_same_for_every_depth_that_ends_at_the_same_ratio(blocks: int) -> None:
    rms = np.geomspace(34.7, 1, blocks + 1)[None].repeat(3, 0)
    assert verdict(of_values(log_ratios(rms, np.zeros(blocks + 1, int), 0))) == "explode"


def test_an_interval_that_holds_one_shows_nothing_and_one_that_holds_the_limit_no_explosion() -> None:
    assert verdict(of_values(np.log([0.8, 1.3, 1.1]))) == "level"
    assert verdict(of_values(np.log([9.0, 12.0, 15.0]))) == "grow"


def test_the_interval_over_batches_is_scipy_s_of_the_logarithms() -> None:
    rms = np.exp(np.random.default_rng(0).normal(size=(1, 6, 3)))
    trained = Trained((course(rms=rms, stages=[0, 0, 0]),))
    (stage, _) = trained.stages("start")
    logs = np.log(rms[0, :, 0] / rms[0, :, -1])
    low, high = stats.ttest_1samp(logs, 0).confidence_interval(0.98)
    assert (stage.ratio.value, stage.ratio.low, stage.ratio.high) == pytest.approx((logs.mean(), low, high))
    assert (trained.over, trained.count, stage.blocks) == ("batches", 6, 2)
    assert stage.per_block == pytest.approx([math.exp(x / 2) for x in (logs.mean(), low, high)])


def test_with_several_seeds_the_interval_is_over_their_means() -> None:
    rng = np.random.default_rng(1)
    runs = [np.exp(rng.normal(size=(1, 6, 3))) for _ in range(3)]
    trained = Trained(tuple(course(rms=rms, stages=[0, 0, 0], seed=seed) for seed, rms in enumerate(runs)))
    means = [np.log(rms[0, :, 0] / rms[0, :, -1]).mean() for rms in runs]
    low, high = stats.ttest_1samp(means, 0).confidence_interval(0.98)
    (stage, _) = trained.stages("start")
    assert (trained.over, trained.count) == ("seeds", 3)
    assert (stage.ratio.low, stage.ratio.high) == pytest.approx((low, high))


def test_pull_and_growth_are_geometric_means_over_a_stage_s_layers() -> None:
    found = course(
        rms=np.ones((2, 2, 4)),
        stages=[0, 0, 1, 1],
        steps=(0, 10),
        weight_norm=np.array([[[1.0, 4, 9, 5]] * 2] * 2),
        weight_size=np.array([[1.0, 1, 3, 1], [4.0, 9, 3, 1]]),
        layer_stages=[0, 0, 1, -1],
    )
    first, second, whole = Trained((found,)).stages("ten steps")
    assert math.exp(first.pull.value) == pytest.approx(math.sqrt(1 / 4 * 4 / 9))
    assert first.growth is not None
    assert math.exp(first.growth.value) == pytest.approx(6)
    assert first.growth.verdict == "one run"
    assert math.exp(second.pull.value) == pytest.approx(3)
    assert whole.growth is not None
    assert math.exp(whole.growth.value) == pytest.approx(36 ** (1 / 3))


def test_gradients_that_are_zero_or_not_finite_have_a_verdict_too() -> None:
    stages = np.zeros(3, int)
    zero = np.array([[0.0, 1e-30, 1]] * 3)
    endless = np.array([[math.inf, 1e30, 1]] * 3)
    assert verdict(of_values(log_ratios(zero, stages, 0))) == "vanish"
    assert verdict(of_values(log_ratios(endless, stages, 0))) == "explode"
    assert verdict(of_values(log_ratios(np.vstack([zero[:1], endless[:1]]), stages, 0))) == "unknown", "they disagree"


def test_a_moment_is_called_by_its_step_and_the_newest_of_a_run_under_way_no_end() -> None:
    short, long = (Trained((course(rms=np.ones((2, 2, 2)), stages=[0, 0], steps=(0, end)),)) for end in (100, 312))
    live = Trained((course(rms=np.ones((2, 2, 2)), stages=[0, 0], steps=(0, 50), going_on=True),))
    assert (named("start", [long]), named("end", [long])) == ("step 0", "step 312")
    assert named("end", [short, long]) == "end"
    assert named("end", [live, long]) == "so far"
    assert Trained((course(rms=np.ones((2, 2, 2)), stages=[0, 0], steps=(0, 10)),)).moments == ("start", "ten steps")


def test_factors_are_written_for_people() -> None:
    written = [times(factor) for factor in (34.72, 5370, 9.05e8, 0.546, 1 / 958, math.inf, 0.0, 1.0)]
    assert written == ["×34.7", "×5,370", "×9.0·10⁸", "×0.55", "×1/958", "×∞", "×0", "×1.00"]
    assert between(1.48, 1.47, 1.49) == "×1.48 (1.47 to 1.49)"
    assert between(1.48, 0.0, math.inf) == "×1.48"
