"""Each claim is tested by the quantity that it is about, and ticked only where it was made and can be decided."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import stats

from app.studies.gradients.claims import GAIN, Claim, chain, claims, likeness_gap, prediction, range_change
from app.studies.gradients.verdicts import MOMENTS, Trained
from models.spec import NetSpec
from tests.studies.gradients.courses import course

STEPS = (0, 1, 10, 100)
NOISE = np.exp(0.001 * np.random.default_rng(0).normal(size=(6, 1)))


def net(totals: Sequence[float], name: str = "plain-56", **changes: Any) -> Trained:
    """Two stages of three places; in the first the gradient changes by these totals, at steps 0, 1, 10 and 100."""
    rms = np.array([np.hstack([total * NOISE, math.sqrt(total) * NOISE, np.ones((6, 1))]) for total in totals])
    rms = np.concatenate([rms, np.geomspace(1.2, 1, 3) * np.ones((len(totals), 6, 1))], axis=-1)
    return Trained((course(net=name, rms=rms, stages=[0, 0, 0, 1, 1, 1], steps=STEPS[: len(totals)], **changes),))


def by_name(plain: Trained, twin: Trained | None = None) -> dict[str, list[str]]:
    made: Sequence[Claim] = claims(plain, twin or net([1.5] * 4, "resnet-56"))
    return {claim.name: [claim.marks[moment] for moment in MOMENTS] for claim in made}


def test_claims_of_size_follow_the_total_over_a_stage_at_each_moment() -> None:
    marks = by_name(net([35, 0.05, 10, 3]))
    assert marks["lessons-size"] == ["did not hold", "held", "did not hold", "did not hold"]
    assert marks["he"] == ["did not hold", "did not hold", "did not hold", "held"]
    assert by_name(net([35, 1, 10 / 1.2, 3]))["he"][2] == "cannot be decided", "the interval of all stages holds ×10"


def test_stages_that_do_the_opposite_are_no_health() -> None:
    opposite = np.array([np.hstack([30 * NOISE, NOISE, NOISE / 30, NOISE]) for _ in STEPS])
    plain = Trained((course(rms=opposite, stages=[0, 0, 1, 1], steps=STEPS),))
    marks = by_name(plain)
    assert set(marks["he"]) == {"did not hold"}
    assert set(marks["lessons-size"]) == {"held"}


def test_yang_s_explosion_is_claimed_at_initialisation_alone_and_of_every_stage() -> None:
    assert by_name(net([35, 35, 35, 35]))["yang-growth"] == ["held", *["not claimed"] * 3]
    assert by_name(net([0.5, 1, 1, 1]))["yang-growth"][0] == "did not hold"
    assert by_name(net([1.0, 1, 1, 1]))["yang-growth"][0] == "cannot be decided"


def test_one_step_shrinks_the_range_or_does_not_and_the_interval_is_scipy_s_over_the_same_batches() -> None:
    assert by_name(net([35, 3, 1, 1]))["yang-range"] == ["not claimed", "held", "not claimed", "not claimed"]
    assert by_name(net([3, 35, 1, 1]))["yang-range"][1] == "did not hold"
    assert by_name(net([3]))["yang-range"][1] == "not measured"
    rms = np.exp(np.random.default_rng(3).normal(size=(2, 6, 4)).cumsum(-1))
    found = range_change(Trained((course(rms=rms, stages=[0] * 4, steps=(0, 1)),)))
    ranges = np.log10(rms.max(-1) / rms.min(-1))
    low, high = stats.ttest_rel(ranges[1], ranges[0]).confidence_interval(0.98)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high))


def test_balduzzi_is_asked_of_likeness_and_not_of_size() -> None:
    rng = np.random.default_rng(4)
    low, high = rng.normal(0.0, 0.05, 32), rng.normal(0.7, 0.05, 32)
    twin = net([1.5] * 4, "resnet-56", likeness=high)
    for totals in ([35.0, 35, 35, 35], [0.01] * 4, [1.0] * 4):
        assert by_name(net(totals, likeness=low), twin)["balduzzi"] == ["held", *["not claimed"] * 3]
    assert by_name(net([1.0] * 4, likeness=high + 0.1), twin)["balduzzi"][0] == "did not hold"
    assert by_name(net([1.0] * 4, likeness=rng.permutation(high)), twin)["balduzzi"][0] == "cannot be decided"
    assert by_name(net([1.0] * 4))["balduzzi"][0] == "not measured"


def test_likeness_of_several_seeds_is_paired_by_seed() -> None:
    def seeds(name: str, means: Sequence[float]) -> Trained:
        each = [net([1.0], name, likeness=[mean] * 32, seed=seed).courses[0] for seed, mean in enumerate(means)]
        return Trained(tuple(each))

    found = likeness_gap(seeds("plain-56", [0.1, 0.2, 0.4]), seeds("resnet-56", [0.7, 0.9, 0.9]))
    low, high = stats.ttest_rel([0.1, 0.2, 0.4], [0.7, 0.9, 0.9]).confidence_interval(0.98)
    assert found is not None
    assert (found.low, found.high, found.count) == pytest.approx((low, high, 3))


def test_a_cause_is_never_ticked() -> None:
    for totals in ([35.0, 35, 35, 35], [0.01] * 4):
        assert set(by_name(net(totals, error=90))["lessons-cause"]) == {"cannot be decided"}


def test_without_batch_normalisation_nothing_is_claimed_of_it() -> None:
    marks = by_name(net([0.01] * 4, "plain-56:norm=none"))
    assert {*marks["he"], *marks["yang-growth"], *marks["yang-range"]} == {"not claimed"}
    assert set(marks["lessons-size"]) == {"held"}


def test_yang_s_factor_is_of_two_layers_a_block_and_of_what_it_was_derived_for() -> None:
    assert prediction(net([1.0])) == pytest.approx(1.46694, abs=1e-4)
    assert prediction(net([1.0], "plain-56:norm=none")) is None
    assert prediction(net([1.0], "plain-56:activation=elu")) is None
    assert prediction(net([1.0], "resnet-56")) is None


def test_the_factor_is_the_growth_of_the_squared_gradient_through_one_wide_normalised_relu_layer() -> None:
    """Yang's number by brute force: fully connected layers under batch normalisation, autograd, many batches."""
    own, width, kept = torch.Generator().manual_seed(0), 400, []
    h = torch.randn(256, width, generator=own).requires_grad_()
    for _ in range(21):
        weight = torch.randn(width, width, generator=own) * (2 / width) ** 0.5
        h = F.batch_norm(h @ weight, None, None, training=True, eps=1e-8).relu()
        kept.append(h)
    seed = torch.randn(h.shape, generator=own)
    first, last = (float(one.square().mean()) for one in torch.autograd.grad((h * seed).sum(), [kept[0], kept[-1]]))
    assert (first / last) ** (1 / 20) == pytest.approx(GAIN, rel=0.01)


@pytest.mark.parametrize(
    ("explosion", "growth", "complete"), [(100.0, 50.0, True), (0.5, 50.0, False), (100.0, 0.5, False)]
)
def test_the_chain_from_an_explosion_to_starved_weights_is_closed_only_where_each_link_is_seen(
    explosion: float, growth: float, complete: bool
) -> None:
    norms = np.ones((2, 6, 3)) * NOISE[None]
    norms[0, :, 0] = explosion * NOISE[:, 0] ** 2
    norms[1, :, 0] = 0.1 * NOISE[:, 0] ** 2
    size = np.array([[2.0, 1, 4], [2 * growth, 1, 4]])
    found = course(
        rms=np.ones((2, 6, 2)),
        stages=[0, 0],
        steps=(0, 100),
        weight_norm=norms,
        weight_size=size,
        layer_stages=[0, 0, -1],
    )
    links = chain(Trained((found,)), "end")
    assert links.complete == complete
    assert math.exp(links.exploded.value) == pytest.approx(explosion, rel=0.01)
    assert math.exp(links.grew.value) == pytest.approx(growth)
    assert math.exp(links.starved.value) == pytest.approx(0.1 / (2 * growth), rel=0.01)
    assert NetSpec.parse(found.net).norm == "batch"
