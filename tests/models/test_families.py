"""Every family against a witness of its own: torchvision's logits, the paper's equation by hand, an exact average."""

from collections.abc import Callable
from itertools import product

import pytest
import torch
import torch.nn.functional as F
import torchvision.models
from torch import Tensor, nn

from models.nets.blocks import Block, Gated
from models.nets.net import Net, build, initialise
from models.plan import plan
from models.spec import NetSpec
from tests.support.nets import lively

torch.set_num_threads(1)


def block_of(net: Net, index: int) -> tuple[Block, Tensor]:
    block = net.blocks[index]
    assert isinstance(block, Block)
    channels = block.plan.inputs if block.plan.transition is None else block.plan.transition.inputs
    return block, torch.randn(2, channels, 8, 8, generator=torch.Generator().manual_seed(1))


# ── counts ──


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("wide-28-10", 36_479_194),
        ("dense-bc-100-12", 769_162),
        ("imagenet-vgg-16", 138_357_544),
        ("imagenet-vgg-19", 143_667_240),
    ],
)
def test_parameter_counts_are_the_papers(name: str, params: int) -> None:
    assert plan(NetSpec.parse(name)).params == params


def test_a_highway_net_has_resnet_s_parameters_and_its_gates() -> None:
    shapes = [(16, 16)] * 3 + [(16, 32)] + [(32, 32)] * 2 + [(32, 64)] + [(64, 64)] * 2
    gates = sum(9 * inputs * outputs + outputs for inputs, outputs in shapes)
    assert plan(NetSpec.parse("highway-20")).params == 269_722 + gates


@pytest.mark.parametrize(("name", "billions"), [("imagenet-vgg-19", 19.6), ("imagenet-plain-34", 3.6)])
def test_multiply_adds_are_the_lecture_s(name: str, billions: float) -> None:
    assert plan(NetSpec.parse(name)).macs / 1e9 == pytest.approx(billions, abs=0.1)


# ── torchvision ──


@pytest.mark.parametrize("name", ["vgg11", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19"])
def test_vgg_gives_torchvision_s_logits_with_the_same_weights(name: str) -> None:
    theirs = getattr(torchvision.models, name)(num_classes=7).eval()
    norm = "batch" if name.endswith("_bn") else "none"
    ours = build(NetSpec.parse(f"imagenet-vgg-{name[3:5]}:norm={norm}").fitted(3, 7)).eval()
    # Theirs has biases before BN as well; they are zero.
    beside_norm = {
        f"features.{i}.bias" for i, m in enumerate(theirs.features) if norm == "batch" and hasattr(m, "stride")
    }
    given = [parameter for key, parameter in theirs.named_parameters() if key not in beside_norm]
    for one, two in zip(ours.parameters(), given, strict=True):
        one.data = two.data
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("depth", [101, 152])
def test_the_deep_bottlenecks_give_torchvision_s_logits(depth: int) -> None:
    theirs = getattr(torchvision.models, f"resnet{depth}")(num_classes=7).eval()
    ours = build(NetSpec.parse(f"imagenet-resnet-{depth}-v1.5").fitted(3, 7)).eval()

    state = dict(theirs.named_parameters())
    blocks = [f"layer{stage}.{nth}." for stage in range(1, 5) for nth in range(len(getattr(theirs, f"layer{stage}")))]
    with torch.no_grad():
        for mine, prefix in zip(ours.blocks, blocks, strict=True):
            for i in (1, 2, 3):
                mine.get_parameter(f"branch.conv{i}.weight").copy_(state[f"{prefix}conv{i}.weight"])
            if f"{prefix}downsample.0.weight" in state:
                mine.get_parameter("shortcut.conv.weight").copy_(state[f"{prefix}downsample.0.weight"])
        ours.get_parameter("stem.conv.weight").copy_(state["conv1.weight"])
        ours.get_parameter("head.fc.weight").copy_(state["fc.weight"])
        ours.get_parameter("head.fc.bias").copy_(state["fc.bias"])
    x = torch.randn(1, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-3, atol=1e-3)


# ── highway and gates ──


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


# ── the five orders ──


@pytest.mark.parametrize("order", ["original", "bn-after-add", "relu-before-add", "relu-only", "full"])
def test_each_order_is_the_one_of_he_2016_table_2(order: str) -> None:
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
        "relu-only": lambda: x + norm2(two(b1(one(x.relu())).relu())),
        "full": lambda: x + two(b1(one(F.relu(bn["before.norm"](x)))).relu()),
    }
    torch.testing.assert_close(block(x), equations[order]())
    assert len(bn) == 2


# ── dense, wide, SE ──


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


def test_a_wide_net_is_a_preactivation_net_of_k_times_the_channels() -> None:
    wide = plan(NetSpec.parse("wide-16-4"))
    assert [block.outputs for block in wide.blocks] == [64, 64, 128, 128, 256, 256]
    assert [block.projection is not None for block in wide.blocks] == [True, False] * 3
    assert wide.params == 2_748_890  # Zagoruyko 2016, table 4: 2.7M


# ── stochastic depth ──


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


# ── a thousand layers ──


@pytest.mark.parametrize("name", ["resnet-1202", "preact-bottleneck-1001"])
def test_a_thousand_layers_take_a_training_step(name: str) -> None:
    net = build(NetSpec.parse(name))
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    loss = F.cross_entropy(net(x), torch.tensor([0, 1]))
    loss.backward()
    assert loss.isfinite()
    assert net.get_parameter("stem.conv.weight").grad is not None


def test_memory_grows_with_batch_and_depth_and_is_near_what_was_measured() -> None:
    small = plan(NetSpec.parse("resnet-110")).training_bytes(64, 2)
    assert small == pytest.approx(460e6, rel=0.2)  # measured: 460 MB, bfloat16, CPU
    assert plan(NetSpec.parse("resnet-110")).training_bytes(128, 2) > 1.9 * small
    assert plan(NetSpec.parse("resnet-1202")).training_bytes(8, 2) == pytest.approx(
        0.8e9, rel=0.35
    )  # measured: 0.61 GB
