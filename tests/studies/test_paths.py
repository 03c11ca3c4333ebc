"""Exact paths against every path one by one, against a polynomial in the branches' scale, and against autograd."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import product
from math import comb

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from app.studies.paths.by_length import graded, gradients_by_length
from app.studies.paths.sampled import path_gradients, sample_paths
from models.nets.blocks import Block
from models.nets.net import Net, blocks_of
from tests.support.nets import lively

torch.set_num_threads(1)

# Every family, the options A, B and C where shapes change, orders, gates, scales: at most six blocks each.
RESIDUAL = [
    "resnet-14:width=4",
    "resnet-8:width=4:shortcut=B",
    "resnet-8:width=4:shortcut=C",
    "resnet-bottleneck-11:width=2",
    "resnet-single-8:width=4",
    "resnet-8:width=4:order=bn-after-add",
    "resnet-8:width=4:order=relu-before-add",
    "resnet-8:width=4:order=relu-only",
    "resnet-8:width=4:gate=shortcut-only",
    "resnet-8:width=4:gate=exclusive:gate_bias=0.5",
    "resnet-8:width=4:shortcut_scale=0.5:branch_scale=0.25",
    "preact-14:width=4",
    "preact-8:width=4:shortcut=B",
    "highway-14:width=4",
    "highway-8:width=4:shortcut=B",
    "stochastic-14:width=4",
    "se-14:width=4",
    "wide-10-2:width=4",
    "dense-10-4:width=6",
    "dense-bc-16-4",
]
PLAIN = ["plain-14:width=4", "vgg-11:width=4"]


def example(name: str) -> tuple[Net, Tensor, Tensor]:
    """A net in float64, two images and their labels."""
    net = lively(name).double()
    rng = torch.Generator().manual_seed(1)
    return net, torch.randn(2, 3, 12, 12, dtype=torch.float64, generator=rng), torch.tensor([3, 7])


Forward = Callable[[Block, Tensor], Tensor]


@contextmanager
def blocks_computed(net: Net, how: Forward) -> Iterator[None]:
    """Every block computed by `how`, so that autograd goes another way through the same values."""
    blocks = blocks_of(net)
    for block in blocks:
        block.forward = partial(how, block)  # type: ignore[method-assign]
    yield
    for block in blocks:
        del block.forward


def halves(block: Block, x: Tensor) -> tuple[Tensor, Tensor]:
    """The join's value twice: once autograd sees all of it, once only what the shortcut passes on."""
    h = block.before(x)
    s, f = block.shortcut(x, h), block.branch(h)
    return block.join(x, s, f), block.join(x.detach(), s, f.detach())


def gradient(net: Net, x: Tensor, y: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(net(x), y, reduction="sum"), x)[0]


def by_enumeration(net: Net, x: Tensor, y: Tensor) -> dict[tuple[bool, ...], Tensor]:
    """The gradient of each of the 2ⁿ paths by a backward pass of its own."""
    found = {}
    for passes in product((False, True), repeat=len(net.blocks)):

        def one_way(block: Block, x: Tensor, passes: tuple[bool, ...] = passes) -> Tensor:
            whole, passed = halves(block, block.enter(x))
            return block.after(whole - passed + passed.detach() if passes[block.plan.index] else passed)

        with blocks_computed(net, one_way):
            found[passes] = gradient(net, x, y)
    return found


def relative(found: Tensor, wanted: Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("name", RESIDUAL)
def test_each_length_is_the_sum_over_its_paths_one_by_one(name: str) -> None:
    net, x, y = example(name)
    paths = by_enumeration(net, x, y)
    wanted = torch.zeros(len(net.blocks) + 1, *x.shape, dtype=x.dtype)
    for passes, gradient_ in paths.items():
        wanted[sum(passes)] += gradient_
    found, whole = graded(net, x, y, "image")
    assert relative(found, wanted) < 1e-10
    for k in range(len(found)):
        assert (found[k] - wanted[k]).norm() <= 1e-10 * max(wanted[k].norm(), whole.norm() * 1e-3)
    chosen = torch.tensor(list(paths))
    single = path_gradients(net, x, y, "image", chosen)
    assert relative(single, torch.stack(list(paths.values()))) < 1e-10


@pytest.mark.parametrize("name", RESIDUAL)
def test_the_lengths_are_the_coefficients_of_the_gradient_as_a_polynomial_in_the_branches_scale(name: str) -> None:
    net, x, y = example(name)
    n = len(net.blocks)
    ts = np.cos(np.pi * (np.arange(n + 1) + 0.5) / (n + 1))  # Chebyshev's nodes
    values = []
    for t in ts:

        def scaled(block: Block, x: Tensor, t: float = float(t)) -> Tensor:
            whole, passed = halves(block, block.enter(x))
            return block.after(t * whole + (1 - t) * passed)

        with blocks_computed(net, scaled):
            values.append(gradient(net, x, y))
    wanted = torch.linalg.solve(torch.from_numpy(np.vander(ts, increasing=True)), torch.stack(values).flatten(1))
    found, _ = graded(net, x, y, "image")
    assert relative(found.flatten(1), wanted) < 1e-10


@pytest.mark.parametrize("at", ["image", "stem", "block:1"])
@pytest.mark.parametrize("name", [*RESIDUAL, *PLAIN])
def test_the_sum_over_the_lengths_is_autograd_s_gradient(name: str, at: str) -> None:
    net, x, y = example(name)
    result = gradients_by_length(net, x, y, at)
    assert result.relative_remainder < 1e-10
    assert result.gradient_norm > 0
    assert result.blocks == len(net.blocks) - (at == "block:1")
    if at == "image":
        norms = gradient(net, x, y).flatten(1).norm(dim=1)
        assert result.gradient_norm == pytest.approx(float(norms.mean()))


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_net_has_one_path(name: str) -> None:
    net, x, y = example(name)
    result = gradients_by_length(net, x, y)
    assert result.lengths.tolist() == [len(net.blocks)]
    assert result.counts == ("1",)
    assert result.norms[0] == pytest.approx(result.gradient_norm)
    sampled = sample_paths(net, x, y)
    assert sampled.means[0] == pytest.approx(result.gradient_norm)
    assert sampled.effective == (len(net.blocks),) * 2


def test_the_norm_is_a_mean_over_the_images_however_many_there_are() -> None:
    net, _, _ = example("resnet-8:width=4")
    x = torch.randn(6, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    y = torch.arange(6)
    together = gradients_by_length(net, x, y)
    alone = [gradients_by_length(net, x[i : i + 1], y[i : i + 1]).norms for i in range(6)]
    np.testing.assert_allclose(together.norms, np.mean(alone, 0), rtol=1e-12)


def test_what_is_longer_than_asked_for_is_one_remainder() -> None:
    net, x, y = example("resnet-14:width=4")
    whole, cut = gradients_by_length(net, x, y), gradients_by_length(net, x, y, longest=2)
    np.testing.assert_allclose(cut.norms, whole.norms[:3], rtol=1e-12)
    assert cut.counts == ("1", "6", "15")
    g, true = graded(net, x, y, "stem")
    assert cut.remainder_norm == pytest.approx(float((true - g[:3].sum(0)).flatten(1).norm(dim=1).mean()))
    assert cut.relative_remainder == pytest.approx(float((true - g[:3].sum(0)).norm() / true.norm()))


def test_a_place_that_is_not_there_is_refused() -> None:
    net, x, y = example("resnet-8:width=4")
    for at in ("block:3", "block:-1", "head", ""):
        with pytest.raises(ValueError, match="no place in this net of 3 blocks"):
            gradients_by_length(net, x, y, at)


def test_progress_reaches_its_end() -> None:
    net, x, y = example("resnet-8:width=4")
    seen: list[tuple[int, int]] = []
    gradients_by_length(net, x.repeat(3, 1, 1, 1), y.repeat(3), progress=lambda *at: seen.append(at))
    assert seen == [(i, 6) for i in range(1, 7)]
    seen.clear()
    sample_paths(net, x, y, progress=lambda *at: seen.append(at))
    assert seen == [(1, 2), (2, 2)]


def test_sampled_means_tend_to_the_mean_over_all_paths_of_a_length() -> None:
    net, x, y = example("preact-14:width=4")
    paths = torch.tensor(list(product((False, True), repeat=6)))
    norms = path_gradients(net, x, y, "stem", paths).flatten(2).norm(dim=2).mean(1)
    result = sample_paths(net, x, y, draws=40)
    assert result.draws == 80
    for k in range(7):
        mean = float(norms[paths.sum(1) == k].mean())
        assert result.low[k] <= result.means[k] <= result.high[k]
        assert result.means[k] == pytest.approx(mean, rel=0.25)
    assert result.counts == tuple(str(comb(6, k)) for k in range(7))
    first, last = result.effective
    weights = 10**result.log10_counts * result.means
    assert weights[first : last + 1].sum() >= 0.95 * weights.sum()
    assert result.effective_share == pytest.approx(sum(comb(6, k) for k in range(first, last + 1)) / 64)


def test_the_same_seed_draws_the_same_paths() -> None:
    net, x, y = example("resnet-8:width=4")
    one, two, other = (sample_paths(net, x, y, draws=3, seed=seed).means for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_no_range_is_called_effective_where_lengths_are_left_out() -> None:
    net, x, y = example("resnet-14:width=4")
    result = sample_paths(net, x, y, longest=2)
    assert result.effective == ()
    assert np.isnan(result.effective_share)
