"""The MNIST form of the Torch post: counted by hand, written out as an equation, trained a step."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.nets.net import Net, build
from models.paper.costs import residual
from models.paper.equation import equation
from models.plan import plan
from models.spec import NetSpec

torch.set_num_threads(1)


def conv(inputs: int, outputs: int, kernel: int = 3) -> int:
    """Weights, and the scale and shift of the normalisation behind it."""
    return kernel**2 * inputs * outputs + 2 * outputs


def params_by_hand(blocks: tuple[int, ...], projections: bool) -> int:
    total, inputs = conv(1, 64), 64
    for stage, count in enumerate(blocks):
        outputs = 64 * 2**stage
        total += conv(inputs, outputs) + (2 * count - 1) * conv(outputs, outputs)
        total += conv(inputs, outputs, 1) if projections and inputs != outputs else 0
        inputs = outputs
    return total + 512 * 10 + 10


@pytest.mark.parametrize(("depth", "blocks"), [(34, (5, 5, 5, 1)), (100, (16, 16, 16, 1))])
def test_the_presets_of_the_post_by_hand(depth: int, blocks: tuple[int, ...]) -> None:
    for name, projections in ((f"mnist-plain-{depth}", False), (f"mnist-resnet-{depth}", True)):
        spec = NetSpec.parse(name)
        laid = plan(spec)
        assert (spec.stage_blocks, laid.depth) == (blocks, depth)
        assert laid.params == params_by_hand(blocks, projections)
        assert [laid.blocks[i].size_out for i in (0, blocks[0], 2 * blocks[0], 3 * blocks[0])] == [28, 14, 7, 4]


@pytest.mark.parametrize(
    ("depth", "blocks"), [(10, (1, 1, 1, 1)), (12, (1, 1, 2, 1)), (14, (1, 2, 2, 1)), (32, (4, 5, 5, 1))]
)
def test_any_even_depth_is_shared_as_in_the_program_of_the_post(depth: int, blocks: tuple[int, ...]) -> None:
    assert NetSpec.parse(f"mnist-resnet-{depth}").stage_blocks == blocks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mnist-resnet-35", "34 and 36"),
        ("mnist-plain-8", "10 and 12"),
        ("mnist-wide-16-4", "no MNIST form of the wide family"),
        ("mnist-resnet-bottleneck-38", "two convolutions"),
        ("mnist-vgg-16", "no MNIST form of the vgg family"),
    ],
)
def test_what_the_form_does_not_have_is_refused_with_what_it_has(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        NetSpec.parse(text)


@pytest.mark.parametrize(
    "text",
    ["mnist-resnet-12:width=4:shortcut=A:order=original", "mnist-plain-10:channels=3", "mnist-preact-10:norm=none"],
)
def test_every_setting_survives_the_text(text: str) -> None:
    spec = NetSpec.parse(text)
    assert str(spec) == text
    assert NetSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_net_is_the_order_of_the_post_from_image_to_logits() -> None:
    net = build(NetSpec.parse("mnist-resnet-12:width=4"), seed=1)
    w = net.state_dict()

    def unit(x: Tensor, name: str, number: str = "", stride: int = 1) -> Tensor:
        x = F.conv2d(
            x, w[f"{name}.conv{number}.weight"], stride=stride, padding=w[f"{name}.conv{number}.weight"].shape[-1] // 2
        )
        return F.batch_norm(x, None, None, training=True)  # the scale is 1 and the shift 0 in the beginning

    image = torch.randn(8, 1, 28, 28)
    x = unit(image, "stem").relu()
    for index, stride in enumerate((1, 2, 2, 1, 2)):
        here = f"blocks.{index}"
        f = unit(unit(x, f"{here}.branch", "1", stride).relu(), f"{here}.branch", "2").relu()  # then the addition
        x = (f + (unit(x, f"{here}.shortcut", stride=stride) if stride == 2 else x)).relu()  # CAddTable → ReLU
    assert x.shape == (8, 32, 4, 4)
    expected = F.linear(x.amax((2, 3)), w["head.fc.weight"], w["head.fc.bias"])
    torch.testing.assert_close(net(image), expected, rtol=1e-4, atol=1e-4)


def test_its_equation_has_the_activation_of_the_post_after_the_addition() -> None:
    found = equation(NetSpec.parse("mnist-resnet-34"), 1)
    assert found.lines[0] == r"x_{2} = \sigma(x_{1} + F_{2}(x_{1}))"
    assert "Patala" in found.source
    assert equation(NetSpec.parse("mnist-plain-34"), 1).lines[0] == r"x_{2} = \sigma(F_{2}(x_{1}))"


def test_twins_share_the_weights_of_every_layer_of_the_plain_net() -> None:
    spec = NetSpec.parse("mnist-resnet-14:width=4")
    plain = spec.plain_twin()
    assert plain == NetSpec.parse("mnist-plain-14:width=4")
    assert residual(plain) == spec
    ours, theirs = build(spec, seed=2).state_dict(), build(plain, seed=2).state_dict()
    assert set(theirs) < set(ours)
    assert all(torch.equal(ours[name], value) for name, value in theirs.items())


def test_without_its_shortcuts_the_residual_net_is_the_plain_one() -> None:
    """σ(σ(F)) is σ(F): the plain net's σ after its absent addition is the residual's before it and after it."""
    plain = build(NetSpec.parse("mnist-plain-10:width=4")).eval()
    cut = Net(NetSpec.parse("mnist-resnet-10:width=4")).eval()
    cut.load_state_dict(plain.state_dict(), strict=False)
    for block in cut.blocks:
        block.shortcut = plain.blocks[0].shortcut
    x = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(cut(x), plain(x))


@pytest.mark.parametrize("text", ["mnist-plain-34:width=4", "mnist-resnet-34:width=4", "mnist-resnet-100:width=2"])
def test_a_step_against_the_gradient_lowers_the_loss(text: str) -> None:
    net = build(NetSpec.parse(text), seed=3)
    draw = torch.Generator().manual_seed(4)
    x, y = torch.randn(8, 1, 28, 28, generator=draw), torch.randint(10, (8,), generator=draw)
    before = F.cross_entropy(net(x), y)
    gradients = torch.autograd.grad(before, list(net.parameters()))
    norm = torch.cat([g.flatten() for g in gradients]).norm()
    assert torch.isfinite(norm)
    with torch.no_grad():
        for parameter, g in zip(net.parameters(), gradients, strict=True):
            parameter.sub_(1e-3 * g / norm)
        assert F.cross_entropy(net(x), y) < before
