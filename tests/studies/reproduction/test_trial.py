"""Cards put to the test: which runs they take, and what existing measurements give, against what was worked out."""

from math import comb
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr, t

from app.analysis.answering import answer
from app.analysis.subject import Subject
from app.base.settings import load
from app.store.store import Store, open_store
from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.studies.paths.questions import SampledPaths
from app.studies.reproduction.interval_bar import interval_bar
from app.studies.reproduction.questions import Probabilities, ProbabilitiesQuestion
from app.studies.reproduction.readings import (
    growth_of_variance,
    mean_length_of_path,
    middling_paths,
    of_the_average,
    price_of_one_block,
    rise_with_disorder,
    rise_with_removed,
)
from app.studies.reproduction.trial import Trial
from app.studies.reproduction.verdict_table import keep, known
from app.studies.signal.questions import Signal
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut
from app.values.evidence import mean
from app.values.reproduction.cards import find
from app.values.reproduction.kept import bundled, reached
from tests.support.runs import measured

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The reference runs, and no other."""
    return open_store(load().model_copy(update={"store": tmp_path_factory.mktemp("store")}))


def test_bundled_runs_are_the_card_s_and_nothing_is_trained_twice(store: Store) -> None:
    trial = Trial.of(find("plain-depth"), store.runs.all(), store)
    assert not trial.missing
    assert not trial.questions(store)
    assert [run.id for run in trial.runs[:4] if run] == [
        "reference-plain-56",
        "reference-plain-20",
        "reference-plain-56-seed-1",
        "reference-plain-20-seed-1",
    ]
    assert [spec.seed for spec in Trial.of(find("plain-depth"), store.runs.all(), store, 6).missing] == [5, 5]


def test_the_number_is_the_paired_difference_of_the_last_epoch_s_error(store: Store) -> None:
    trial = Trial.of(find("plain-depth"), store.runs.all(), store)
    last = [store.events.history(run.id).train_error(78) for run in trial.runs if run]
    differences = np.array(last[::2], float) - np.array(last[1::2], float)
    low, high = t.interval(0.98, 4, differences.mean(), differences.std(ddof=1) / 5**0.5)
    effect = trial.effect(store, [])
    assert effect is not None
    assert (effect.value, effect.low, effect.high) == pytest.approx((differences.mean(), low, high))


def test_a_card_that_asks_of_weights_takes_no_run_without_them(store: Store) -> None:
    trial = Trial.of(find("ensemble"), store.runs.all(), store)
    assert [spec.seed for spec in trial.missing] == [1, 2, 3, 4]  # of the other seeds the events are bundled, no more
    assert trial.seconds > 20


def test_a_run_of_another_width_length_or_data_set_is_not_taken_and_one_under_way_is_waited_for(tmp_path: Any) -> None:
    store = Store(tmp_path / "store")
    card = find("plain-depth")
    wanted = card.specs(1)
    other = wanted[0].net.model_copy(update={"width": 4})
    measured(store, wanted[0].model_copy(update={"net": other}), 0.1, 3, finished=True)
    measured(store, wanted[0].model_copy(update={"images": 100}), 0.1, 3, finished=True)
    measured(store, wanted[0].model_copy(update={"recipe": wanted[0].recipe.model_copy(update={"epochs": 2})}), 0.1, 3)
    assert Trial.of(card, store.runs.all(), store, 1).missing == wanted
    under_way = measured(store, wanted[0], 0.1, 3)
    trial = Trial.of(card, store.runs.all(), store, 1)
    assert (trial.missing, [run.id for run in trial.under_way]) == ([wanted[1]], [under_way.id])
    store.runs.update(under_way.id, status="diverged")
    measured(store, wanted[1], 0.1, 3, finished=True)
    trial = Trial.of(card, store.runs.all(), store, 1)
    assert not trial.missing
    assert not trial.under_way
    assert trial.effect(store, []) is None  # what diverged has no number, and is not trained again


def test_a_run_that_was_cut_while_it_trained_is_no_witness(tmp_path: Any) -> None:
    store, card = Store(tmp_path / "store"), find("plain-depth")
    cut = measured(store, card.specs(1)[0], 0.1, 3, finished=True)
    assert len(Trial.of(card, store.runs.all(), store, 1).missing) == 1
    store.events.record(cut.id, 1, [BlockCut(step=3, cut=CutSpec.of(removed=[1]))])
    assert len(Trial.of(card, store.runs.all(), store, 1).missing) == 2


def test_an_ensemble_is_the_average_of_probabilities_against_its_members() -> None:
    one = np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]])
    two = np.array([[0.2, 0.8], [0.9, 0.1], [0.3, 0.7]])
    labels = np.array([0, 0, 0])
    effect = of_the_average([Probabilities(one, labels), Probabilities(two, labels)])
    # Together right, right, wrong; the members ½, ½ and 1 wrong.
    expected = mean([-50.0, -50.0, 0.0])
    assert effect == expected
    assert of_the_average([]) is None


def test_probabilities_are_those_of_the_net_itself(store: Store) -> None:
    run = store.runs.get("reference-resnet-20")
    subject = Subject(*store.about(run.id), load())
    found = answer(ProbabilitiesQuestion(run=run.id, step=312, images=2000), subject)
    assert np.allclose(found.probabilities.sum(1), 1)
    assert 100 * (found.probabilities.argmax(1) != found.labels).mean() == pytest.approx(13.8, abs=0.1)


def test_over_ninety_five_percent_of_the_paths_are_middling() -> None:
    assert middling_paths() == pytest.approx(100 * sum(comb(54, k) for k in range(19, 36)) / 2**54)
    assert round(middling_paths(), 1) == 98.0


def test_lesions_become_prices_and_ranks() -> None:
    nan, none = np.nan, np.zeros(0, int)
    single = SingleLesions(10.0, 1.0, none, none, np.array([12.0, nan, 30.0, 14.0]), none, none, none, none)
    assert price_of_one_block(single) == 4.0
    errors = np.array([[11.0, 13.0], [20.0, 30.0], [24.0, 20.0]])
    many = RandomLesions(10.0, 1.0, none, np.array([1, 2, 3]), errors, errors, none, 100)
    assert rise_with_removed(many) == pytest.approx(spearmanr([1, 2, 3], [12, 25, 22]).statistic)
    tau, error = np.array([[1.0, 0.8], [0.2, 0.4]]), np.array([[10.0, 12.0], [50.0, 30.0]])
    assert rise_with_disorder(
        Reorderings(10.0, 1.0, none, np.array([1, 2]), tau, error, error, none, 100)
    ) == pytest.approx(1.0)


def test_a_path_counts_by_the_gradient_that_it_carries() -> None:
    counts = np.array([comb(4, k) for k in range(5)], float)
    sampled = SampledPaths(
        "stem", 1, 4, 1, np.arange(5), (), np.log10(counts), 0.5 ** np.arange(5.0), none, none, (), 0
    )
    weights = [comb(4, k) * 0.5**k for k in range(5)]
    assert mean_length_of_path(sampled) == pytest.approx(sum(k * w for k, w in enumerate(weights)) / sum(weights) / 4)
    even = SampledPaths("stem", 1, 4, 1, np.arange(5), (), np.log10(counts), np.ones(5), none, none, (), 0)
    assert mean_length_of_path(even) == pytest.approx(0.5)


none = np.zeros(0)


def test_a_variance_that_grows_by_one_branch_a_block_has_slope_one() -> None:
    shares = [(1 + block) ** -0.5 for block in range(9)]
    grows = Signal((), none, (), none, none, none, (), np.array([*shares, *[1.0] * 18]), 1)
    assert growth_of_variance(grows) == pytest.approx(1.0)
    stays = Signal((), none, (), none, none, none, (), np.array([0.5] * 27), 1)
    assert growth_of_variance(stays) == pytest.approx(0.0)


def test_the_store_s_own_verdict_goes_before_the_bundled_one(store: Store) -> None:
    card = find("residual-depth")
    assert known(store, card) == bundled()["residual-depth"]
    own = reached(card, mean([-3.0, -3.1, -2.9]), 3, "this machine", "2026-11-27")
    keep(store, card, own)
    assert known(store, card) == own
    assert own.verdict == "reproduced"
    assert known(store, find("table-6")) is None


def test_the_picture_says_itself_in_words_and_puts_the_claim_where_it_is() -> None:
    card = find("plain-depth")
    drawn = interval_bar(card, reached(card, mean([4.0, 5.0, 6.0]), 3, "", ""))
    assert 'aria-label="Measured 5.0, interval from 1.0 to 9.0; claimed: above 0. reproduced."' in drawn
    alone = interval_bar(card, reached(card, mean([5.0]), 1, "", ""))
    assert "without end" in alone
    assert "left:0.00%;width:100.00%" in alone  # an interval without ends fills the picture
