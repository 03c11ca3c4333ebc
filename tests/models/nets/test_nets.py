"""Whole nets against torchvision's, against equations written out, and against what initialisation promises."""

import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from models.names import PRESETS
from models.nets.net import Net, build, generator, weight_layers
from models.spec import NetSpec


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """These nets are small: threads cost more than they bring, above all where other work is going on."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def torchvision_names(ours: Net) -> Iterator[tuple[str, str]]:
    """(our module's name, torchvision's), for the ImageNet form with option B."""
    yield from (("stem.conv", "conv1"), ("stem.norm", "bn1"), ("head.fc", "fc"))
    first = 0
    for stage, count in enumerate(ours.spec.stage_blocks, start=1):
        for nth in range(count):
            here, there = f"blocks.{first + nth}", f"layer{stage}.{nth}"
            for i in (1, 2, 3) if ours.spec.branch == "bottleneck" else (1, 2):
                yield f"{here}.branch.conv{i}", f"{there}.conv{i}"
                yield f"{here}.branch.norm{i}", f"{there}.bn{i}"
            if f"{here}.shortcut.conv.weight" in ours.state_dict():
                yield f"{here}.shortcut.conv", f"{there}.downsample.0"
                yield f"{here}.shortcut.norm", f"{there}.downsample.1"
        first += count


def shake(net: nn.Module) -> None:
    """Draw scale, shift and running statistics of every normalisation at random, so that each of them matters."""
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                assert module.running_mean is not None
                assert module.running_var is not None
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("imagenet-resnet-18", "resnet18"),
        ("imagenet-resnet-34", "resnet34"),
        ("imagenet-resnet-50-v1.5", "resnet50"),
        ("imagenet-resnet-50", "resnet50"),  # torchvision's with the stride moved to the first 1×1, as in the paper
    ],
)
def test_logits_equal_torchvisions_with_the_same_weights(name: str, theirs: str) -> None:
    torch.manual_seed(0)
    witness = getattr(torchvision.models, theirs)()
    shake(witness)
    if name == "imagenet-resnet-50":
        for stage in (witness.layer2, witness.layer3, witness.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    ours = build(NetSpec.parse(name))
    state = witness.state_dict()
    names = dict(torchvision_names(ours))
    renamed = {}
    for key in ours.state_dict():
        module, _, number = key.rpartition(".")
        renamed[key] = state.pop(f"{names[module]}.{number}")
    assert not state  # every number of theirs has its place in ours
    ours.load_state_dict(renamed)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = witness.eval()(x)
        assert expected.std() > 0.01
        torch.testing.assert_close(ours.eval()(x), expected)


def test_a_preactivation_net_is_the_equations_of_he_2016_from_image_to_logits() -> None:
    torch.manual_seed(0)
    net = build(NetSpec.parse("preact-14:width=4")).eval()
    shake(net)
    w = net.state_dict()

    def activated(x: Tensor, name: str) -> Tensor:
        mean, var = w[f"{name}.running_mean"], w[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, w[f"{name}.weight"], w[f"{name}.bias"]).relu()

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        return F.conv2d(x, w[f"{name}.weight"], stride=stride, padding=1)

    image = torch.randn(2, 3, 32, 32)
    x = activated(conv(image, "stem.conv"), "stem.norm")  # the first activation stands before the first split
    for index in range(6):
        here, stride = f"blocks.{index}", 2 if index in (2, 4) else 1
        h = x if index == 0 else activated(x, f"{here}.before.norm")
        h = conv(activated(conv(h, f"{here}.branch.conv1", stride), f"{here}.branch.norm1"), f"{here}.branch.conv2")
        if stride == 2:
            missing = h.shape[1] - x.shape[1]
            x = torch.cat([z := torch.zeros_like(h)[:, : missing // 2], x[:, :, ::2, ::2], z], dim=1)
        x = x + h
    x = activated(x, "head.last.norm").mean((2, 3))  # one more activation after the last addition
    expected = x @ w["head.fc.weight"].T + w["head.fc.bias"]
    torch.testing.assert_close(net(image), expected)


@pytest.mark.parametrize("name", ["resnet-20", "imagenet-resnet-18:width=8"])
def test_an_after_addition_net_has_no_activation_of_its_own_before_the_pool(name: str) -> None:
    net = build(NetSpec.parse(name)).eval()
    x = torch.randn(2, 3, 64, 64)
    h = net.stem(x)
    for block in net.blocks:
        h = block(h)
    torch.testing.assert_close(net(x), h.mean((2, 3)) @ net.head.fc.weight.T)  # type: ignore[union-attr]


# (side, channels); every layer, but narrow; the deepest nets see one size.
SIZES = ((28, 1), (32, 3), (33, 4))


@pytest.mark.slow
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_gives_logits_and_finite_gradients_at_any_size_and_channel_count(name: str) -> None:
    spec = NetSpec.parse(f"{name}:width=4")
    if spec.family == "stochastic":  # a branch that is dropped has no gradient
        spec = spec.model_copy(update={"survival": 1.0})
    for size, channels in SIZES[: 1 if spec.depth > 200 else 3]:
        net = build(spec.fitted(channels, 7))
        logits = net(torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(size)))
        assert logits.shape == (2, 7)
        F.cross_entropy(logits, torch.tensor([0, 6])).backward()
        for layer, weight in weight_layers(net).items():
            assert weight.grad is not None, layer
            assert weight.grad.isfinite().all(), layer
            assert weight.grad.any(), layer


@pytest.mark.parametrize(
    "text",
    [
        "resnet-20:norm=none",
        "preact-20:shortcut=C:norm=none",
        "imagenet-preact-50:width=4",
        "plain-bottleneck-29:width=3",
    ],
)
def test_nets_that_are_no_presets_give_finite_gradients_too(text: str) -> None:
    net = build(NetSpec.parse(text))
    net(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))).logsumexp(1).sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("text", ["resnet-20", "resnet-20:shortcut=C", "imagenet-resnet-50:width=8"])
def test_a_plain_net_and_its_residual_twin_start_from_equal_weights(text: str) -> None:
    spec = NetSpec.parse(text)
    twin = spec.plain_twin()
    assert twin is not None
    residual, plain = build(spec, seed=3).state_dict(), build(twin, seed=3).state_dict()
    assert set(residual) - set(plain) == {name for name in residual if ".shortcut." in name}
    assert not [name for name, value in plain.items() if not torch.equal(value, residual[name])]


def test_another_seed_draws_every_weight_anew() -> None:
    one, other = (weight_layers(build(NetSpec.parse("resnet-20"), seed)) for seed in (0, 1))
    assert not [name for name, weight in one.items() if torch.equal(weight, other[name])]


def test_the_same_seed_draws_the_same_weights_whatever_was_drawn_before() -> None:
    one = build(NetSpec.parse("resnet-20"), 5).state_dict()
    torch.manual_seed(1)
    torch.randn(10)
    other = build(NetSpec.parse("resnet-20"), 5).state_dict()
    assert not [name for name, value in one.items() if not torch.equal(value, other[name])]


def test_building_a_net_leaves_the_global_generator_where_it_was() -> None:
    before = torch.get_rng_state()
    build(NetSpec.parse("resnet-20"))
    assert torch.equal(torch.get_rng_state(), before)


def test_adding_layers_changes_no_other_layers_weights() -> None:
    short, long = (weight_layers(build(NetSpec.parse(name))) for name in ("resnet-20", "resnet-32"))
    shared = [name for name in short if short[name].shape == long[name].shape]
    assert {"stem.conv", "blocks.2.branch.conv2", "head.fc"} <= set(shared)
    assert not [name for name in shared if not torch.equal(short[name], long[name])]


def test_no_two_layers_start_equal() -> None:
    weights = list(weight_layers(build(NetSpec.parse("resnet-20"))).values())
    same = [(a, b) for i, a in enumerate(weights) for b in weights[:i] if a.shape == b.shape and torch.equal(a, b)]
    assert not same


@pytest.mark.parametrize("text", ["resnet-20", "preact-20:shortcut=B", "imagenet-resnet-50-v1.5:width=16"])
def test_convolutions_start_with_the_standard_deviation_of_he_eq_14(text: str) -> None:
    for name, parameter in weight_layers(build(NetSpec.parse(text))).items():
        weight = parameter.detach()
        if weight.ndim == 4:
            outputs, _, height, width = weight.shape
            expected = math.sqrt(2 / (height * width * outputs))
            tolerance = 5 / math.sqrt(2 * weight.numel())  # five standard errors of a standard deviation
            assert float(weight.std()) == pytest.approx(expected, rel=tolerance), name
            assert abs(float(weight.mean())) < 5 * expected / math.sqrt(weight.numel()), name


def test_normalisations_start_as_the_identity_of_standardised_maps() -> None:
    norms = [module for module in build(NetSpec.parse("preact-20")).modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(norms) == 19
    for norm in norms:
        state = norm.state_dict()
        assert state["weight"].eq(1).all()
        assert state["bias"].eq(0).all()
        assert state["running_mean"].eq(0).all()
        assert state["running_var"].eq(1).all()
        assert state["num_batches_tracked"] == 0


def test_biases_start_at_zero() -> None:
    biases = [p for name, p in build(NetSpec.parse("resnet-20:norm=none")).named_parameters() if name.endswith("bias")]
    assert len(biases) == 20
    assert not any(bias.any() for bias in biases)


def test_without_batch_normalisation_there_is_none_anywhere() -> None:
    net = build(NetSpec.parse("preact-20:shortcut=C:norm=none"))
    assert not [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]


def test_a_net_is_built_for_training_in_float32_on_the_cpu() -> None:
    net = build(NetSpec.parse("resnet-20"))
    assert net.training
    assert {(value.dtype, value.device.type) for value in net.parameters()} == {(torch.float32, "cpu")}


@pytest.mark.parametrize("depth", ["plain-20", "resnet-20", "preact-20"])
def test_activations_stand_where_the_family_puts_them(depth: str) -> None:
    net = build(NetSpec.parse(depth))
    after = {type(block.after) for block in net.blocks}
    before = [type(block.before) for block in net.blocks]
    if depth.startswith("preact"):
        assert after == {nn.Identity}
        assert before == [nn.Identity, *[nn.Sequential] * 8]
        assert isinstance(net.head.last, nn.Sequential)
    else:
        assert after == {nn.ReLU}
        assert set(before) == {nn.Identity}
        assert isinstance(net.head.last, nn.Identity)


def test_a_generator_depends_on_seed_and_purpose_alone() -> None:
    def draw(seed: int, *purpose: object) -> list[float]:
        return torch.randn(4, generator=generator(seed, *purpose)).tolist()

    assert draw(0, "augment", 3) == draw(0, "augment", 3)
    others = [draw(1, "augment", 3), draw(0, "augment", 4), draw(0, "order", 3)]
    assert draw(0, "augment", 3) not in others


@pytest.mark.parametrize(
    ("name", "params"),
    [("resnet-1202", 19_421_274), ("preact-1001", 10_327_706), ("preact-bottleneck-1001", 10_327_706)],
)
def test_a_thousand_layers_are_built_and_take_a_training_step(name: str, params: int) -> None:
    net = build(NetSpec.parse(name))
    assert sum(parameter.numel() for parameter in net.parameters()) == params
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    loss = F.cross_entropy(net(x), torch.tensor([0, 1]))
    loss.backward()
    assert loss.isfinite()
    gradients = [weight.grad for weight in net.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
