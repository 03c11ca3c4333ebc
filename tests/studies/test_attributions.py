"""Attributions against autograd, completeness, and a covered patch; maximisation against the net itself."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from app.base.settings import Settings
from app.data.images import Images, load, prepare
from app.studies.attributions import measurement
from app.studies.attributions.measurement import COMPLETE, METHODS, PATCH, attribute, randomised, rank_correlation
from app.studies.attributions.questions import STEPS, Method
from app.studies.attributions.section import adds_up
from app.studies.features.maximise import before_relu, maximise
from app.values.datasets import BUNDLED
from tests.support.nets import lively


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    torch.set_num_threads(1)
    return load(BUNDLED, Settings(store=tmp_path_factory.mktemp("store"), data=Path("data")))


NET = lively("resnet-8:width=4:channels=1")


def test_saliency_and_input_x_gradient_are_autograd_s(images: Images) -> None:
    x = prepare(images.test[:1], images.info).requires_grad_()
    (gradient,) = torch.autograd.grad(NET(x)[0, 3], x)
    found = attribute(NET, images.test[0], images.info, "saliency", 3)
    np.testing.assert_allclose(found.values, gradient[0, 0].abs(), rtol=1e-4, atol=1e-7)
    found = attribute(NET, images.test[0], images.info, "input-x-gradient", 3)
    np.testing.assert_allclose(found.values, (x * gradient)[0, 0].detach(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("family", ["plain-8", "resnet-8", "preact-8", "highway-8", "se-8"])
@pytest.mark.parametrize("method", COMPLETE)
def test_complete_methods_add_up_to_the_change_of_the_logit(images: Images, method: Method, family: str) -> None:
    """An in-place activation would break this: the hooks would see what came after it."""
    net = lively(f"{family}:width=4:channels=1:activation=elu")  # smooth: fifty steps are enough
    found = attribute(net, images.test[1], images.info, method, 2)
    x = prepare(images.test[1:2], images.info)
    with torch.no_grad():
        change = float(net(x)[0, 2] - net(torch.zeros_like(x))[0, 2])
    assert found.completeness == pytest.approx(change, rel=1e-4)
    assert found.values.sum() == pytest.approx(change, abs=0.02 * abs(change) + 0.01)
    assert found.delta == pytest.approx(found.values.sum() - change, abs=1e-4)


def test_occlusion_is_the_fall_of_the_logit_under_patches_that_hold_the_pixel(images: Images) -> None:
    found = attribute(NET, images.test[0], images.info, "occlusion", 1)
    x = prepare(images.test[:1], images.info)
    covered = x.clone()
    covered[:, :, :PATCH, :PATCH] = 0
    with torch.no_grad():
        fall = float(NET(x)[0, 1] - NET(covered)[0, 1])
    assert found.values[0, 0] == pytest.approx(fall, abs=1e-4)  # the corner lies in one patch alone


def test_grad_cam_is_its_equation(images: Images) -> None:
    found = attribute(NET, images.test[0], images.info, "grad-cam", 1, at="blocks.2")
    maps = NET.blocks[2](NET.blocks[1](NET.blocks[0](NET.stem(prepare(images.test[:1], images.info)))))
    (gradient,) = torch.autograd.grad(NET.head(maps)[0, 1], maps)
    cam = torch.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True))
    wanted = torch.nn.functional.interpolate(cam, (28, 28), mode="bilinear")[0, 0].detach()
    np.testing.assert_allclose(found.values, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_the_predicted_class_and_leaves_the_net_alone(images: Images, method: Method) -> None:
    before = {name: value.clone() for name, value in NET.state_dict().items()}
    seen: list[tuple[int, int]] = []
    found = attribute(NET, images.test[2], images.info, method, progress=lambda *at: seen.append(at))
    assert found.values.shape == (28, 28)
    assert np.isfinite(found.values).all()
    assert found.target == found.probabilities.argmax()
    assert math.isnan(found.completeness) == (method not in COMPLETE)
    assert all(done <= total for done, total in seen)
    assert all(torch.equal(before[name], value) for name, value in NET.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in NET.modules())


def test_what_is_not_there_is_said(images: Images) -> None:
    with pytest.raises(ValueError, match="10 classes"):
        attribute(NET, images.test[0], images.info, "saliency", 10)
    with pytest.raises(ValueError, match="no block"):
        attribute(NET, images.test[0], images.info, "grad-cam", 1, at="blocks.3")


def test_when_the_net_forgets_its_attribution_changes(images: Images) -> None:
    found = randomised(NET, images.test[0], images.info, "input-x-gradient", 1)
    assert found.stages == ("trained", "head", "blocks.2", "blocks.1", "blocks.0", "stem")
    assert found.correlation[0] == pytest.approx(1)
    assert abs(found.correlation[-1]) < 0.6
    assert all((values != found.values[0]).any() for values in found.values[1:])


def test_rank_correlation_is_scipy_s() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.integers(0, 9, (6, 6)).astype(float), rng.normal(size=(6, 6))
    assert rank_correlation(one, other) == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert rank_correlation(one, np.zeros((6, 6))) == 0


@pytest.mark.parametrize("channel", [1, 2])
@pytest.mark.parametrize("at", ["blocks.0.branch.conv1", "blocks.1", "blocks.2.branch.conv1", "head.fc"])
def test_a_maximised_picture_excites_its_channel_more_than_nine_in_ten_test_images(
    images: Images, at: str, channel: int
) -> None:
    """Not more than all: ascent ends in a local maximum."""
    found = maximise(NET, images.info, at, channel)
    assert found.values[-1] > found.values[0]

    def mean(pictures: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            maps = before_relu(NET, at, prepare(pictures, images.info))
        return maps[:, channel].flatten(1).mean(1) if maps.ndim == 4 else maps[:, channel]

    assert mean(torch.from_numpy(found.picture)[None]) > mean(images.test[:100]).quantile(0.9)


def test_the_same_seed_makes_the_same_picture(images: Images) -> None:
    one, other = (maximise(NET, images.info, "blocks.1", 2, steps=20) for _ in range(2))
    np.testing.assert_array_equal(one.picture, other.picture)


def test_a_channel_that_is_not_there_is_said(images: Images) -> None:
    with pytest.raises(ValueError, match="4 channels"):
        maximise(NET, images.info, "blocks.0", 4)


def test_the_caption_says_how_far_the_values_are_from_adding_up_and_at_how_many_steps(images: Images) -> None:
    found = attribute(lively("resnet-8:width=4:channels=1"), images.test[0], images.info, "integrated-gradients")
    said = adds_up(replace(found, completeness=8.94, delta=-1.76))
    assert "The values add up to 7.18; from the baseline the logit rises by 8.94." in said
    assert f"Convergence delta -1.8, 20 % of it, at {STEPS} steps in float32" in said
    assert "goes to zero" in said


def test_the_delta_goes_to_zero_as_the_steps_become_many(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    net = lively("resnet-8:width=4:channels=1")
    deltas = []
    for steps in (5, 500):
        monkeypatch.setattr(measurement, "STEPS", steps)
        deltas.append(abs(attribute(net, images.test[0], images.info, "integrated-gradients").delta))
    assert deltas[1] < deltas[0] / 5
