"""The sentences that compare: what they rest on stands in them, and noise is seldom taken for a difference."""

import numpy as np
import pytest

from app.values.comparing import comparison
from app.values.evidence import Effect, paired


@pytest.mark.parametrize("seeds", [1, 2, 3, 5, 10])
def test_of_two_equal_nets_a_difference_is_claimed_in_a_twentieth_of_the_cases_at_most(seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    claims = 0
    for _ in range(1000):
        first, second = rng.normal(20, 3, (2, seeds)).tolist()
        sentence = comparison("plain-56", "resnet-56", paired(first, second))
        claims += not sentence.startswith(("No difference", "In this run"))
    assert claims <= 50


def test_with_one_seed_it_is_this_run_and_nothing_more() -> None:
    sentence = comparison("plain-56", "resnet-56", paired([35.0], [18.2]))
    assert sentence == "In this run the training error of **plain-56** is 16.8 points above that of **resnet-56**."


def test_a_difference_that_is_shown_has_its_interval_and_its_count() -> None:
    effect = Effect(-16.0, -20.0, -12.0, 3)
    assert comparison("resnet-56", "plain-56", effect) == (
        "The training error of **resnet-56** is 16.0 points below that of **plain-56**: "
        "from 12.0 to 20.0, over 3 seeds."
    )


def test_that_none_is_shown_is_a_result_with_what_still_fits() -> None:
    effect = Effect(-0.74, -2.16, 0.68, 1000)
    assert comparison("preact-56", "preact-20", effect, "test error", over="images") == (
        "No difference in test error is shown between **preact-56** and **preact-20**: "
        "-0.7 points, and all from -2.2 to +0.7 fits, over 1,000 images."
    )


def test_what_rounding_makes_equal_is_not_said_to_be_above() -> None:
    assert comparison("a", "b", paired([20.01], [20.0])).endswith("is the same, to 0.1 points.")
