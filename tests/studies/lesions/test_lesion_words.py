"""Sentences about lesions, against studies whose outcome is known by hand."""

import re

import numpy as np
import pytest

from app.base.prose import prose
from app.studies.lesions.words import (
    class_words,
    pair_words,
    random_words,
    reorder_words,
    single_verdicts,
    single_words,
)
from models.spec import NetSpec
from tests.support.lesions import at_random, reordered, single

NET, PLAIN = NetSpec.parse("resnet-20"), NetSpec.parse("plain-20")
CONTRARY = "**Contrary to the paper**"


def test_no_passage_states_what_the_reference_runs_contradict() -> None:
    """Measured at width 8: without blocks 3, 0, 2, 1 resnet-56 is worst, and none of these changes shapes."""
    own = {name: text for name, text in prose("lesions").items() if not name.endswith("-paper")}
    assert [name for name, text in own.items() if "missed most" in text] == [
        "why-words",
        "shapes-more",
        "shapes-less",
        "shapes-not shown",
    ]
    assert "whether such a block is missed most is measured below" in own["why-words"]
    assert [name for name, text in own.items() if "smooth" in text] == [
        "smooth-more",
        "smooth-less",
        "smooth-not shown",
    ]


# ── one by one ──


def test_words_name_the_block_that_hurts_and_what_a_cut_costs_in_points_and_in_loss() -> None:
    said = single_words("r", NET, single([11.0] * 8 + [60.0], loss=0.5))
    assert "**r**: block 8 hurts most. Without it the net errs on 60.0 % instead of 10.0 %, with 12 times the" in said
    assert "In the median a cut costs 1.0 points, with 2.2 times the loss" in said


def test_a_block_that_is_not_shown_to_hurt_most_is_not_said_to() -> None:
    said = single_words("r", NET, single([11.0] * 7 + [59.75, 60.0]))
    assert "that one block hurts most is not shown. Without block 8" in said
    assert "block 7 may matter as much" in said


@pytest.mark.parametrize(("error", "shown"), [(10.25, 1), (13.0, 9)])
def test_a_cost_is_counted_where_it_is_shown(error: float, shown: int) -> None:
    """One image of 400 more is no cost, whatever the points; twelve images, and none less, are one."""
    assert f"a higher error is shown for {shown} of 9 cuts" in single_words("r", NET, single([error] * 8 + [60.0]))


@pytest.mark.parametrize(
    ("worst", "second", "verdict"),
    [(3, 0, "As in the paper, a block"), (0, 3, CONTRARY), (1, 6, CONTRARY)],
)
def test_whether_blocks_that_change_shapes_are_missed_most_is_a_verdict(worst: int, second: int, verdict: str) -> None:
    errors = [11.0] * 9
    errors[worst], errors[second] = 80.0, 50.0
    said = single_words("r", NET, single(errors))
    assert "Shapes change at blocks 3, 6." in said
    assert verdict in said
    assert re.search(r"is 30\.0 points (above|below) that of .* over 200 images", said), "the half that chose nothing"


def test_the_dearest_of_a_kind_is_the_one_that_the_choosing_half_finds() -> None:
    result, choosing = single([10.0] * 9), np.arange(400) % 2 == 0
    for block, half, until in ((4, choosing, 200), (5, ~choosing, 400)):  # block 5 costs more, block 4 where it counts
        fooled = half & (np.arange(400) < until)
        result.predicted[block, fooled] = 1 - result.labels[fooled]
    assert "**r without block 4**" in single_words("r", NET, result)


def test_where_neither_kind_is_shown_to_be_missed_more_nothing_is_claimed() -> None:
    said = single_words("r", NET, single([11.0, 11, 11, 60.0, 60.0, 11, 11, 11, 11]))
    assert "not shown that a block which changes shapes is missed most" in said
    assert CONTRARY not in said


def test_a_net_of_one_kind_of_blocks_has_no_verdict_on_shapes() -> None:
    assert "Shapes" not in single_words("r", NetSpec.parse("resnet-20"), single([11.0] * 3 + [np.nan] + [11.0] * 2 + [np.nan] + [12.0] * 2))  # fmt: skip  # noqa: E501


@pytest.mark.parametrize(("error", "verdict"), [(50.0, "As in the paper, a net without"), (40.0, CONTRARY)])
def test_whether_a_net_without_shortcuts_falls_to_chance_is_a_verdict(error: float, verdict: str) -> None:
    errors = [50.0] * 3 + [np.nan] + [error] * 2 + [np.nan] + [50.0] * 2
    said = single_words("p", PLAIN, single(errors))
    assert verdict in said
    assert "2 of its blocks cannot be cut" in said
    assert ("under 2 of 7 cuts" in said) == (verdict == CONTRARY)


@pytest.mark.parametrize(
    ("other", "said", "verdict"),
    [
        (50.0, "The median price of one block of **r** is 39.0 points below that of **p**", "As in the paper"),
        (11.0, "No difference in median price of one block is shown between **r** and **p**", ""),
        (3.0, "The median price of one block of **r** is 8.0 points above that of **p**", CONTRARY),
    ],
)
def test_prices_are_compared_over_images_and_the_paper_is_contradicted_where_it_is(
    other: float, said: str, verdict: str
) -> None:
    nothing = single([np.nan] * 9)
    nets = [NET, PLAIN, NET]
    results = [single([11.0] * 9), single([other] * 9, 10.0), nothing]
    [sentence] = single_verdicts(["r", "p", "d"], nets, results)
    assert sentence.startswith(said)
    assert "over 400 images" in sentence
    assert verdict in sentence
    assert verdict or "paper" not in sentence
    [turned] = single_verdicts(["p", "r"], [PLAIN, NET], results[1::-1])
    assert verdict in turned, "whichever of the two stands first"
    [alike] = single_verdicts(["r", "p"], [NET, NET], results[:2])
    assert "paper" not in alike, "the paper compares a net with shortcuts and one without"


# ── at random ──


def test_words_of_random_cuts_are_medians_by_hand() -> None:
    result = at_random(10.0, [1, 2, 10, 20], [[11, 12, 90], [14, 15, 16], [40, 50, 60], [90, 90, 91]], loss=0.5)
    [said] = random_words(["r"], [NET], [result])
    assert "one block costs 2.0 points in the median, 10 of 20 cost 40.0, with 10 times the loss" in said
    assert "with all 20 gone it errs on 90.0 %" in said
    assert "A tenth of the blocks (2) costs 5.0, with 3 times the loss." in said


@pytest.mark.parametrize(
    ("tenth", "verdict"), [(15.0, "a smooth rise, as in the paper"), (50.0, "is not shown"), (70.0, CONTRARY.lower())]
)
def test_whether_the_error_rises_smoothly_is_a_verdict(tenth: float, verdict: str) -> None:
    """Of the 80 points to 90 %, a tenth of the blocks makes 5, 40 and 60."""
    result = at_random(10.0, [1, 2, 10, 20], [[11] * 3, [tenth] * 3, [80] * 3, [90] * 3])
    [said] = random_words(["r"], [NET], [result])
    assert f"2 of 20 blocks make {100 * (tenth - 10) / 80:.0f} % of the way" in said
    assert verdict in said.lower()
    [plain] = random_words(["p"], [PLAIN], [result])
    assert "paper" not in plain, "its figure is of a net with shortcuts"


def test_a_quarter_of_the_blocks_is_compared_over_images() -> None:
    cheap, dear = (at_random(10.0, [1, 2, 5, 20], [[11], [12], [at], [90]]) for at in (30.0, 60.0))
    said = random_words(["a", "b"], [NET, NET], [cheap, dear])[-1]
    assert said.startswith("The median price of a quarter of the blocks of **a** is 30.0 points below that of **b**")
    assert said.endswith("over 400 images.")


# ── the pair ──


@pytest.mark.parametrize(
    ("dropped", "verdict"),
    [(20.0, "As is to be expected"), (50.0, "Against the expectation"), (30.0, "No difference in median price")],
)
def test_the_pair_is_told_by_what_a_tenth_of_the_blocks_costs(dropped: float, verdict: str) -> None:
    said = pair_words(["s", "r"], [single([dropped] * 9), single([30.0] * 9)])
    assert f"(1 of 9) **s** errs on {dropped:.1f} % in the median instead of 10.0 %" in said
    assert verdict in said
    assert "a block learns nothing" not in said


@pytest.mark.parametrize(("whole", "behind"), [(25.0, True), (10.25, False)])
def test_the_net_of_dropped_blocks_is_behind_where_that_is_shown(whole: float, behind: bool) -> None:
    k, errors = [1, 3, 27], [[26.0], [28.0], [90.0]]
    said = pair_words(["s", "r"], [at_random(whole, k, errors), at_random(10.0, k, errors)])
    assert f"(3 of 27) **s** errs on 28.0 % in the median instead of {whole:.1f} %" in said
    assert ("The test error, all blocks in place, of **s** is 15.0 points above" in said) == behind
    assert ("a block learns nothing" in said) == behind


# ── reordered ──


@pytest.mark.parametrize(
    ("falls", "gentle", "verdict"),
    [(True, 12.0, "a smooth rise, as in the paper"), (True, 80.0, "no smooth rise"), (False, 90.0, "is not shown")],
)
def test_words_of_orders_say_whether_the_error_follows_tau(falls: bool, gentle: float, verdict: str) -> None:
    tau = np.array([[1.0, 0.95, 0.9, 0.85], [0.2, 0.15, 0.1, 0.05]])
    errors = np.array([[gentle] * 4, [90.0] * 4])
    [said] = reorder_words(["r"], [NET], [reordered(10.0, tau, errors)])
    assert verdict in said
    assert (f"is {90 - gentle:.1f} points above that of" in said) == falls
    assert "over 400 images" in said
    assert "paper" not in reorder_words(["p"], [PLAIN], [reordered(10.0, tau, errors)])[0]


# ── classes ──


def test_the_class_that_suffers_is_chosen_on_one_half_and_measured_on_the_other() -> None:
    result = single([10.0, 10.0, 10.0])
    choosing = np.arange(400) % 2 == 0
    members = (result.labels == 1) & choosing
    result.predicted[2, members] = 0  # all of class 1 wrong, but only where images choose
    said = class_words(result, ["cat", "dog"])
    assert "No difference in error in dog is shown between **the net without block 2** and **the whole net**" in said
    result.predicted[2, result.labels == 1] = 0
    said = class_words(result, ["cat", "dog"])
    assert "The error in dog of **the net without block 2** is 90.0 points above" in said
    assert "over 100 images" in said
    assert class_words(single([np.nan] * 3), ["cat", "dog"]) == ""
