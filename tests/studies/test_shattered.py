"""Autocorrelation against noise whose autocorrelation is known; gradients against finite differences."""

import numpy as np
import pytest
import torch

from app.base.settings import load as load_settings
from app.data.images import load
from app.studies.gradients.likeness import likeness
from app.studies.gradients.measurement import batch
from app.studies.shattered.measurement import (
    POINTS,
    Chain,
    autocorrelation,
    gradient_of,
    neighbours,
    shattered,
    values_of,
)
from app.values.datasets import BUNDLED
from models.nets.net import build
from models.spec import NetSpec

torch.set_num_threads(1)


def test_white_noise_has_no_autocorrelation() -> None:
    white = np.random.default_rng(0).normal(size=(400, POINTS)) + 7  # the mean is removed
    found = autocorrelation(white, 20).mean(0)
    assert found[0] == 1
    assert np.abs(found[1:]).max() < 0.02


def test_brown_noise_has_the_autocorrelation_of_its_covariance() -> None:
    # cov(b_i, b_j) = min(i, j), centred by I − 11ᵀ/X: the expected sums are exact, their ratio nearly so.
    brown = np.random.default_rng(1).normal(size=(4000, POINTS)).cumsum(1)
    i = np.arange(1, POINTS + 1)
    centring = np.eye(POINTS) - 1 / POINTS
    covariance = centring @ np.minimum.outer(i, i) @ centring
    expected = np.array([np.trace(covariance, lag) for lag in range(31)]) / np.trace(covariance)
    centred = brown - brown.mean(1, keepdims=True)
    pooled = np.array([(centred[:, : POINTS - lag] * centred[:, lag:]).sum() for lag in range(31)])
    assert np.allclose(pooled / pooled[0], expected, atol=0.03)
    # The mean of each net's own ratio weighs the nets alike, so that it lies a little lower; it never rises.
    found = autocorrelation(brown, 30).mean(0)
    assert np.all(np.diff(found) < 0)
    assert 0.96 < found[1] < 0.99
    assert found[10] == pytest.approx(0.76, abs=0.03)


def test_each_net_is_centred_and_divided_by_itself() -> None:
    own = np.random.default_rng(2).normal(size=(3, 50)).cumsum(1)
    scaled = own * np.array([[1.0], [1e6], [1e-6]]) + np.array([[0.0], [1e7], [3.0]])
    assert np.allclose(autocorrelation(own, 10), autocorrelation(scaled, 10), atol=1e-5)
    by_numpy = np.correlate(own[0] - own[0].mean(), own[0] - own[0].mean(), "full")[49:60]
    assert np.allclose(autocorrelation(own[:1], 10)[0], by_numpy / by_numpy[0])


@pytest.mark.parametrize("chain", [Chain(1), Chain(3), Chain(4, shortcut=True, beta=0.5)])
def test_gradients_are_the_slopes_of_a_function_of_one_number(chain: Chain) -> None:
    x = np.linspace(-2, 2, 65)
    found = gradient_of(chain, x, 2, seed=0)
    at = torch.from_numpy(x).float().expand(2, -1)
    slopes = (values_of(chain, at + 1e-3, 0) - values_of(chain, at - 1e-3, 0)).double().numpy() / 2e-3
    assert np.median(np.abs(slopes - found)) < 0.01 * np.abs(found).max()  # but where a ReLU bends
    assert found.std(1).min() > 0


def test_depth_shatters_and_shortcuts_do_so_less() -> None:
    measured = shattered(
        (Chain(1), Chain(24, norm=True), Chain(24, shortcut=True, beta=0.1, norm=True)), nets=4, lags=5
    )
    shallow, plain, residual, brown, white = measured.autocorrelation[:, 1]
    assert shallow > 0.9
    assert abs(plain) < 0.2
    assert residual > 0.7
    assert brown > 0.9 > 0.2 > abs(white)
    assert measured.names[-2:] == ("brown noise", "white noise")
    assert measured.gradients.shape == (5, POINTS)
    assert np.all(measured.low <= measured.high)


def test_an_image_s_own_gradient_is_wholly_like_itself_and_its_neighbours_less_so() -> None:
    images = load(BUNDLED, load_settings())
    spec = NetSpec.parse("plain-14:width=4").fitted(1, 10)
    measured = neighbours((spec,), images, seeds=(0,), count=6, progress=lambda *_: None)
    assert measured.correlation[0, 0] == pytest.approx(1)
    assert measured.correlation[0, 1] > measured.correlation[0, -1]
    net = build(spec).eval()
    x, y = batch(images, 3)
    moved = (x[0] + 0.1 * (x[2] - x[0]))[None].requires_grad_()
    here = x[:1].clone().requires_grad_()
    one, other = (torch.autograd.grad(net(at)[0, int(y[0])], at)[0].flatten() for at in (here, moved))
    assert likeness(net, x, y, (0.1,))[0, 0] == pytest.approx(float(one @ other / one.norm() / other.norm()), abs=1e-4)
