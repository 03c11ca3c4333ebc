"""Intervals over images against brute force, SciPy's bootstrap, and how often noise is taken for a difference."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from app.studies.cuts.over_images import difference, over_images, packed, times, unpacked
from app.studies.lesions.prices import correlation, price, price_difference, rows_of, way_made
from app.studies.lesions.questions import RandomLesions, SingleLesions
from app.studies.lesions.words import single_words
from models.spec import NetSpec
from tests.support.lesions import CLASSES, at_random, single


def noisy(rng: np.random.Generator, errors: list[float], images: int) -> np.ndarray:
    return rng.random((len(errors), images)) < np.array(errors)[:, None] / 100


def answering(wrong: np.ndarray) -> SingleLesions:
    """The whole net's row, then one a block."""
    labels = np.zeros(wrong.shape[1], int)
    errors, none = 100 * wrong.mean(1), np.zeros((len(wrong) - 1, 2))
    return SingleLesions(errors[0], 1.0, none[0], wrong[0] * 1, errors[1:], errors[1:], none, wrong[1:] * 1, labels)


def sampled(wrong: np.ndarray) -> RandomLesions:
    """The whole net's row, then one a draw of one block."""
    errors, bits = 100 * wrong.mean(1), packed(wrong)
    rest = {"error": errors[None, 1:], "loss": errors[None, 1:], "wrong": bits[None, 1:], "images": wrong.shape[1]}
    return RandomLesions(full_error=errors[0], full_loss=1.0, full_wrong=bits[0], k=np.array([1]), **rest)


@pytest.mark.parametrize("images", [1, 7, 8, 500])
def test_a_bit_an_image_is_packed_and_unpacked(images: int) -> None:
    wrong = np.random.default_rng(0).random((2, 3, images)) < 0.5
    assert packed(wrong).nbytes == 6 * -(-images // 8)
    assert (unpacked(packed(wrong), images) == wrong).all()


def test_a_median_s_interval_is_that_of_indices_drawn_by_hand() -> None:
    rng = np.random.default_rng(1)
    first, second = noisy(rng, [15, 40, 50, 80], 300), noisy(rng, [12, 30, 35, 45], 300)

    def by_hand(index: np.ndarray) -> float:
        own, others = (100 * rows[:, index].mean(1) for rows in (first, second))
        return float(np.median(own[1:]) - own[0] - np.median(others[1:]) + others[0])

    found = price_difference(answering(first), answering(second), (1, 1))
    assert found.value == pytest.approx(by_hand(np.arange(300)))
    drawn = [by_hand(rng.integers(0, 300, 300)) for _ in range(4000)]
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [1, 99]), abs=1.0)
    assert found.count == 300


def test_draws_are_drawn_again_with_the_images_and_the_same_ones_for_both_nets() -> None:
    rng = np.random.default_rng(5)
    errors = [15, *np.linspace(20, 80, 10)]
    first, second = noisy(rng, errors, 300), noisy(rng, [12, *np.linspace(10, 40, 10)], 300)

    def by_hand(index: np.ndarray, cuts: np.ndarray) -> float:
        own, others = (100 * rows[:, index].mean(1) for rows in (first, second))
        return float(np.median(own[1 + cuts]) - own[0] - np.median(others[1 + cuts]) + others[0])

    found = price_difference(sampled(first), sampled(second), (1, 1))
    assert found.value == pytest.approx(by_hand(np.arange(300), np.arange(10)))
    drawn = [by_hand(rng.integers(0, 300, 300), rng.integers(0, 10, 10)) for _ in range(6000)]
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [1, 99]), abs=2.0)
    held = [by_hand(rng.integers(0, 300, 300), np.arange(10)) for _ in range(2000)]
    assert found.high - found.low > 1.5 * np.subtract(*np.percentile(held, [99, 1]))


def test_a_difference_s_interval_is_scipy_s_over_paired_images() -> None:
    rng = np.random.default_rng(2)
    whole = rng.random(400) < 0.2
    cut = whole ^ (rng.random(400) < 0.15)  # mostly wrong on the same images: pairing narrows it
    found = difference(cut, whole)
    witness = bootstrap(
        (cut, whole),
        lambda a, b, axis: 100 * (a.mean(axis) - b.mean(axis)),
        paired=True,
        confidence_level=0.98,
        method="percentile",
        vectorized=True,
        rng=0,
    ).confidence_interval
    assert [found.low, found.high] == pytest.approx([witness.low, witness.high], abs=0.8)
    assert found == difference(cut, whole), "a page that is opened again says the same"


def test_correlation_is_numpy_s_and_none_where_nothing_varies() -> None:
    rng = np.random.default_rng(3)
    errors, tau = rng.random((5, 20)), rng.random(20)
    assert correlation(errors, tau)[0] == pytest.approx(np.corrcoef(errors[0], tau)[0, 1])
    many = correlation(np.broadcast_to(errors[0], (4000, 20)), tau)
    by_hand = [np.corrcoef(errors[0][at], tau[at])[0, 1] for at in rng.integers(0, 20, (4000, 20))]
    assert np.percentile(many, [5, 95]) == pytest.approx(np.percentile(by_hand, [5, 95]), abs=0.05)
    assert correlation(np.full((2, 20), 90.0), tau).tolist() == [0, 0]
    assert correlation(errors, np.ones(20)).tolist() == [0] * 5


def test_a_price_is_the_median_over_cuts_minus_the_whole_net_s_error() -> None:
    assert price(np.array([[10.0, 11, 12, 90], [20, 20, 50, 60]])).tolist()[0] == 2
    assert price(np.array([[10.0, 11, 12, 90], [20, 20, 50, 60]]), drawn=False).tolist() == [2, 30]


def test_the_way_made_is_a_share_less_half_and_none_where_there_is_no_way() -> None:
    result = at_random(10.0, [1, 2, 20], [[11] * 3, [30] * 3, [90] * 3])
    made = way_made(result, rows_of(result, 2), rows_of(result, 20))
    assert made is not None
    assert made.value == pytest.approx(100 * 20 / 80 - 50)
    flat = at_random(90.0, [1, 2, 20], [[90] * 3, [90] * 3, [90] * 3])
    assert way_made(flat, rows_of(flat, 2), rows_of(flat, 20)) is None


def test_loss_is_told_as_a_multiple_of_the_whole_net_s() -> None:
    assert (times(3.0, 0.5), times(3.0, 0.0)) == (6.0, float("inf"))


def test_noise_is_seldom_taken_for_a_price_or_for_a_block_that_hurts_most() -> None:
    """Every cut errs on 30 %, drawn anew: which is worst, and which kind, is chance."""
    net, claims = NetSpec.parse("resnet-20"), {"hurts most. Without": 0, "missed most.": 0}
    for nth in range(200):
        result = single([30.0] * 9)
        flipped = noisy(np.random.default_rng(nth), [30.0] * 9, len(result.labels))
        result.predicted[:] = np.where(flipped, (result.labels + 1) % CLASSES, result.labels)
        result.error[:] = 100 * flipped.mean(1)
        said = single_words("r", net, result)
        for claim in claims:
            claims[claim] += claim in said
    assert max(claims.values()) <= 10, "a twentieth"


def test_over_images_is_given_the_errors_as_measured_first() -> None:
    wrong = np.array([[True, False, False, False], [True, True, False, False]])
    seen = []

    def statistic(errors: np.ndarray) -> np.ndarray:
        seen.append(errors)
        return errors[:, 1] - errors[:, 0]

    found = over_images(statistic, wrong)
    assert seen[0][0].tolist() == [25, 50]
    assert found.value == 25
