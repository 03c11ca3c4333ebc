"""The five orders, and what stands in a branch: each against its paper's equation, written out by hand."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.net import build, initialise
from models.plan import ORDERS
from models.spec import NetSpec
from tests.support.nets import block_of, lively

torch.set_num_threads(1)


# ── the orders ──


@pytest.mark.parametrize("order", list(ORDERS))
def test_each_order_is_the_one_of_he_2016_table_2_or_of_the_mnist_post(order: str) -> None:
    text = "preact-20:width=4" if order == "full" else f"resnet-20:width=4:order={order}"
    block, x = block_of(lively(text), 1)
    bn = {name: module for name, module in block.named_modules() if isinstance(module, nn.BatchNorm2d)}
    one, two = block.get_submodule("branch.conv1"), block.get_submodule("branch.conv2")
    b1 = bn["branch.norm1"]
    norm2 = bn.get("branch.norm2", nn.Identity())
    equations: dict[str, Callable[[], Tensor]] = {
        "original": lambda: F.relu(x + norm2(two(b1(one(x)).relu()))),
        "bn-after-add": lambda: F.relu(bn["after.norm"](x + two(b1(one(x)).relu()))),
        "relu-before-add": lambda: x + F.relu(norm2(two(b1(one(x)).relu()))),
        "relu-around-add": lambda: F.relu(x + F.relu(norm2(two(b1(one(x)).relu())))),
        "relu-only": lambda: x + norm2(two(b1(one(x.relu())).relu())),
        "full": lambda: x + two(b1(one(F.relu(bn["before.norm"](x)))).relu()),
    }
    torch.testing.assert_close(block(x), equations[order]())
    assert len(bn) == 2


# ── dense, SE ──


def test_a_dense_block_appends_its_new_channels() -> None:
    block, x = block_of(lively("dense-10-4:width=6"), 1)
    h = block.get_submodule("before.norm")(x).relu()
    expected = torch.cat([x, block.get_submodule("branch.conv1")(h)], 1)
    torch.testing.assert_close(block(x), expected)
    assert block(x).shape[1] == x.shape[1] + 4


def test_a_dense_transition_normalises_compresses_and_halves() -> None:
    net = lively("dense-bc-16-4")
    block, x = block_of(net, 2)
    enter = block.get_submodule("enter")
    h = enter.get_submodule("conv")(enter.get_submodule("norm")(x).relu())
    torch.testing.assert_close(enter(x), F.avg_pool2d(h, 2))
    assert h.shape[1] == x.shape[1] // 2


def test_squeeze_and_excitation_rescales_each_channel_by_its_gate() -> None:
    block, x = block_of(lively("se-20"), 8)
    se = block.get_submodule("branch.se")
    before = nn.Sequential(*list(block.branch.children())[:-1])(x)
    w1, b1 = se.get_parameter("squeeze.weight"), se.get_parameter("squeeze.bias")
    w2, b2 = se.get_parameter("excite.weight"), se.get_parameter("excite.bias")
    gate = torch.sigmoid((before.mean((2, 3)) @ w1.T + b1).relu() @ w2.T + b2)
    torch.testing.assert_close(block(x), (x + before * gate[:, :, None, None]).relu())
    assert w1.shape == (4, 64)  # r = 16


# ── activations and initial weights ──


@pytest.mark.parametrize(("name", "kind"), [("elu", nn.ELU), ("selu", nn.SELU), ("relu", nn.ReLU)])
def test_the_activation_is_the_one_asked_for_everywhere(name: str, kind: type[nn.Module]) -> None:
    net = build(NetSpec.parse(f"preact-20:activation={name}"))
    used = {type(module) for module in net.modules() if isinstance(module, (nn.ReLU, nn.ELU, nn.SELU))}
    assert used == {kind}


def test_lecun_s_initial_weights_have_the_variance_of_one_over_fan_in() -> None:
    weight = build(NetSpec.parse("plain-20:width=64:init=lecun")).get_parameter("blocks.8.branch.conv2.weight")
    assert float(weight.var() * weight[0].numel()) == pytest.approx(1, rel=0.02)


def test_orthogonal_initial_weights_are_orthogonal_and_repeatable() -> None:
    net = build(NetSpec.parse("plain-20:init=orthogonal"), seed=4)
    weight = net.get_parameter("blocks.4.branch.conv2.weight").flatten(1)
    torch.testing.assert_close(weight @ weight.T, torch.eye(len(weight)), rtol=0, atol=1e-5)
    before = weight.clone()
    initialise(net, 4)
    assert torch.equal(net.get_parameter("blocks.4.branch.conv2.weight").flatten(1), before)


def test_dropout_stands_between_the_convolutions_and_rests_in_evaluation() -> None:
    block, x = block_of(lively("wide-10-2:dropout=0.3"), 1)
    assert [name for name, _ in block.branch.named_children()] == ["conv1", "norm1", "act1", "dropout1", "conv2"]
    torch.testing.assert_close(block(x), block(x))
