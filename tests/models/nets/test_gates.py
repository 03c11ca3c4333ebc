"""Gates and dials against their papers' equations, written out by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.nets.blocks import Block, Gated
from models.nets.net import build
from models.spec import NetSpec
from tests.support.nets import block_of, lively

torch.set_num_threads(1)


def gate_of(block: Block) -> nn.Conv2d:
    assert isinstance(block.join, Gated)
    return block.join.gate


def set_gate(block: Block, bias: float) -> None:
    with torch.no_grad():
        gate_of(block).weight.zero_()
        gate = gate_of(block).bias
        assert gate is not None
        gate.fill_(bias)


def test_a_closed_highway_gate_is_the_identity() -> None:
    net = lively("highway-20:width=4")
    block, x = block_of(net, 1)
    set_gate(block, -40)
    torch.testing.assert_close(block(x), x)


def test_an_open_highway_gate_is_a_plain_net_whose_branch_ends_with_its_activation() -> None:
    block, x = block_of(lively("highway-20:width=4"), 1)
    set_gate(block, 40)
    torch.testing.assert_close(block(x), block.branch(x))
    assert block.branch(x).min().item() == 0


def test_a_half_open_highway_gate_is_the_equation_of_the_paper() -> None:
    block, x = block_of(lively("highway-20:width=4"), 3)
    gate = gate_of(block)
    t = 1 / (1 + torch.exp(-F.conv2d(x, gate.weight, gate.bias, stride=2, padding=1)))
    passed = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
    torch.testing.assert_close(block(x), t * block.branch(x) + (1 - t) * passed)


def test_the_gate_s_bias_is_a_setting() -> None:
    for text, bias in (("highway-20:gate_bias=-3", -3), ("preact-20:gate=exclusive:gate_bias=-6", -6)):
        block, _ = block_of(build(NetSpec.parse(text)), 0)
        assert set(gate_of(block).bias.tolist()) == {bias}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["exclusive", "shortcut-only"])
def test_he_2016_s_gates_are_his_equations(kind: str) -> None:
    block, x = block_of(lively(f"resnet-20:width=4:gate={kind}:gate_bias=0.5"), 1)
    gate = gate_of(block)
    assert gate.kernel_size == (1, 1)
    g = torch.sigmoid(F.conv2d(x, gate.weight, gate.bias))
    f = block.branch(x)
    expected = g * f + (1 - g) * x if kind == "exclusive" else f + (1 - g) * x
    torch.testing.assert_close(block(x), expected.relu())


def test_the_dial_scales_shortcut_and_branch() -> None:
    block, x = block_of(lively("resnet-20:width=4:shortcut_scale=0.5:branch_scale=0.25"), 1)
    torch.testing.assert_close(block(x), (0.5 * x + 0.25 * block.branch(x)).relu())


def test_shortcut_dropout_drops_half_of_the_shortcut_and_nothing_in_evaluation() -> None:
    block, x = block_of(lively("resnet-20:width=4:shortcut_dropout=0.5"), 1)
    torch.testing.assert_close(block(x), (x + block.branch(x)).relu())
    block.join.train()
    torch.manual_seed(0)
    s = block.join(x, x, torch.zeros_like(x))
    assert float((s == 0).float().mean()) == pytest.approx(0.5, abs=0.1)
    torch.testing.assert_close(s[s != 0], 2 * x[s != 0])
