"""Gradients against autograd by hand, finite differences and a known chain; verdicts against the numbers they get."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.base.settings import load as load_settings
from app.data.images import load
from app.studies.gradients.measurement import batch, block_rms, distribution, gradients
from app.studies.gradients.questions import Course
from app.studies.gradients.verdicts import (
    MOMENTS,
    claims,
    factor_per_block,
    factors_at,
    heading,
    said,
    times,
    typical,
    verdict,
)
from app.studies.truth_test.measurement import course, grid, settings
from app.training.probes import outputs
from app.values.datasets import BUNDLED
from models.nets.net import Net, build, weight_layers
from models.spec import NetSpec

torch.set_num_threads(1)


def net_of(text: str) -> Net:
    return build(NetSpec.parse(text).fitted(1, 10))


def some(count: int = 8, size: int = 8) -> tuple[Tensor, Tensor]:
    own = torch.Generator().manual_seed(1)
    return torch.randn(count, 1, size, size, generator=own), torch.arange(count) % 10


def test_norms_are_those_of_autograd_by_hand() -> None:
    net, (x, y) = net_of("resnet-8:width=4:shortcut=B"), some()
    measured = gradients(net, x, y)
    h = net.stem(x)
    kept = [h]
    for block in net.blocks:
        kept.append(h := block(h))
    for tensor in kept:
        tensor.retain_grad()
    loss = F.cross_entropy(net.head(h), y)
    loss.backward()
    for name, norm, rms in zip(measured.layers, measured.weight_norm, measured.weight_rms, strict=True):
        by_hand = net.get_parameter(f"{name}.weight").grad
        assert by_hand is not None
        assert norm == pytest.approx(float(by_hand.norm()), rel=1e-5)
        assert rms == pytest.approx(float((by_hand**2).mean().sqrt()), rel=1e-5)
    for tensor, rms in zip(kept, measured.block_rms, strict=True):
        assert tensor.grad is not None
        assert rms == pytest.approx(float((tensor.grad**2).mean().sqrt()), rel=1e-5)
    assert measured.loss == pytest.approx(float(loss.detach()), rel=1e-6)
    marked = [name for name, on in zip(measured.layers, measured.on_shortcut, strict=True) if on]
    assert marked == ["blocks.1.shortcut.conv", "blocks.2.shortcut.conv"]
    assert np.allclose(block_rms(net, x, y), measured.block_rms)


@pytest.mark.parametrize("text", ["plain-8:width=2", "preact-8:width=2:activation=elu"])
def test_norms_are_those_of_finite_differences_in_float64(text: str) -> None:
    net, (x, y) = net_of(text).double(), some(4)
    x = x.double()
    measured = gradients(net, x, y)

    def loss() -> float:
        with torch.no_grad():
            return float(F.cross_entropy(net(x), y))

    for name in ("stem.conv", "blocks.2.branch.conv2"):
        weight = weight_layers(net)[name]
        flat = weight.data.view(-1)
        slopes = []
        for i in range(flat.numel()):
            old = float(flat[i])
            flat[i] = old + 1e-6
            above = loss()
            flat[i] = old - 1e-6
            slopes.append((above - loss()) / 2e-6)
            flat[i] = old
        assert measured.weight_norm[measured.layers.index(name)] == pytest.approx(np.linalg.norm(slopes), rel=1e-4)


def test_a_linear_chain_loses_just_the_factor_that_each_layer_takes() -> None:
    net, (x, y) = net_of("plain-20:width=4:norm=none"), some()
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith("blocks") and name.endswith("weight"):
                nn.init.dirac_(parameter)
                parameter.mul_(math.sqrt(0.5))  # two layers a block
    # What the stem puts out is not negative: its ReLUs pass it on, and each block of the first stage halves it.
    measured = gradients(net, x, y)
    first = measured.stages == 0
    assert np.allclose(measured.block_rms[first] / measured.block_rms[3], [0.125, 0.25, 0.5, 1])
    assert factor_per_block(measured.block_rms[first], measured.stages[first]) == pytest.approx(0.5)


@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_a_net_is_not_changed_by_being_looked_at(mode: Any) -> None:
    net, (x, y) = net_of("stochastic-8:width=4").eval(), some()
    net.blocks[1].train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.get_rng_state()
    first = gradients(net, x, y, mode)
    assert np.array_equal(first.block_rms, gradients(net, x, y, mode).block_rms)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert [block.training for block in net.blocks] == [False, True, False]
    assert not any(module._forward_hooks for module in net.modules())


def test_the_mode_decides_what_is_seen() -> None:
    net, (x, y) = net_of("plain-56:width=4"), some()
    assert gradients(net, x, y).weight_norm[0] > 1000 * gradients(net, x, y, "evaluation").weight_norm[0]


def test_a_distribution_counts_every_number_of_the_gradient() -> None:
    net, (x, y) = net_of("plain-8:width=4"), some()
    shown = distribution(net, x, y, "blocks.1.branch.conv2")
    F.cross_entropy(net(x), y).backward()
    values = net.get_parameter("blocks.1.branch.conv2.weight").grad
    assert values is not None
    assert shown.counts.sum() == values.numel()
    assert shown.std == pytest.approx(float(values.std(correction=0)), rel=1e-5)
    inside = (values >= shown.edges[40]) & (values < shown.edges[41])
    assert shown.counts[40] == pytest.approx(int(inside.sum()), abs=1)


# ---- verdicts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "word"), [(0.8, "vanish"), (0.92, "healthy"), (1.0, "healthy"), (1.09, "healthy"), (1.3, "explode")]
)
def test_the_verdict_flips_when_the_numbers_do(factor: float, word: str) -> None:
    rms = np.concatenate([factor ** -np.arange(10.0), 50 * factor ** -np.arange(9.0)])  # a jump between the stages
    found = factor_per_block(rms, np.array([0] * 10 + [1] * 9))
    assert found == pytest.approx(factor)
    assert verdict(found) == word


def test_stages_count_by_the_blocks_that_they_span() -> None:
    rms = np.array([8.0, 4, 2, 1, 5, 5])  # three steps of 2, one of 1
    assert factor_per_block(rms, np.array([0, 0, 0, 0, 1, 1])) == pytest.approx(2 ** (3 / 4))


def test_gradients_that_are_zero_or_not_finite_have_a_verdict_too() -> None:
    stages = np.array([0, 0, 0])
    assert verdict(factor_per_block(np.array([0.0, 1e-30, 1]), stages)) == "vanish"
    assert verdict(factor_per_block(np.array([math.inf, 1e30, 1]), stages)) == "explode"
    assert verdict(factor_per_block(np.array([1.0, 2, 3]), np.array([0, 1, 2]))) == "unknown"
    assert typical([0.5, 2.0]) == pytest.approx(1)


def fed(net: str, factors: list[float], error: float) -> Course:
    empty = np.zeros((4, 0))
    return Course(net, np.array([0, 1, 10, 100]), empty, empty[0], np.array(factors), error, error, False)


def test_claims_hold_at_the_moments_whose_numbers_say_so() -> None:
    residual = fed("resnet-56", [1.0] * 4, 20)
    lesson, he, yang, balduzzi = claims(fed("plain-56", [1.4, 0.8, 0.8, 1.01], 60), residual)
    assert [lesson.held[moment] for moment in MOMENTS] == ["did not hold", "held", "did not hold"]
    assert [he.held[moment] for moment in MOMENTS] == ["did not hold", "did not hold", "held"]
    assert [yang.held[moment] for moment in MOMENTS] == ["held", "not claimed", "not claimed"]
    assert [balduzzi.held[moment] for moment in MOMENTS] == ["did not hold", "did not hold", "held"]
    equal = claims(fed("plain-56", [1.0] * 4, 20), residual)
    assert set(equal[3].held.values()) == {"did not hold"}  # healthy, but not behind either
    without = claims(fed("plain-56:norm=none", [0.5] * 4, 90), residual)
    assert set(without[0].held.values()) == {"held"}
    assert {*without[1].held.values(), *without[2].held.values()} == {"not claimed"}


def test_the_sentence_says_what_the_numbers_are() -> None:
    text = said(fed("plain-56", [1.4, 0.8, 0.8, 1.01], 60.04))
    assert "explodes at initialisation (×1.40 a block)" in text
    assert "vanishes in the first steps (×0.80 a block)" in text
    assert "stays healthy at the end (×1.01 a block); training error 60.0 %, test error 60.0 %." in text


def test_a_factor_near_the_limit_shows_on_which_side_it_is() -> None:
    shown = [times(factor) for factor in (1.098, 1.102, 0.908, 0.912, 1.12, math.inf, 0.0)]
    assert shown == ["×1.098", "×1.102", "×0.908", "×0.912", "×1.12", "×∞", "×0.00"]


def test_of_a_run_under_way_nothing_is_said_to_be_the_end() -> None:
    course = replace(fed("plain-56", [1.4, 0.8, 0.8, 1.01], 60.04), going_on=True)
    text = said(course)
    assert "stays healthy at step 100, the newest kept so far (×1.01 a block)" in text
    assert text.endswith("test error 60.0 % so far.")
    assert "end" not in text
    assert [heading(moment, course) for moment in MOMENTS] == ["initialisation", "first steps", "so far"]


@pytest.mark.parametrize(
    ("factor", "word"),
    [
        (1.1, "healthy"),
        (math.nextafter(1.1, 2), "explode"),
        (1 / 1.1, "healthy"),
        (math.nextafter(1 / 1.1, 0), "vanish"),
    ],
)
def test_a_tenth_a_block_is_healthy_and_what_is_beyond_is_not(factor: float, word: str) -> None:
    assert verdict(factor) == word


@pytest.mark.parametrize(("behind", "mark"), [(1.0, "did not hold"), (1.125, "held")])
def test_a_plain_net_is_behind_from_more_than_a_point_on(behind: float, mark: str) -> None:
    *_, balduzzi = claims(fed("plain-56", [1.0] * 4, 20 + behind), fed("resnet-56", [1.0] * 4, 20))
    assert set(balduzzi.held.values()) == {mark}


@pytest.mark.parametrize(("last", "moments"), [(10, 2), (11, 3)])
def test_the_end_begins_after_the_tenth_step(last: int, moments: int) -> None:
    steps = np.array([0, 1, 5, last])
    measured = replace(fed("plain-56", [1.0, 4.0, 9.0, 16.0], 20), steps=steps)
    found = factors_at(measured)
    assert len(found) == moments
    assert found["first steps"] == pytest.approx(4.0 if last > 10 else 8.0), "step 5 is no first step"


# ---- the grid ------------------------------------------------------------------------------------------------------


def test_the_grid_has_every_setting_once_and_measures_each_seed_alone() -> None:
    assert len({str(net) for net in settings()}) == 48
    images = load(BUNDLED, load_settings())
    nets = settings(depths=(8,), width=2)[:2]
    told: list[tuple[int, int]] = []
    measured = grid(nets, images, seeds=(3, 4), count=4, progress=lambda *done: told.append(done))
    assert told[-1] == (4, 4)
    alone = block_rms(build(nets[1], 4), *batch(images, 4))
    assert np.allclose(measured.rms[1, 1], alone)
    assert measured.factors.shape == (2, 2)
    assert measured.rms[0, 0, 0] != measured.rms[0, 1, 0]


def test_a_course_begins_with_the_grid_s_own_number() -> None:
    images = load(BUNDLED, load_settings())
    net = NetSpec.parse("plain-8:width=2").fitted(1, 10)
    measured = course(net, images, steps=2, count=8, threads=1)
    assert measured.steps.tolist() == [0, 1, 2]
    assert measured.factors[0] == pytest.approx(grid((net,), images, seeds=(0,), count=8).factors[0, 0], rel=1e-4)
    assert set(factors_at(measured)) == {"initialisation", "first steps"}
    assert 0 <= measured.train_error <= 100
    assert not measured.diverged


def test_a_hook_is_gone_after_an_error_too() -> None:
    net = net_of("plain-8:width=2")
    with pytest.raises(RuntimeError), outputs(net, ["stem"], lambda *_: None):
        net(torch.zeros(1, 7, 8, 8))
    assert not net.stem._forward_hooks
