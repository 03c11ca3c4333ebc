"""Sentences about lesions, against studies whose outcome is known by hand."""

import numpy as np
import pytest

from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.studies.lesions.words import pair_words, random_words, reorder_words, single_verdicts, single_words
from models.spec import NetSpec

NET = NetSpec.parse("resnet-20")


def single(errors: list[float]) -> SingleLesions:
    error = np.array(errors)
    labels = np.zeros(4, dtype=int)
    predicted = np.zeros((len(errors), 4), dtype=int)
    return SingleLesions(10.0, 0.3, np.full(2, 10.0), labels, error, error, error[:, None] + [0, 1], predicted, labels)


def test_words_name_the_block_that_hurts_and_whether_shapes_change_there() -> None:
    errors = [11.0] * 9
    errors[3] = 60.0
    said = single_words("r", NET, single(errors))
    assert "block 3 hurts most" in said
    assert "It is one of those where shapes change (blocks 3, 6). In the median a cut costs 1.0 points; 8 of 9" in said
    errors[3], errors[1] = np.nan, 50.0
    said = single_words("r", NET, single(errors))
    assert "Shapes do not change there" in said
    assert "1 of its blocks cannot be cut" in said


@pytest.mark.parametrize(
    ("other", "verdict"), [(50.0, "and p 40.0"), (5.0, "Against the expectation"), (11.5, "about")]
)
def test_the_verdict_follows_the_numbers(other: float, verdict: str) -> None:
    nothing = single([np.nan] * 9)
    [said] = single_verdicts(["r", "p", "d"], [single([11.0] * 9), single([other] * 9), nothing])
    assert verdict in said


def test_words_of_random_cuts_are_medians_by_hand() -> None:
    k = np.array([1, 2, 10, 20])
    result = RandomLesions(10.0, k, np.array([[11.0, 12, 90]] * 1 + [[14.0, 15, 16], [40, 50, 60], [90, 90, 91]]), 100)
    [said] = random_words(["r"], [result])
    assert "one block costs 2.0 points in the median, 10 of 20 cost 40.0; with all 20 gone it errs on 90.0 %" in said
    assert "A tenth of the blocks (2) costs 5.0" in said


@pytest.mark.parametrize(
    ("dropped", "verdict"), [(20.0, "10.0 points, its ordinary twin 20.0"), (50.0, "Against"), (31.0, "both about")]
)
def test_the_pair_is_told_by_what_a_tenth_of_the_blocks_costs(dropped: float, verdict: str) -> None:
    said = pair_words(["s", "r"], [single([dropped] * 9), single([30.0] * 9)])
    assert f"(1 of 9) **s** errs on {dropped:.1f} % in the median instead of 10.0 %" in said
    assert verdict in said
    assert "behind its twin" not in said
    deep = RandomLesions(25.0, np.array([1, 3, 27]), np.array([[26.0], [28.0], [90.0]]), 100)
    said = pair_words(["s", "r"], [deep, RandomLesions(10.0, deep.k, deep.error, 100)])
    assert "(3 of 27) **s** errs on 28.0 %" in said
    assert "Whole, it is 15.0 points behind its twin" in said


def test_words_of_orders_say_whether_the_error_follows_tau() -> None:
    tau = np.array([[1.0, 0.9, 0.8], [0.3, 0.2, 0.1]])
    falling = Reorderings(10.0, np.array([1, 5]), tau, 100 - 80 * tau, 100)
    flat = Reorderings(10.0, np.array([1, 5]), tau, np.full((2, 3), 90.0), 100)
    first, second = reorder_words(["r", "p"], [falling, flat])
    assert "the further from its own order, the worse" in first
    assert "correlate at -1.00" in first
    assert "hardly follows" in second


@pytest.mark.parametrize(
    ("other", "verdict"), [(2.99, "both about the same"), (3.0, "and p 3.0"), (-0.99, "about"), (-1.0, "Against")]
)
def test_prices_are_the_same_up_to_two_points_apart(other: float, verdict: str) -> None:
    [said] = single_verdicts(["r", "p"], [single([11.0] * 9), single([10.0 + other] * 9)])
    assert verdict in said


def test_a_cut_costs_little_below_two_points() -> None:
    assert "8 of 9 cuts cost less than 2." in single_words("r", NET, single([11.99] * 8 + [12.0]))


@pytest.mark.parametrize(("own", "verdict"), [(14.0, "Against"), (13.99, "both about"), (10.0, "as is to be expected")])
def test_the_pair_costs_the_same_up_to_two_points_apart(own: float, verdict: str) -> None:
    assert verdict in pair_words(["s", "r"], [single([own] * 9), single([12.0] * 9)])


@pytest.mark.parametrize(("whole", "behind"), [(12.0, True), (11.99, False)])
def test_the_net_of_dropped_blocks_is_behind_from_two_points_on(whole: float, behind: bool) -> None:
    k, errors = np.array([1, 3, 27]), np.array([[26.0], [28.0], [90.0]])
    said = pair_words(["s", "r"], [RandomLesions(whole, k, errors, 100), RandomLesions(10.0, k, errors, 100)])
    assert ("behind its twin" in said) == behind


@pytest.mark.parametrize(("rise", "follows"), [(5.0, True), (4.99, False), (-5.0, False)])
def test_the_error_follows_tau_from_five_points_on(rise: float, follows: bool) -> None:
    tau = np.array([[1.0, 1.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5]])
    errors = np.array([[20.0] * 4, [20.0 + rise] * 4])
    [said] = reorder_words(["r"], [Reorderings(10.0, np.array([1, 5]), tau, errors, 100)])
    assert ("the further from its own order, the worse" in said) == follows
