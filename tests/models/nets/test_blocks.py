"""One block of each family against its equation, computed by hand from its weights."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.nets.blocks import Block
from models.nets.net import Net, build
from models.spec import NetSpec

FAMILIES = ["plain", "resnet", "preact"]


def lively(text: str, seed: int = 0) -> Net:
    """A net in evaluation mode whose normalisations and biases do something: their numbers are drawn at random."""
    net = build(NetSpec.parse(text), seed).eval()
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for value in (module.weight, module.bias, module.running_mean):
                    assert value is not None
                    value.normal_(generator=chance)
                assert module.running_var is not None
                module.running_var.uniform_(0.5, 2, generator=chance)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:
                module.bias.normal_(generator=chance)
    return net


def block_of(net: Net, index: int) -> tuple[Block, dict[str, Tensor]]:
    """A block, and its numbers by name."""
    block = net.blocks[index]
    assert isinstance(block, Block)
    return block, block.state_dict()


def image(block: Block) -> Tensor:
    """N×C×H×W, with negative numbers too."""
    return torch.randn(2, block.plan.inputs, 9, 9, generator=torch.Generator().manual_seed(7))


def norm(x: Tensor, w: dict[str, Tensor], name: str) -> Tensor:
    """Batch normalisation with running statistics, as Ioffe and Szegedy 2015 write it."""
    mean, var, scale, shift = (
        w[f"{name}.{key}"].view(1, -1, 1, 1) for key in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / torch.sqrt(var + 1e-5) * scale + shift


def option_a(x: Tensor, outputs: int, stride: int) -> Tensor:
    """Every second pixel, in the middle of as many zero channels as are missing."""
    n, inputs, height, width = x.shape
    y = torch.zeros(n, outputs, -(-height // stride), -(-width // stride))
    first = (outputs - inputs) // 2
    for row in range(y.shape[2]):
        for column in range(y.shape[3]):
            y[:, first : first + inputs, row, column] = x[:, :, row * stride, column * stride]
    return y


def conv3(x: Tensor, w: dict[str, Tensor], name: str, stride: int = 1) -> Tensor:
    """3×3, padded by one."""
    return F.conv2d(x, w[f"{name}.weight"], stride=stride, padding=1)


@pytest.mark.parametrize("index", [1, 3])
def test_a_plain_block_is_the_activation_of_its_branch_alone(index: int) -> None:
    block, w = block_of(lively("plain-20:width=4"), index)
    x, stride = image(block), block.plan.stride
    h = norm(conv3(x, w, "branch.conv1", stride), w, "branch.norm1").relu()
    expected = norm(conv3(h, w, "branch.conv2"), w, "branch.norm2").relu()
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("index", [1, 3])
def test_a_residual_block_is_the_activation_of_shortcut_plus_branch(index: int) -> None:
    block, w = block_of(lively("resnet-20:width=4"), index)
    x, stride = image(block), block.plan.stride
    h = norm(conv3(x, w, "branch.conv1", stride), w, "branch.norm1").relu()
    f = norm(conv3(h, w, "branch.conv2"), w, "branch.norm2")
    torch.testing.assert_close(block(x), (option_a(x, block.plan.outputs, stride) + f).relu())


def test_option_b_adds_a_normalised_projection_where_shapes_change() -> None:
    block, w = block_of(lively("resnet-20:width=4:shortcut=B"), 3)
    x = image(block)
    h = norm(conv3(x, w, "branch.conv1", 2), w, "branch.norm1").relu()
    f = norm(conv3(h, w, "branch.conv2"), w, "branch.norm2")
    s = norm(F.conv2d(x, w["shortcut.conv.weight"], stride=2), w, "shortcut.norm")
    torch.testing.assert_close(block(x), (s + f).relu())


def test_option_b_adds_the_input_itself_where_shapes_agree() -> None:
    block, _ = block_of(lively("resnet-20:width=4:shortcut=B"), 1)
    x = image(block)
    torch.testing.assert_close(block(x), (x + block.branch(x)).relu())


def test_option_c_projects_even_where_shapes_agree() -> None:
    block, w = block_of(lively("resnet-20:width=4:shortcut=C"), 1)
    x = image(block)
    s = norm(F.conv2d(x, w["shortcut.conv.weight"]), w, "shortcut.norm")
    torch.testing.assert_close(block(x), (s + block.branch(x)).relu())


@pytest.mark.parametrize(("version", "strides"), [("", (2, 1)), ("-v1.5", (1, 2))])
def test_a_bottleneck_narrows_convolves_and_widens_again(version: str, strides: tuple[int, int]) -> None:
    block, w = block_of(lively(f"resnet-bottleneck-29{version}:width=4"), 3)
    x = image(block)
    h = norm(F.conv2d(x, w["branch.conv1.weight"], stride=strides[0]), w, "branch.norm1").relu()
    h = norm(conv3(h, w, "branch.conv2", strides[1]), w, "branch.norm2").relu()
    f = norm(F.conv2d(h, w["branch.conv3.weight"]), w, "branch.norm3")
    s = norm(F.conv2d(x, w["shortcut.conv.weight"], stride=2), w, "shortcut.norm")
    assert h.shape[1] * 4 == f.shape[1]
    torch.testing.assert_close(block(x), (s + f).relu())


def test_a_preactivation_block_adds_its_branch_to_the_untouched_input() -> None:
    block, w = block_of(lively("preact-20:width=4"), 1)
    x = image(block)
    h = conv3(norm(x, w, "before.norm").relu(), w, "branch.conv1")
    f = conv3(norm(h, w, "branch.norm1").relu(), w, "branch.conv2")
    torch.testing.assert_close(block(x), x + f)


def test_a_preactivation_block_pads_the_raw_input_under_option_a() -> None:
    block, w = block_of(lively("preact-20:width=4"), 3)
    x = image(block)
    h = conv3(norm(x, w, "before.norm").relu(), w, "branch.conv1", 2)
    f = conv3(norm(h, w, "branch.norm1").relu(), w, "branch.conv2")
    torch.testing.assert_close(block(x), option_a(x, 8, 2) + f)


def test_a_preactivation_projection_sees_the_activated_input_and_has_no_normalisation() -> None:
    block, w = block_of(lively("preact-20:width=4:shortcut=B"), 3)
    x = image(block)
    a = norm(x, w, "before.norm").relu()
    f = conv3(norm(conv3(a, w, "branch.conv1", 2), w, "branch.norm1").relu(), w, "branch.conv2")
    torch.testing.assert_close(block(x), F.conv2d(a, w["shortcut.conv.weight"], stride=2) + f)


def test_the_first_preactivation_block_leaves_its_activation_to_the_stem() -> None:
    block, w = block_of(lively("preact-20:width=4"), 0)
    x = image(block)
    f = conv3(norm(conv3(x, w, "branch.conv1"), w, "branch.norm1").relu(), w, "branch.conv2")
    torch.testing.assert_close(block(x), x + f)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_branch_may_be_a_single_convolution(family: str) -> None:
    block, w = block_of(lively(f"{family}-single-11:width=4"), 1)
    x = image(block)
    if family == "preact":
        expected = x + conv3(norm(x, w, "before.norm").relu(), w, "branch.conv1")
    else:
        f = norm(conv3(x, w, "branch.conv1"), w, "branch.norm1")
        expected = (f if family == "plain" else x + f).relu()
    torch.testing.assert_close(block(x), expected)


def test_without_batch_normalisation_a_branch_is_convolutions_with_biases() -> None:
    block, w = block_of(lively("resnet-20:width=4:norm=none"), 1)
    x = image(block)
    h = F.conv2d(x, w["branch.conv1.weight"], w["branch.conv1.bias"], padding=1).relu()
    f = F.conv2d(h, w["branch.conv2.weight"], w["branch.conv2.bias"], padding=1)
    torch.testing.assert_close(block(x), (x + f).relu())


@pytest.mark.parametrize("width", [3, 4])
def test_option_a_pads_an_odd_number_of_channels_too(width: int) -> None:
    block, _ = block_of(build(NetSpec.parse(f"resnet-8:width={width}")), 1)
    x = image(block)
    torch.testing.assert_close(block.shortcut(x, x), option_a(x, 2 * width, 2), rtol=0, atol=0)


def test_a_plain_block_has_no_shortcut_and_no_numbers_in_its_place() -> None:
    block, w = block_of(build(NetSpec.parse("plain-8")), 0)
    x = image(block)
    assert block.shortcut(x, x) is None
    assert not [name for name in w if "shortcut" in name]


@pytest.mark.parametrize("text", [f"{family}-20:width=4" for family in FAMILIES] + ["resnet-bottleneck-29:width=4"])
def test_every_block_is_after_of_join_of_shortcut_and_branch(text: str) -> None:
    net = lively(text)
    for index in range(len(net.blocks)):
        block, _ = block_of(net, index)
        x = image(block)
        h = block.before(x)
        shortcut, branch = block.shortcut(x, h), block.branch(h)
        torch.testing.assert_close(block(x), block.after(branch if shortcut is None else shortcut + branch))


@pytest.mark.parametrize("norms", ["batch", "none"])
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_that_a_hook_has_kept_is_changed_by_what_follows(family: str, norms: str) -> None:
    net = lively(f"{family}-20:width=4:norm={norms}").train()
    kept: list[tuple[str, Tensor, Tensor]] = []

    def keep(module: nn.Module, inputs: tuple[Tensor | None, ...], output: Tensor | None) -> None:
        for value in (*inputs, output):
            if value is not None:
                kept.append((names[module], value, value.detach().clone()))

    names = {module: name for name, module in net.named_modules()}
    for module in names:
        module.register_forward_hook(keep)
    net(torch.randn(2, 3, 12, 12)).sum().backward()
    assert len(kept) > 100
    assert not [name for name, value, before in kept if not torch.equal(value, before)]
