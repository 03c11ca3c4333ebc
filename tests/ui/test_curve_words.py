"""The words under the curves follow the numbers: other numbers, other words."""

from typing import Any

import numpy as np
import pytest

from app.ui.runs.curve_words import Standing, passages
from app.values.run_spec import RECIPES, RunSpec
from app.values.series import Series
from models.spec import NetSpec

STEPS, WINDOW = 200, 10


def standing(name: str, error: float | None, *, steps: int = STEPS, epochs: int = 1, **changes: Any) -> Standing:
    """A net whose training error is `error` after so many steps."""
    count = 0 if error is None else steps
    curve = np.full(count, error or 0.0)
    ends = np.arange(1, epochs + 1) * (count // max(epochs, 1)) if count else np.empty(0, int)
    net = NetSpec.parse(name).fitted(1, 10)
    norms = np.linspace(3.0, 1.0, 4)
    values: dict[str, Any] = {
        "name": name,
        "spec": RunSpec(net=net),
        "series": Series(
            np.arange(count),
            curve,
            curve,
            curve,
            ("stem.conv", "head.fc"),
            np.arange(count),
            np.ones((count, 2)),
            np.ones((count, 2)),
            np.ones((count, 2)),
            ends,
            np.full(len(ends), error or 0.0),
            np.full(len(ends), error or 0.0),
            WINDOW,
        ),
        "error": error,
        "window": WINDOW,
        "under_way": False,
        "norms_at": lambda step: norms if 0 <= step < count else None,
    }
    return Standing(**{**values, **changes})


def said(*standings: Standing, step: int | None = None, guess: str | None = None) -> str:
    return "\n".join(passages(list(standings), step, guess))


def test_a_plain_net_that_is_behind_is_said_to_be_behind_by_the_measured_gap() -> None:
    text = said(standing("plain-56", 71.3), standing("resnet-56", 33.1))
    assert "**plain-56** makes 38.2 points more mistakes than **resnet-56**" in text
    assert "not overfitting" in text


def test_a_plain_net_that_is_ahead_is_said_to_be_ahead() -> None:
    text = said(standing("plain-20", 20.0), standing("resnet-20", 29.5))
    assert "**plain-20** is ahead of **resnet-20**, by 9.5 points" in text
    assert "more mistakes" not in text


def test_the_order_in_which_the_nets_stand_changes_nothing() -> None:
    pair = standing("plain-56", 71.3), standing("resnet-56", 33.1)
    assert passages(list(pair), None, None)[0] == passages(list(pair[::-1]), None, None)[0]


def test_nets_within_a_point_are_said_to_be_equal() -> None:
    assert "within a point of each other" in said(standing("plain-20", 20.0), standing("resnet-20", 20.9))


@pytest.mark.parametrize(("plain", "direction"), [(23.0, "3.0 points more"), (17.0, "3.0 points fewer")])
def test_a_small_gap_is_called_small_and_has_a_direction(plain: float, direction: str) -> None:
    text = said(standing("plain-20", plain), standing("resnet-20", 20.0))
    assert f"makes {direction} mistakes" in text
    assert "That is little" in text


def test_a_small_gap_while_training_is_too_early_to_tell() -> None:
    text = said(standing("plain-20", 23.0, under_way=True), standing("resnet-20", 20.0))
    assert "Too early to tell: plain-20 and resnet-20 are within 3.0 points" in text
    assert f"averaged over {WINDOW} steps" in text


def test_a_clear_gap_is_said_while_training_but_not_of_the_first_batches() -> None:
    def at(steps: int) -> str:
        return said(standing("plain-20", 60.0, steps=steps, under_way=True), standing("resnet-20", 20.0, steps=steps))

    assert "40.0 points more" in at(WINDOW)
    assert "Too early to tell" in at(WINDOW - 1)


def test_of_an_early_moment_of_a_finished_race_nothing_final_is_said() -> None:
    pair = standing("plain-56", 90.0), standing("resnet-56", 89.6)
    assert "Too early to tell" in said(*pair, step=0)
    assert "within a point" in said(*pair)


def test_without_a_pair_the_best_is_named_and_nothing_compared() -> None:
    text = said(standing("resnet-20", 30.0), standing("preact-56", 22.5))
    assert "**preact-56**, at 22.5 %" in text
    assert "plain net" not in text
    assert "**resnet-20**, at 30.0 %" in said(standing("resnet-20", 30.0))


def test_a_net_that_trains_otherwise_is_no_twin() -> None:
    other = RunSpec(net=NetSpec.parse("resnet-56").fitted(1, 10), recipe=RECIPES["paper"])
    text = said(standing("plain-56", 70.0), standing("resnet-56", 30.0, spec=other))
    assert "more mistakes" not in text
    assert "**resnet-56**, at 30.0 %" in text


def test_of_several_pairs_the_deepest_is_told() -> None:
    nets = {"plain-20": 30.0, "resnet-20": 29.0, "plain-56": 70.0, "resnet-56": 30.0}
    assert "**plain-56** makes 40.0 points" in said(*(standing(name, error) for name, error in nets.items()))


def test_before_the_first_step_nothing_is_claimed() -> None:
    text = said(standing("plain-56", None), standing("resnet-56", None))
    assert "Nothing is measured yet" in text
    assert "**" not in text


def test_a_net_that_diverged_is_not_said_to_learn_badly() -> None:
    text = said(standing("plain-56", 90.0, diverged=True), standing("resnet-56", 30.0), guess="resnet-56")
    assert "The training of **plain-56** diverged" in text
    assert "more mistakes" not in text
    assert "You expected" not in text
    assert "diverged" in said(standing("plain-56", None, diverged=True))


@pytest.mark.parametrize(
    ("guess", "verdict"),
    [
        ("resnet-56", "and it does"),
        ("plain-56", "the measurement says **resnet-56**"),
        (None, ""),
        ("no difference", "the measurement says that **resnet-56** makes fewer"),
    ],
)
def test_the_verdict_on_the_prediction_is_the_measurement_s(guess: str | None, verdict: str) -> None:
    text = said(standing("plain-56", 70.0), standing("resnet-56", 30.0), guess=guess)
    assert verdict in text
    assert ("You expected" in text) is bool(verdict)
    turned = said(standing("plain-56", 30.0), standing("resnet-56", 70.0), guess=guess)
    assert not verdict or verdict not in turned


def test_no_difference_is_right_only_at_the_end() -> None:
    pair = standing("plain-56", 31.0), standing("resnet-56", 30.0)
    assert "and the nets end within a few points" in said(*pair, guess="no difference")
    assert "You expected" not in said(pair[0], standing("resnet-56", 30.0, under_way=True), guess="no difference")


def test_the_verdict_waits_for_an_epoch_and_a_clear_gap() -> None:
    for plain, epochs in ((70.0, 0), (33.0, 1)):
        pair = standing("plain-56", plain, epochs=epochs), standing("resnet-56", 30.0)
        assert "You expected" not in said(*pair, guess="resnet-56")


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
    ("plain", "words"),
    [
        (25.0, "makes 5.0 points more mistakes than"),
        (24.99, "That is little"),
        (21.01, "That is little"),
        (21.0, "within a point"),
        (19.0, "within a point"),
        (18.99, "That is little"),
        (15.01, "That is little"),
        (15.0, "is ahead of"),
    ],
)
def test_a_gap_is_clear_from_five_points_on_and_none_up_to_one(plain: float, words: str) -> None:
    text = said(standing("plain-20", plain), standing("resnet-20", 20.0))
    found = [one for one in ("That is little", "within a point", "is ahead of", "not overfitting") if one in text]
    assert words in text
    assert len(found) == 1


@pytest.mark.parametrize(("plain", "told"), [(25.0, True), (24.99, False)])
def test_a_prediction_is_judged_from_five_points_on(plain: float, told: bool) -> None:
    pair = standing("plain-20", plain), standing("resnet-20", 20.0)
    assert ("and it does" in said(*pair, guess="resnet-20")) == told
    assert ("So far the measurement says" in said(*pair, guess="plain-20")) == told
    assert ("and the nets end within" in said(*pair, guess="no difference")) == (not told)


def test_of_three_nets_the_worst_tells_that_there_is_a_difference_and_the_second_whether_one_is_best() -> None:
    three = standing("plain-20", 30.0), standing("resnet-20", 20.0), standing("preact-20", 21.0)
    assert "So far the measurement says that **resnet-20**" in said(*three, guess="no difference")
    assert "You expected" not in said(*three, guess="resnet-20")


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
