"""Sentences about paths, against decompositions whose outcome is known by hand."""

from math import comb
from typing import Any

import numpy as np
import pytest

from app.studies.paths import words as path_words
from app.studies.paths.questions import PathGradients, SampledPaths
from app.studies.paths.words import BETS
from app.studies.subnetworks.questions import SubNetworks
from app.studies.subnetworks.words import chosen_row, subnet_words
from app.values.arrays import Floats
from models.spec import NetSpec

NET = NetSpec.parse("preact-20")


def exact(norms: list[float], whole: float, **changes: Any) -> PathGradients:
    n = len(norms) - 1
    counts = [comb(n, k) for k in range(n + 1)]
    fields: dict[str, Any] = {
        "at": "stem",
        "images": 64,
        "blocks": n,
        "lengths": np.arange(n + 1),
        "counts": tuple(map(str, counts)),
        "log10_counts": np.log10(counts),
        "norms": np.array(norms, float),
        "gradient_norm": whole,
        "remainder_norm": 0.0,
        "relative_remainder": 3.14e-7,
    }
    return PathGradients(**(fields | changes))


def said(result: PathGradients, bet: str | None = None) -> str:
    return "\n".join(path_words.gradient_words(NET, result, None, bet))


def test_gradient_on_short_paths_is_called_short_and_the_share_of_paths_is_counted() -> None:
    words = said(exact([0, 3, 1, 0, 0], 4.0))
    assert "Length 1 alone carries most of it**: 75 % of the norms on the left, and 25 % of all paths" in words
    assert "95 % lie in lengths 1–2, which are 62.5 % of all paths" in words
    assert "weighed by the gradient of its length, 1.2: the gradient comes through **shorter** paths" in words
    assert "to 3·10⁻⁷" in words


@pytest.mark.parametrize(("norms", "found"), [([4, 1, 0, 0, 0], 0), ([1, 4, 6, 4, 1], 1), ([0, 0, 0, 1, 4], 2)])
def test_a_prediction_is_right_where_the_mean_length_says_so(norms: list[float], found: int) -> None:
    for nth, bet in enumerate(BETS):
        words = said(exact(norms, 5.0), bet)
        assert ("so it is here" in words) == (nth == found)
        assert f"The measurement says *{BETS[found]}*" in words or nth == found


def test_norms_that_cancel_and_norms_that_agree_are_told_apart() -> None:
    assert "norms cannot" in said(exact([1, 1, 1], 1.0))
    assert "nearly the same" in said(exact([1, 1, 1], 2.9))


def test_a_gradient_of_nothing_or_not_a_number_is_not_compared() -> None:
    assert "nothing can be compared" in said(exact([0, 0, 0], 0.0))
    assert "nothing can be compared" in said(exact([1, float("nan"), 0], 1.0))


def test_lengths_that_were_not_told_apart_are_a_remainder() -> None:
    words = said(exact([1, 2, 1], 5.0, blocks=600, remainder_norm=0.25))
    assert "Paths of up to 2 branches are told apart" in words
    assert "norm 0.25" in words
    assert "prediction" not in words


@pytest.mark.parametrize(
    ("off", "words"),
    [((), "2⁹ = 512 paths"), ((1,), "2⁸ = 256 are left, half of all"), ((0, 2), "2⁷ = 128 are left, 1/4 of all")],
)
def test_each_block_that_is_off_takes_half_of_the_paths(off: tuple[int, ...], words: str) -> None:
    assert words in "\n".join(path_words.tree_words(NET, "preact-20", frozenset(off)))


def test_a_plain_net_has_one_path_and_loses_it() -> None:
    plain = NetSpec.parse("plain-20")
    assert "one path" in path_words.tree_words(plain, "plain-20", frozenset())[0]
    assert "With F₄ off nothing leads through" in path_words.tree_words(plain, "plain-20", frozenset([3]))[0]


def test_the_paper_s_range_stands_under_ours() -> None:
    n = 54
    counts = [comb(n, k) for k in range(n + 1)]
    means = np.full(n + 1, 1.0)
    sampled = SampledPaths(
        "stem", 1, n, 1, np.arange(n + 1), tuple(map(str, counts)), np.log10(np.array(counts, float)), means, means,
        means, (5, 17), 0.004537,
    )  # fmt: skip
    ours, paper = path_words.veit_table(NetSpec.parse("resnet-110"), "mine", sampled).splitlines()[-2:]
    assert "| 54 | 20–34 | 5–17 | 0.454 % |" in ours
    assert "| 54 | 19–35 | 5–17 | 0.45 % |" in paper


def test_a_sub_network_is_found_by_what_is_off_and_ranked_among_its_size() -> None:
    kept = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(bool)
    errors = np.array([90, 80, 70, 30, 60, 20, 25, 10], float)
    sizes = np.arange(4)
    groups = [np.flatnonzero(kept.sum(1) == size) for size in sizes]
    means = np.array([errors[group].mean() for group in groups])
    best = np.array([group[errors[group].argmin()] for group in groups])
    worst = np.array([group[errors[group].argmax()] for group in groups])
    gained, lost = np.array([0, 0, 0, 2, 0, 2, 0, 0]), np.array([80, 70, 60, 22, 50, 12, 15, 0])  # of 100 images
    by_size = (sizes, ("1", "3", "3", "1"), means, means, means, best, worst)
    result = SubNetworks(100, True, kept, errors, errors, gained, lost, *by_size)
    whole, *compared, halves, chosen = subnet_words(result, frozenset([0]))
    assert whole == "The whole net errs on **10.0 %** of 100 test images."
    assert [one.partition(":")[0] for one in compared] == [
        "The test error of **the best of 3 with 2 blocks kept** is 10.0 points above that of **the whole net**",
        "The test error of **the worst of 3 with 2 blocks kept** is 20.0 points above that of **the whole net**",
    ], "half of three blocks is two of them once more, and is said once"
    assert "chosen on one half of the images" in halves
    assert chosen == "Without F₁: **25.0 %** mistakes, the 2nd best of the 3 with 2 blocks kept."
    assert chosen_row(result, frozenset([0, 1, 2])) == 0
    assert chosen_row(result, frozenset()) == 7


@pytest.mark.parametrize(("mean", "found"), [(8.99, 0), (9, 1), (10, 1), (11, 1), (11.01, 2)])
def test_mean_lengths_are_equal_up_to_a_twentieth_of_the_blocks_from_half_of_them(mean: float, found: int) -> None:
    assert path_words.leaning(np.array([1.0]), np.array([mean]), 20) == found


@pytest.mark.parametrize(("whole", "agree"), [(20.0, False), (20.03125, True)])
def test_norms_agree_while_they_add_up_to_less_than_a_tenth_more_than_the_sum_s(whole: float, agree: bool) -> None:
    assert ("nearly the same" in said(exact([11, 11, 0], whole))) == agree


@pytest.mark.parametrize("name", ["preact-20", "resnet-20"])
def test_the_sum_over_paths_is_said_to_be_exact_backward_alone_pre_activation_included(name: str) -> None:
    said_of = "\n".join(path_words.tree_words(NetSpec.parse(name), name, frozenset()))
    assert "F₂(x₀ + F₁(x₀)) is not F₂(x₀) + F₂(F₁(x₀))" in said_of
    assert "Backward, the sum over all paths is exact" in said_of


def relu(values: Floats) -> Floats:
    return np.maximum(values, 0)


def test_two_pre_activation_blocks_are_no_sum_over_paths_forward_and_one_backward() -> None:
    """By hand: F(x) = W relu(x); the slopes are those of finite differences."""
    own = np.random.default_rng(0)
    x, first, second = own.normal(size=4), own.normal(size=(4, 4)), own.normal(size=(4, 4))

    def nested(at: Floats) -> Floats:
        middle = at + first @ relu(at)
        return np.asarray(middle + second @ relu(middle))

    middle = x + first @ relu(x)
    assert not np.allclose(nested(x), middle + second @ relu(x) + second @ relu(first @ relu(x)), atol=0.1)
    one, two = first * (x > 0), second * (middle > 0)
    slopes = np.array([(nested(x + step) - nested(x - step)) / 2e-6 for step in 1e-6 * np.eye(4)]).T
    assert np.allclose(slopes, np.eye(4) + one + two + two @ one, atol=1e-5)
