"""Stochastic depth: its rule for the test, against the exact average over all sets of branches."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
from torch import Tensor, nn

from models.nets.net import Net, build
from models.spec import NetSpec
from tests.support.nets import block_of, lively

torch.set_num_threads(1)


def test_survival_falls_linearly_to_p_l() -> None:
    net = build(NetSpec.parse("stochastic-20:survival=0.5"))
    ps = [float(block.get_submodule("branch").p) for block in net.blocks]  # type: ignore[arg-type]
    assert ps == pytest.approx([1 - (i / 9) * 0.5 for i in range(1, 10)])


def masks(net: Net, x: Tensor) -> Tensor:
    """The exact mean of the logits over all 2ⁿ sets of branches, each weighted by its probability."""
    branches = [block.get_submodule("branch") for block in net.blocks]
    ps = [float(branch.p) for branch in branches]  # type: ignore[arg-type]
    total = torch.zeros(1)
    for kept in product((0.0, 1.0), repeat=len(branches)):
        weight = 1.0
        for branch, p, b in zip(branches, ps, kept, strict=True):
            branch.p = b  # type: ignore[assignment]  # in evaluation mode the branch is scaled by it
            weight *= p if b else 1 - p
        total = total + weight * net(x)
    for branch, p in zip(branches, ps, strict=True):
        branch.p = p  # type: ignore[assignment]
    return total


def linear(net: Net) -> Net:
    """Every σ and BN of the net replaced by the identity."""
    for module in list(net.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, (nn.ReLU, nn.BatchNorm2d)):
                setattr(module, name, nn.Identity())
    return net


def test_the_test_time_rule_is_the_exact_average_for_a_linear_net() -> None:
    net = linear(build(NetSpec.parse("stochastic-20:width=2:norm=none"), seed=1)).double().eval()
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        torch.testing.assert_close(net(x), masks(net, x))


def test_the_test_time_rule_is_only_near_the_average_for_a_net_with_relus(
    record_property: Callable[[str, object], None],
) -> None:
    net = lively("stochastic-20:width=4").double()
    x = torch.randn(3, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        rule, exact = net(x), masks(net, x)
    gap = float((rule - exact).norm() / exact.norm())
    record_property("relative gap", gap)
    assert 1e-6 < gap < 0.5


def test_a_dropped_branch_is_not_computed_and_the_shortcut_alone_remains() -> None:
    block, x = block_of(build(NetSpec.parse("stochastic-20:width=4")), 1)
    block.get_submodule("branch").p = 0.0  # type: ignore[assignment]
    calls: list[int] = []
    block.get_submodule("branch.conv1").register_forward_hook(lambda *_: calls.append(1))
    torch.testing.assert_close(block.train()(x), x.relu())
    assert calls == []
