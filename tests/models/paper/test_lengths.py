"""How long paths are, against SciPy, the papers' figures and counting by hand."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from scipy import stats

from models.paper.lengths import (
    active_blocks,
    expected_depth,
    path_counts,
    share,
    shortest_range,
    successes,
    survivals,
    trained_lengths,
)
from models.spec import NetSpec

RESNET_110 = NetSpec.parse("resnet-110")


def test_veit_s_shares_of_the_paths_through_54_blocks() -> None:
    counts = path_counts(RESNET_110, 54)
    assert share(counts, 19, 35) == pytest.approx(0.980, abs=0.0005)  # Veit 2016, section 4.2: "more than 95%"
    assert share(counts, 5, 17) == pytest.approx(0.004537, abs=5e-7)  # section 4.3: 0.45%
    assert sum(counts.values()) == 2**54
    assert counts[27] == comb(54, 27)


def test_a_plain_net_has_one_path_and_a_limit_leaves_the_longer_ones_out() -> None:
    assert path_counts(NetSpec.parse("plain-20"), 9, 4) == {9: 1}
    assert path_counts(NetSpec.parse("resnet-20"), 9, 2) == {0: 1, 1: 9, 2: 36}
    assert path_counts(NetSpec.parse("resnet-20"), 2, 9) == {0: 1, 1: 2, 2: 1}


def test_the_shortest_range_is_the_shortest_of_all() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        weights = rng.exponential(size=12)
        first, last = shortest_range(weights.tolist(), 0.8)
        held = {
            (i, j): weights[i:j].sum()
            for i, j in combinations(range(13), 2)
            if weights[i:j].sum() >= 0.8 * weights.sum()
        }
        least = min(j - i for i, j in held)
        assert last - first + 1 == least
        assert weights[first : last + 1].sum() == pytest.approx(max(w for (i, j), w in held.items() if j - i == least))


def test_a_single_weight_is_a_range() -> None:
    assert shortest_range([3.0]) == (0, 0)
    assert shortest_range([0.0, 0.0, 5.0, 0.0]) == (2, 2)


def test_equal_chances_give_the_binomial_and_unequal_ones_scipy_s() -> None:
    assert successes([0.5] * 54) == pytest.approx(stats.binom(54, 0.5).pmf(range(55)).tolist())
    chances = np.linspace(0.1, 0.9, 7)
    assert successes(chances.tolist()) == pytest.approx(stats.poisson_binom(chances).pmf(np.arange(8)).tolist())


def test_stochastic_depth_trains_a_net_of_three_quarters_of_the_depth() -> None:
    spec = NetSpec.parse("stochastic-110")
    assert expected_depth(spec) == pytest.approx((3 * 54 - 1) / 4)  # Huang 2016, section 3: about 40 of 54
    assert survivals(spec)[-1] == pytest.approx(0.5)
    of = np.arange(55)
    assert np.dot(active_blocks(spec), of) == pytest.approx(40.25)
    assert np.dot(trained_lengths(spec), of) == pytest.approx(20.125)
    assert sum(trained_lengths(spec)) == pytest.approx(1)


def test_where_no_branch_is_dropped_the_lengths_are_binomial() -> None:
    assert trained_lengths(RESNET_110) == pytest.approx(stats.binom(54, 0.5).pmf(range(55)).tolist())
    assert expected_depth(RESNET_110) == 54
