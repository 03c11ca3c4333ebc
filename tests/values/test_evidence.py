"""Intervals against SciPy's, and what may be said of noise: a difference, in one case of fifty at most."""

import numpy as np
import pytest
from scipy import stats

from app.values.evidence import CONFIDENCE, Effect, mean, paired, paired_over_images, t_quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 29, 200])
@pytest.mark.parametrize("share", [0.6, 0.9, 0.975, 0.99, 0.9995])
def test_the_quantile_is_that_of_students_t(share: float, freedom: int) -> None:
    assert t_quantile(share, freedom) == pytest.approx(stats.t.ppf(share, freedom), rel=1e-8)


@pytest.mark.parametrize("pairs", [2, 3, 5, 10])
def test_a_paired_interval_is_scipys(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    first, second = rng.normal(30, 4, pairs), rng.normal(20, 2, pairs)
    effect, theirs = paired(first.tolist(), second.tolist()), stats.ttest_rel(first, second)
    interval = theirs.confidence_interval(CONFIDENCE)
    assert (effect.low, effect.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert (effect.verdict != "not shown") == (theirs.pvalue < 1 - CONFIDENCE)


def test_a_mean_has_the_interval_of_one_sample() -> None:
    values = [14.7, 15.9, 13.6, 14.9]
    interval = stats.ttest_1samp(values, 0).confidence_interval(CONFIDENCE)
    assert (mean(values).low, mean(values).high) == pytest.approx((interval.low, interval.high))


def test_of_one_pair_nothing_more_is_said() -> None:
    effect = paired([35.7], [18.8])
    assert effect.value == pytest.approx(16.9)
    assert effect.verdict == "one run"
    assert effect.high == -effect.low == np.inf


@pytest.mark.parametrize(("low", "high", "verdict"), [(0.1, 3, "more"), (-3, -0.1, "less"), (-1, 1, "not shown")])
def test_a_difference_is_shown_when_its_interval_leaves_zero_out(low: float, high: float, verdict: str) -> None:
    assert Effect((low + high) / 2, low, high, 3).verdict == verdict


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_noise_is_seldom_taken_for_a_difference(seeds: int) -> None:
    rng = np.random.default_rng(0)
    claims = sum(
        paired(rng.normal(20, 2, seeds).tolist(), rng.normal(20, 2, seeds).tolist()).verdict != "not shown"
        for _ in range(1000)
    )
    assert claims <= 50


def test_a_difference_of_twice_the_spread_is_found() -> None:
    rng = np.random.default_rng(0)
    found = [paired(rng.normal(26, 2, 5).tolist(), rng.normal(20, 2, 5).tolist()).verdict for _ in range(200)]
    assert found.count("more") > 120
    assert "less" not in found


def test_images_are_drawn_again_as_by_hand() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random(400) < 0.3, rng.random(400) < 0.2
    effect = paired_over_images(first, second, np.random.default_rng(2), 20_000)
    assert effect.value == pytest.approx(100 * (first.mean() - second.mean()))
    places = np.random.default_rng(3).integers(0, 400, (20_000, 400))
    by_hand = 100 * (first[places].mean(1) - second[places].mean(1))
    low, high = np.percentile(by_hand, [1, 99])
    assert (effect.low, effect.high) == pytest.approx((low, high), abs=0.25)


@pytest.mark.parametrize(("first", "second"), [([], []), ([1.0], [1.0, 2.0])])
def test_what_is_not_paired_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="paired"):
        paired(first, second)
