"""The words under the curves follow the numbers, and say no more than the seeds allow."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from scipy import stats

from app.ui.runs.curve_words import passages
from app.ui.runs.standing import Standing, Trained, compare
from app.values.evidence import CONFIDENCE
from app.values.run_spec import RECIPES, RunSpec
from models.spec import NetSpec

STEPS, WINDOW = 200, 10


def trained(seed: int, error: float, steps: int = STEPS, *, over: bool = True, diverged: bool = False) -> Trained:
    """With an error that falls by a hundredth of a point a step until it is `error`."""

    def at(step: int | None) -> float | None:
        made = steps if step is None else min(step + 1, steps)
        return error + 0.01 * (steps - made) if made else None

    return Trained(seed, steps, over, at, diverged)


def standing(name: str, *errors: float | None, **changes: Any) -> Standing:
    """A net with an error for each seed from 0 on; None: that seed has not begun."""
    net = NetSpec.parse(name).fitted(1, 10)
    norms = np.linspace(3.0, 1.0, 4)
    values: dict[str, Any] = {
        "name": name,
        "spec": RunSpec(net=net),
        "each": tuple(
            trained(seed, error or 0.0, 0 if error is None else STEPS, over=error is not None)
            for seed, error in enumerate(errors)
        ),
        "window": WINDOW,
        "asked": STEPS,
        "norms_at": lambda step: norms if 0 <= step < STEPS else None,
    }
    return Standing(**{**values, **changes})


def under_way(name: str, error: float, steps: int) -> Standing:
    """A net whose only run trains still."""
    return standing(name, each=(trained(0, error, steps, over=False),))


def said(*standings: Standing, step: int | None = None, guess: str | None = None) -> str:
    return "\n".join(passages(list(standings), step, guess))


# ---- one seed ------------------------------------------------------------------------------------------------------


def test_of_one_seed_it_is_told_what_happened_in_this_run() -> None:
    text = said(standing("plain-56", 71.3), standing("resnet-56", 33.1))
    assert "In this run the training error of **plain-56** is 38.2 points above that of **resnet-56**." in text
    turned = said(standing("plain-20", 20.0), standing("resnet-20", 29.5))
    assert "**plain-20** is 9.5 points below that of **resnet-20**" in turned


def test_the_order_in_which_the_nets_stand_changes_nothing() -> None:
    nets = [standing(name, error) for name, error in (("plain-20", 15), ("plain-56", 71.3), ("resnet-56", 33.1))]
    assert sorted(passages(nets, None, None)[:3]) == sorted(passages(nets[::-1], None, None)[:3])


def test_a_deep_plain_net_is_held_against_a_shallow_one_and_what_that_means_is_said_of_it_alone() -> None:
    text = said(standing("plain-20", 15.0), standing("plain-56", 36.0))
    assert "**plain-56** is 21.0 points above that of **plain-20**" in text
    assert "could copy **plain-20**" in text
    assert f"In {STEPS} steps training has not found that solution" in text
    assert "changed by -0.4 points" in text, "the last fifth of 200 steps, at a hundredth of a point a step"
    assert "could copy" not in said(standing("plain-20", 36.0), standing("plain-56", 15.0))
    assert "could copy" not in said(standing("resnet-20", 15.0), standing("resnet-56", 36.0))


def test_what_training_has_not_found_is_said_only_when_it_is_over() -> None:
    early = said(standing("plain-20", 15.0), under_way("plain-56", 36.0, STEPS // 2))
    assert "could copy" not in early
    assert "could copy" not in said(standing("plain-20", 15.0), standing("plain-56", 36.0), step=100)


def test_nets_under_way_are_compared_at_the_last_step_that_both_have_made() -> None:
    text = said(under_way("plain-20", 60.0, 100), under_way("resnet-20", 20.0, 40))
    assert "So far, at step 39:" in text
    assert "40.6 points above" in text, "plain-20 as it was 60 steps before, 0.6 points higher"


def test_of_the_first_batches_nothing_is_said() -> None:
    assert "Too early to tell **plain-20** from **resnet-20**" in said(
        under_way("plain-20", 60.0, WINDOW - 1), under_way("resnet-20", 20.0, WINDOW)
    )
    assert "Too early" not in said(under_way("plain-20", 60.0, WINDOW), under_way("resnet-20", 20.0, WINDOW))


def test_without_a_pair_the_best_is_held_against_each_of_the_others() -> None:
    text = said(standing("resnet-20", 30.0), standing("preact-56", 22.5), standing("highway-32", 25.0))
    assert "**preact-56** is 7.5 points below that of **resnet-20**" in text
    assert "**preact-56** is 2.5 points below that of **highway-32**" in text
    assert "**resnet-20** errs on 30.0 %" in said(standing("resnet-20", 30.0))


def test_a_net_that_trains_otherwise_is_no_twin() -> None:
    other = RunSpec(net=NetSpec.parse("resnet-56").fitted(1, 10), recipe=RECIPES["paper"])
    text = said(standing("plain-56", 30.0), standing("resnet-56", 70.0, spec=other))
    assert "**plain-56** is 40.0 points below" in text, "best against other, as of any two nets"
    assert "could copy" not in said(standing("plain-20", 15.0), standing("plain-56", 36.0, spec=other))


def test_of_several_twins_the_deepest_are_told() -> None:
    nets = {"plain-20": 30.0, "resnet-20": 29.0, "plain-56": 70.0, "resnet-56": 31.0}
    text = said(*(standing(name, error) for name, error in nets.items()))
    assert "**plain-56** is 39.0 points above that of **resnet-56**" in text
    assert "that of **resnet-20**" in text, "deep against shallow, with shortcuts"
    assert "**plain-20** is 1.0" not in text


def test_before_the_first_step_nothing_is_claimed() -> None:
    text = said(standing("plain-56", None), standing("resnet-56", None))
    assert "Nothing is measured yet" in text
    assert "**" not in text


# ---- several seeds -------------------------------------------------------------------------------------------------


def interval(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    found = stats.ttest_rel(first, second).confidence_interval(CONFIDENCE)
    return float(found.low), float(found.high)


def test_over_seeds_a_difference_has_its_interval() -> None:
    plain, residual = (36.0, 34.5, 38.0), (14.0, 13.0, 15.5)
    text = said(standing("plain-56", *plain), standing("resnet-56", *residual))
    low, high = interval(plain, residual)
    assert f"from {low:.1f} to {high:.1f}, over 3 seeds" in text
    assert "In this run" not in text


def test_that_no_difference_is_shown_is_a_result() -> None:
    text = said(standing("resnet-20", 12.0, 14.0, 13.0), standing("resnet-56", 12.5, 13.0, 14.0))
    assert "No difference in training error is shown between **resnet-56** and **resnet-20**" in text
    assert "over 3 seeds" in text


def test_a_deep_plain_net_that_is_not_shown_to_be_worse_is_said_nothing_of() -> None:
    assert "could copy" not in said(standing("plain-20", 12.0, 14.0, 13.0), standing("plain-56", 12.5, 13.0, 14.0))


def test_seeds_are_paired_by_number_and_the_others_left_out() -> None:
    first = standing("plain-56", each=(trained(3, 40.0), trained(1, 30.0), trained(7, 99.0)))
    second = standing("resnet-56", each=(trained(1, 20.0), trained(3, 10.0)))
    seen = compare(first, second, None)
    assert seen is not None
    assert (seen.effect.value, seen.effect.count) == (20.0, 2)
    assert compare(first, standing("resnet-56", each=(trained(2, 10.0),)), None) is None


def test_a_seed_that_trains_still_does_not_count_while_another_is_over() -> None:
    plain = standing("plain-56", each=(trained(0, 40.0), trained(1, 90.0, 30, over=False)))
    seen = compare(plain, standing("resnet-56", 10.0, 10.0), None)
    assert seen is not None
    assert (seen.effect.value, seen.effect.count, seen.step) == (30.0, 1, None)


def test_at_a_step_all_seeds_count_that_have_made_it() -> None:
    plain = standing("plain-56", each=(trained(0, 40.0), trained(1, 90.0, 30, over=False)))
    residual = standing("resnet-56", 10.0, 10.0)
    for step, count in ((29, 2), (30, 1)):
        seen = compare(plain, residual, step)
        assert seen is not None
        assert (seen.effect.count, seen.step) == (count, step)


def test_a_seed_that_diverged_is_said_and_left_out() -> None:
    fallen = standing("plain-56", each=(trained(0, 40.0), trained(1, 90.0, diverged=True)))
    text = said(fallen, standing("resnet-56", 10.0, 10.0))
    assert "The training of **plain-56** diverged with 1 of 2 seeds" in text
    assert "30.0 points above" in text
    alone = standing("plain-56", each=(trained(0, 90.0, diverged=True),))
    text = said(alone, standing("resnet-56", 30.0), guess="resnet-56")
    assert "The training of **plain-56** diverged:" in text
    assert "points" not in text
    assert "You expected" not in text
    assert "diverged" in said(alone)


def test_a_card_s_error_is_the_mean_over_the_seeds_that_count() -> None:
    net = standing("plain-56", each=(trained(0, 40.0), trained(1, 20.0), trained(2, 90.0, 30, over=False)))
    assert net.error(None) == 30.0
    assert net.error(199) == 30.0
    assert standing("plain-56", each=(trained(0, 60.0, 10, over=False), trained(1, 90.0, 5, over=False))).error(
        None
    ) == pytest.approx(60.0)
    assert standing("plain-56", None).error(None) is None


# ---- predictions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        ("resnet-56", "that is what was measured"),
        ("plain-56", "The measurement says otherwise"),
        ("no difference", "Best and worst"),
        (None, ""),
        ("unknown-56", ""),
    ],
)
def test_a_prediction_is_held_against_this_run(guess: str | None, words: str) -> None:
    text = said(standing("plain-56", 70.0), standing("resnet-56", 30.0), guess=guess)
    assert words in text
    assert ("You expected" in text) is bool(words)
    assert "In this run" in text


@pytest.mark.parametrize(
    ("residual", "guess", "words"),
    [
        ((14.0, 13.0, 15.5), "resnet-56", "that is what was measured"),
        ((14.0, 13.0, 15.5), "plain-56", "The measurement says otherwise"),
        ((14.0, 13.0, 15.5), "no difference", "There is one"),
        ((36.5, 34.0, 38.0), "resnet-56", "That is not decided"),
        ((36.5, 34.0, 38.0), "no difference", "Best and worst"),
    ],
)
def test_over_seeds_it_is_right_wrong_or_open(residual: tuple[float, ...], guess: str, words: str) -> None:
    assert words in said(standing("plain-56", 36.0, 34.5, 38.0), standing("resnet-56", *residual), guess=guess)


def test_a_prediction_waits_for_the_end() -> None:
    pair = standing("plain-56", 70.0), under_way("resnet-56", 30.0, 100)
    assert "You expected" not in said(*pair, guess="resnet-56")
    assert "You expected" not in said(pair[0], standing("resnet-56", 30.0, evaluated=False), guess="resnet-56")


# ---- the map -------------------------------------------------------------------------------------------------------


def test_first_layer_against_last_is_computed_at_the_slider_s_step() -> None:
    assert "At step 0 the first layer of plain-56 receives a gradient 3.0 times that" in said(
        standing("plain-56", 70.0)
    )
    rising = standing("plain-56", 70.0, norms_at=lambda step: np.array([1.0, 500.0]) if step == 7 else None)
    assert "At step 7 the first layer of plain-56 receives a gradient 1/500 of that" in said(rising, step=7)
    assert "In the map" not in said(rising)


def test_norms_without_a_ratio_are_passed_over() -> None:
    for norms in ([0.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]):
        assert "In the map" not in said(standing("plain-56", 70.0, norms_at=lambda _, norms=norms: np.array(norms)))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (5.0, 5.0, "1/1.0 of that"),
        (99.0, 10.0, "9.9 times that"),
        (100.0, 10.0, "10 times that"),
        (1.0, 2.5, "1/2.5 of"),
    ],
)
def test_a_ratio_has_one_decimal_below_ten_and_says_which_layer_receives_more(
    first: float, last: float, words: str
) -> None:
    norms = np.array([first, 1000.0, last])
    assert words in said(standing("plain-20", 70.0, norms_at=lambda _: norms))
