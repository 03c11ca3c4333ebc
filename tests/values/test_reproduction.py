"""Verdicts on claims: the rule against noise and against SciPy, the cards against the papers' own numbers."""

from math import inf, isfinite, pi

import numpy as np
import pytest
from scipy.stats import binom, spearmanr, t

from app.values.evidence import Effect, mean
from app.values.races import RACES
from app.values.reproduction.card import Card, training_seconds
from app.values.reproduction.cards import CARDS, TABLES, find
from app.values.reproduction.kept import Reproduced, bundle, bundled, current, reached
from app.values.reproduction.verdicts import (
    Claimed,
    around,
    combined,
    exactly,
    over_seeds,
    rank_correlation,
    verdict,
)

ABOVE, NEAR = Claimed(low=0), around(1.0, 0.25)


@pytest.mark.parametrize(
    ("low", "high", "claimed", "said"),
    [
        (0.1, 2.0, ABOVE, "reproduced"),
        (-2.0, -0.1, ABOVE, "contrary"),
        (-0.1, 2.0, ABOVE, "underpowered"),
        (-inf, inf, ABOVE, "underpowered"),
        (-2.0, -0.1, Claimed(high=0), "reproduced"),
        (0.1, 2.0, Claimed(high=0), "contrary"),
        (0.8, 1.2, NEAR, "reproduced"),
        (1.3, 1.4, NEAR, "contrary"),
        (0.2, 0.7, NEAR, "contrary"),
        (0.7, 1.2, NEAR, "underpowered"),
        (0.0, 2.0, NEAR, "underpowered"),
    ],
)
def test_the_interval_alone_decides(low: float, high: float, claimed: Claimed, said: str) -> None:
    assert verdict(Effect((low + high) / 2 if isfinite(low) else 0.0, low, high, 5), claimed) == said


def test_what_nobody_measured_was_not_tried_and_one_seed_decides_nothing() -> None:
    assert verdict(None, ABOVE) == "not tried"
    assert verdict(mean([7.0]), ABOVE) == "underpowered"
    assert verdict(over_seeds([]), ABOVE) == "not tried"


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("claimed", [ABOVE, Claimed(high=0), around(0.5, 0.5), Claimed(low=0.0, high=inf)])
def test_noise_decides_at_most_five_of_a_hundred_cards(claimed: Claimed, seeds: int) -> None:
    rng = np.random.default_rng(seeds)
    edge = claimed.low if isfinite(claimed.low) else claimed.high  # where neither verdict is true
    said = [verdict(mean(rng.normal(edge, 1.0, seeds).tolist()), claimed) for _ in range(1000)]
    assert sum(one in ("reproduced", "contrary") for one in said) <= 50


def test_ranks_agree_with_scipy_ties_among_them() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = rng.integers(0, 6, 8), rng.normal(size=8)
        assert rank_correlation(first.tolist(), second.tolist()) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) == 0.0


def test_the_numbers_of_several_nets_become_one() -> None:
    assert combined("alone", [3.0]) == 3.0
    assert combined("difference", [3.0, 5.0]) == -2.0
    assert combined("ratio", [3.0, 4.0]) == 0.75
    # He et al. 2015, table 2: 27.94 → 28.54 plain, 27.88 → 25.03 residual: 3.45 points between them.
    assert combined("interaction", [27.94, 28.54, 27.88, 25.03]) == pytest.approx(3.45)
    assert combined("ranks", [1.0, 2.0, 3.0], [10.0, 20.0, 30.0]) == pytest.approx(1.0)


def test_the_interval_over_seeds_is_student_s() -> None:
    values = [1.0, 2.0, 4.0, 4.5, 7.0]
    effect = over_seeds([*values, float("nan")])
    assert effect is not None
    low, high = t.interval(0.98, 4, np.mean(values), np.std(values, ddof=1) / 5**0.5)
    assert [effect.low, effect.high] == pytest.approx([low, high])
    assert effect.count == 5
    assert exactly(98.0) == Effect(98.0, 98.0, 98.0, 1)


def test_every_card_says_beforehand_what_would_count_and_stands_on_the_page_once() -> None:
    shown = [name for names in TABLES.values() for name in names]
    assert sorted(shown) == sorted(set(shown)) == sorted(CARDS)
    for card in CARDS.values():
        assert isfinite(card.claimed.low) or isfinite(card.claimed.high)
        assert all((card.claim.endswith("."), card.source, card.paper, card.tolerance))
        assert card.why_not or card.here
        assert len(card.rows) in (0, len(card.nets))
    with pytest.raises(ValueError, match="there is no card 'nonsense': plain-depth"):
        find("nonsense")


def test_the_papers_numbers() -> None:
    # He et al. 2016, tables 2 and 1, 110 layers; Yang et al. 2019; He et al. 2015, table 6.
    assert find("orders").rows == (6.61, 8.17, 7.84, 6.71, 6.37)
    assert find("dial").rows == (6.61, 12.35, 8.70, 12.22)
    low, high = find("explosion").claimed.low, find("explosion").claimed.high
    assert (low + high) / 2 == pytest.approx(pi / (pi - 1), abs=1e-3)
    assert (find("table-6").claimed.low + find("table-6").claimed.high) / 2 == 8.75
    assert 100 * (binom.cdf(35, 54, 0.5) - binom.cdf(18, 54, 0.5)) > find("path-lengths").claimed.low


def test_the_cards_of_races_train_what_the_races_train() -> None:
    for card, race in (("orders", "orders"), ("dial", "dial")):
        assert find(card).specs(1) == [
            spec.model_copy(update={"threads": 0}) for spec in sorted(RACES[race].specs(), key=_place(find(card)))
        ]


def _place(card: Card):  # type: ignore[no-untyped-def]
    nets = [spec.net for spec in card.specs(1)]
    return lambda spec: nets.index(spec.net)


def test_all_nets_of_a_seed_come_before_the_next_and_cost_what_they_multiply() -> None:
    card = find("plain-depth")
    specs = card.specs(2)
    assert [(spec.net.name, spec.seed) for spec in specs] == [
        ("plain-56", 0),
        ("plain-20", 0),
        ("plain-56", 1),
        ("plain-20", 1),
    ]
    assert training_seconds(specs[0]) > 2 * training_seconds(specs[1])
    assert card.seconds([], 5) == 0
    assert card.seconds(specs, 5) == pytest.approx(sum(map(training_seconds, specs)) / 2)


def test_a_verdict_goes_with_the_card_as_it_was_asked(tmp_path) -> None:  # type: ignore[no-untyped-def]
    card, file = find("plain-depth"), tmp_path / "reproduced.json"
    outcome = reached(card, mean([5.0]), 1, "a machine", "2026-11-26")
    assert (outcome.verdict, outcome.low, outcome.high) == ("underpowered", None, None)
    bundle(outcome, file)
    assert bundled(file) == {"plain-depth": outcome}
    assert current(card, outcome) == outcome
    assert current(card, outcome.model_copy(update={"edition": "an older one"})) is None


def test_what_is_bundled_is_of_cards_that_there_are_and_follows_from_its_numbers() -> None:
    assert len(bundled()) >= 9
    for name, told in bundled().items():
        assert current(find(name), told) is not None, f"{name} asks for something else now: measure it anew"
        assert told.verdict == verdict(_effect(told), find(name).claimed)
        assert all((told.machine, told.versions["torch"], told.runs))


def _effect(told: Reproduced) -> Effect:
    low, high = -inf if told.low is None else told.low, inf if told.high is None else told.high
    return Effect(told.measured, low, high, told.seeds)
