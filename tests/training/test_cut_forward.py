"""A cut block against the equation of its family, written out by hand."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from app.training.cut_forward import block_output, refusal
from models.nets.blocks import Block
from models.nets.net import Net, blocks_of, build
from models.spec import NetSpec
from tests.support.nets import lively

torch.set_num_threads(1)


def gate_of(block: Block) -> nn.Conv2d:
    gate = block.get_submodule("join.gate")
    assert isinstance(gate, nn.Conv2d)
    return gate


def inputs(net: Net, index: int) -> Tensor:
    """What block `index` takes in for two images of noise."""
    x = net.stem(torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
    for block in blocks_of(net)[:index]:
        x = block(x)
    return x


@pytest.mark.parametrize(
    "name",
    ["resnet-8", "preact-8", "highway-8", "stochastic-8", "se-8", "dense-10-4", "wide-10-2", "plain-8", "vgg-11"],
)
def test_a_scale_of_one_is_the_whole_block(name: str) -> None:
    net = lively(name)
    for index, block in enumerate(blocks_of(net)):
        x = inputs(net, index)
        assert torch.equal(block_output(block, x), block(x))


def test_a_cut_leaves_the_shortcut_and_the_activation() -> None:
    net = lively("resnet-8:width=4")
    x = inputs(net, 1)
    padded = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2))
    assert torch.equal(block_output(blocks_of(net)[1], x, 0), padded.relu())
    assert torch.equal(block_output(blocks_of(net)[0], inputs(net, 0), 0), inputs(net, 0).relu())


def test_a_cut_preactivation_block_projects_what_it_activated() -> None:
    net = lively("preact-8:width=4:shortcut=B")
    x, block = inputs(net, 1), blocks_of(net)[1]
    h = block.get_submodule("before.norm")(x).relu()
    torch.testing.assert_close(
        block_output(block, x, 0), F.conv2d(h, block.get_parameter("shortcut.conv.weight"), stride=2)
    )


def test_a_cut_highway_block_is_one_whose_gate_is_shut() -> None:
    net = lively("highway-8:width=4")
    x, block = inputs(net, 0), blocks_of(net)[0]
    cut, half = block_output(block, x, 0), block_output(block, x, 0.5)
    t = torch.sigmoid(gate_of(block)(x))
    torch.testing.assert_close(cut, x)
    torch.testing.assert_close(half, t / 2 * block.branch(x) + (1 - t / 2) * x)


def test_a_gate_on_the_shortcut_stays_when_the_branch_is_cut() -> None:
    net = lively("resnet-8:width=4:gate=shortcut-only")
    x, block = inputs(net, 0), blocks_of(net)[0]
    t = torch.sigmoid(gate_of(block)(x))
    torch.testing.assert_close(block_output(block, x, 0), ((1 - t) * x).relu())


def test_a_scaled_shortcut_keeps_its_scale() -> None:
    net = lively("resnet-8:width=4:shortcut_scale=0.5:branch_scale=0.25")
    x, block = inputs(net, 0), blocks_of(net)[0]
    torch.testing.assert_close(block_output(block, x, 0), (0.5 * x).relu())
    torch.testing.assert_close(block_output(block, x, 0.2), (0.5 * x + 0.05 * block.branch(x)).relu())


@pytest.mark.parametrize("index", [1, 2])
def test_a_cut_dense_block_appends_zeros_after_its_transition(index: int) -> None:
    net = lively("dense-bc-16-4")
    x, block = inputs(net, index), blocks_of(net)[index]
    entered = block.enter(x)
    torch.testing.assert_close(block_output(block, x, 0), torch.cat([entered, torch.zeros_like(entered)[:, :4]], 1))


@pytest.mark.parametrize("name", ["resnet-8:width=4", "stochastic-8:width=4", "se-8:width=4"])
def test_between_the_two_the_branch_is_scaled(name: str) -> None:
    net = lively(name)
    x, block = inputs(net, 0), blocks_of(net)[0]
    torch.testing.assert_close(block_output(block, x, 0.3), (x + 0.3 * block.branch(x)).relu())


def test_the_branch_of_a_cut_block_is_not_computed() -> None:
    net = lively("resnet-8:width=4")
    calls: list[int] = []
    blocks_of(net)[0].get_submodule("branch.conv1").register_forward_hook(lambda *_: calls.append(1))
    block_output(blocks_of(net)[0], inputs(net, 0), 0)
    assert not calls


def test_a_plain_block_is_passed_over_where_shapes_allow_and_refused_elsewhere() -> None:
    net = lively("plain-14:width=4")
    assert torch.equal(block_output(blocks_of(net)[1], inputs(net, 1), 0), inputs(net, 1))
    with pytest.raises(ValueError, match="turns 4×32×32 into 8×16×16"):
        block_output(blocks_of(net)[2], inputs(net, 2), 0)
    assert [bool(refusal(block)) for block in blocks_of(net)] == [False, False, True, False, True, False]


def test_vgg_s_pooling_is_the_block_s_entrance_and_stays() -> None:
    net = lively("vgg-11:width=4")
    block = blocks_of(net)[5]
    x = inputs(net, 5)
    torch.testing.assert_close(block_output(block, x, 0), nn.functional.max_pool2d(x, 2, ceil_mode=True))


def test_every_residual_block_can_be_cut() -> None:
    for name in ("resnet-20", "highway-20", "dense-40-12", "wide-16-4"):
        assert not any(refusal(block) for block in blocks_of(build(NetSpec.parse(name))))
