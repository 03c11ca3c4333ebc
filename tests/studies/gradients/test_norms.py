"""Gradients against autograd by hand, finite differences and a known chain; the truth test's nets, each alone."""

import io
import json
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
from app.studies.gradients.measurement import batch, block_rms, distribution, gradients, layer_stages, sizes
from app.studies.gradients.verdicts import log_ratios
from app.studies.signal.questions import SignalQuestion
from app.studies.truth_test.measurement import course, grid, settings
from app.studies.truth_test.questions import CourseQuestion, GridQuestion
from app.training.probes import outputs
from app.values.datasets import BUNDLED
from app.values.questions import Question
from app.values.results import UnreadableError, from_bytes
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
    assert log_ratios(measured.block_rms, measured.stages, 0) == pytest.approx(3 * math.log(0.5))


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
    assert measured.rms[0, 0, 0] != measured.rms[0, 1, 0]


def test_a_course_begins_with_the_grid_s_own_numbers() -> None:
    images = load(BUNDLED, load_settings())
    net = NetSpec.parse("plain-8:width=2").fitted(1, 10)
    measured = course(net, images, steps=2, count=8, threads=1)
    assert measured.steps.tolist() == [0, 1, 2]
    assert np.allclose(measured.block_rms[0, 0], grid((net,), images, seeds=(0,), count=8).rms[0, 0], rtol=1e-4)
    assert measured.block_rms.shape == (3, 6, 4)
    assert measured.likeness.size == 32, "of initialisation"
    assert 0 <= measured.train_error <= 100
    assert 0 <= measured.test_error <= 100
    assert not measured.diverged


# ---- sizes, batch after batch --------------------------------------------------------------------------------------


def test_sizes_are_the_gradients_of_one_batch_after_another_and_weights_are_those_of_autograd() -> None:
    images = load(BUNDLED, load_settings())
    net = net_of("resnet-8:width=4:shortcut=B")
    found = sizes(net, images, count=8, batches=3, step=10)
    assert found.block_rms.shape == (3, 4)
    assert found.likeness.size == 0, "nothing is claimed of it later"
    x, y = batch(images, 24)
    for nth in range(3):
        net.zero_grad()
        F.cross_entropy(net(x[8 * nth : 8 * nth + 8]), y[8 * nth : 8 * nth + 8]).backward()
        for layer, norm, size in zip(found.layers, found.weight_norm[nth], found.weight_size, strict=True):
            weight = net.get_parameter(f"{layer}.weight")
            assert weight.grad is not None
            assert norm == pytest.approx(float(weight.grad.norm()), rel=1e-4)
            assert size == pytest.approx(float(weight.detach().norm()), rel=1e-5)


def test_a_layer_stands_in_its_block_s_stage_and_projections_and_the_head_in_none() -> None:
    net = net_of("resnet-8:width=4:shortcut=B")
    by_name = dict(zip(weight_layers(net), layer_stages(net.spec).tolist(), strict=True))
    assert by_name["stem.conv"] == 0
    assert by_name["blocks.2.branch.conv1"] == 2
    assert by_name["blocks.2.shortcut.conv"] == by_name["head.fc"] == -1


def test_a_data_set_of_fewer_images_than_the_batches_ask_for_gives_as_many_as_are_full() -> None:
    images = load(BUNDLED, load_settings())
    few = replace(images, train=images.train[:20], train_labels=images.train_labels[:20])
    assert sizes(net_of("plain-8:width=2"), few, count=8, batches=6, step=1).block_rms.shape[0] == 2


def test_a_hook_is_gone_after_an_error_too() -> None:
    net = net_of("plain-8:width=2")
    with pytest.raises(RuntimeError), outputs(net, ["stem"], lambda *_: None):
        net(torch.zeros(1, 7, 8, 8))
    assert not net.stem._forward_hooks


@pytest.mark.parametrize("question", [GridQuestion(), CourseQuestion(net="plain-8"), SignalQuestion(run="x")])
def test_an_answer_of_the_first_edition_is_asked_anew_and_not_read(question: Question) -> None:
    today = question.key
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(question), "edition", 1)
        assert question.key != today


def test_a_course_of_the_first_edition_is_unreadable_and_no_crash() -> None:
    rest = {"result": "Course", "net": "plain-8", "train_error": 1.0, "test_error": 1.0, "diverged": False}
    file = io.BytesIO()
    arrays: dict[str, Any] = {name: np.ones(2) for name in ("steps", "rms", "stages", "factors")}
    arrays["_rest"] = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    np.savez_compressed(file, allow_pickle=False, **arrays)
    with pytest.raises(UnreadableError):
        from_bytes(file.getvalue())
