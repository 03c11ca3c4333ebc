"""Foreign weights: a checkpoint made by hand in each naming gives the very logits; what does not fit is named."""

from collections.abc import Callable

import pytest
import torch
import torchvision.models
from torch import Tensor, nn

from models.nets.foreign import MisfitError, convert
from models.nets.net import Net, build
from models.plan import plan
from models.spec import NetSpec
from tests.support.nets import narrow_vgg

torch.set_num_threads(1)

Rename = Callable[[str], str]


def lively(model: nn.Module) -> nn.Module:
    """In evaluation mode, with running statistics that are not the identity's."""
    rng = torch.Generator().manual_seed(5)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            module.running_mean.normal_(0, 0.3, generator=rng)
            module.running_var.uniform_(0.5, 1.5, generator=rng)
    return model.eval()


def loaded(content: object, text: str) -> Net:
    spec = NetSpec.parse(text)
    net = build(spec, seed=99)
    net.load_state_dict(convert(content, spec))
    return net.eval()


def original(text: str) -> tuple[Net, dict[str, Tensor]]:
    net = build(NetSpec.parse(text), seed=1)
    lively(net)
    return net, net.state_dict()


def same_logits(one: nn.Module, two: nn.Module, size: int = 32, tolerance: float = 1e-4) -> None:
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(one(x), two(x), rtol=tolerance, atol=tolerance)


def cifar_names(text: str, projection: str, linear: str) -> Rename:
    """Our name → the one in a public CIFAR repository, spelled out block by block."""
    blocks = plan(NetSpec.parse(text)).blocks
    per_stage = len(blocks) // 3

    def rename(name: str) -> str:
        module, _, what = name.rpartition(".")
        match module.split("."):
            case ["stem", part]:
                return f"{'conv1' if part == 'conv' else 'bn1'}.{what}"
            case ["head", "fc"]:
                return f"{linear}.{what}"
            case ["blocks", index, "branch", part]:
                part = part.replace("norm", "bn")
                return f"layer{int(index) // per_stage + 1}.{int(index) % per_stage}.{part}.{what}"
            case ["blocks", index, "shortcut", part]:
                n = 0 if part == "conv" else 1
                return f"layer{int(index) // per_stage + 1}.{int(index) % per_stage}.{projection}.{n}.{what}"
        raise AssertionError(name)

    return rename


@pytest.mark.parametrize(
    ("text", "projection", "linear"),
    [
        ("resnet-20:width=4", "shortcut", "linear"),
        ("resnet-20:width=4:shortcut=B", "shortcut", "linear"),
        ("resnet-14:width=4:shortcut=B", "downsample", "fc"),
        ("resnet-bottleneck-29:width=4:classes=7", "downsample", "fc"),
        ("plain-14:width=4", "shortcut", "linear"),
    ],
)
def test_the_names_of_public_cifar_repositories(text: str, projection: str, linear: str) -> None:
    net, state = original(text)
    rename = cifar_names(text, projection, linear)
    same_logits(loaded({rename(name): value for name, value in state.items()}, text), net)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (torchvision.models.resnet18, "imagenet-resnet-18"),
        (torchvision.models.resnet34, "imagenet-resnet-34"),
        (torchvision.models.resnet50, "imagenet-resnet-50-v1.5"),
    ],
)
def test_torchvision_s_resnets_give_their_own_logits(make: Callable[..., nn.Module], text: str) -> None:
    theirs = lively(make(num_classes=10))
    same_logits(loaded(theirs.state_dict(), f"{text}:classes=10"), theirs, size=64)


@pytest.mark.parametrize(("depth", "bn"), [(16, False), (19, True)])
def test_torchvision_s_vgg_gives_its_own_logits(depth: int, bn: bool) -> None:
    theirs = narrow_vgg(depth, bn, classes=1000)
    with torch.no_grad():
        for module in theirs.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                module.bias.normal_(0, 0.1)  # before a normalisation it moves the mean
    lively(theirs)
    text = f"imagenet-vgg-{depth}:width=16" + (":norm=batch" if bn else "")
    same_logits(loaded(theirs.state_dict(), text), theirs, size=32, tolerance=1e-3)


class _WideBlock(nn.Module):
    """A block of the public wide ResNets, in their words."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.bn1(x).relu()
        s = x if self.convShortcut is None else self.convShortcut(h)
        return s + self.conv2(self.bn2(self.conv1(h)).relu())


class _Stage(nn.Module):
    def __init__(self, *blocks: nn.Module) -> None:
        super().__init__()
        self.layer = nn.Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class _WideNet(nn.Module):
    """WRN-16-2, four channels wide."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 1, 1, bias=False)
        self.block1 = _Stage(_WideBlock(4, 8, 1), _WideBlock(8, 8, 1))
        self.block2 = _Stage(_WideBlock(8, 16, 2), _WideBlock(16, 16, 1))
        self.block3 = _Stage(_WideBlock(16, 32, 2), _WideBlock(32, 32, 1))
        self.bn1 = nn.BatchNorm2d(32)
        self.fc = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        return self.fc(self.bn1(x).relu().mean((2, 3)))


def test_the_names_of_the_public_wide_nets_give_their_own_logits() -> None:
    theirs = lively(_WideNet())
    same_logits(loaded({f"module.{k}": v for k, v in theirs.state_dict().items()}, "wide-16-2:width=4"), theirs)


def test_a_wide_net_whose_first_block_does_not_project_is_not_taken_for_another() -> None:
    with pytest.raises(MisfitError, match="none of the file's names is known"):
        convert(_WideNet().state_dict(), NetSpec.parse("wide-16-1:width=4"))


@pytest.mark.parametrize("biases", [True, False])
def test_the_names_of_the_public_squeeze_and_excitation_nets(biases: bool) -> None:
    text = "se-14:width=16:shortcut=B"
    net, state = original(text)
    with torch.no_grad():
        for name, value in state.items():
            if ".se." in name and name.endswith("bias"):
                value.normal_(0, 0.5) if biases else value.zero_()
    rename = cifar_names(text, "downsample", "fc")
    renamed = {}
    for name, value in state.items():
        where, _, part = name.partition(".branch.se.")
        if not part:
            renamed[rename(name)] = value
        elif biases or not name.endswith("bias"):
            block = rename(f"{where}.branch.conv1.weight").removesuffix(".conv1.weight")
            renamed[f"{block}.se.{part.replace('squeeze', 'fc.0').replace('excite', 'fc.2')}"] = value
    same_logits(loaded(renamed, text), net)


def test_deep_bottlenecks_have_a_place_for_every_name_of_torchvision_s() -> None:
    with torch.device("meta"):
        names = {
            101: torchvision.models.resnet101().state_dict(),
            152: torchvision.models.resnet152().state_dict(),
        }
    for depth, state in names.items():
        small = NetSpec.parse(f"imagenet-resnet-{depth}:width=2:classes=3")
        with torch.device("meta"):
            ours = Net(small).state_dict()
        # Same names, and shapes in our small net's order: torchvision's has its downsample after its convolutions too.
        content = {name: torch.zeros(kind.shape) for name, kind in zip(state, ours.values(), strict=True)}
        assert set(convert(content, small)) == set(ours)


def test_our_own_names_come_back_as_they_are() -> None:
    for text in ("preact-14:width=4", "highway-8:width=4", "se-8:width=4", "dense-bc-16-4", "wide-10-2:width=4"):
        net, state = original(text)
        converted = convert(state, net.spec)
        assert list(converted) == list(state)
        assert all(torch.equal(converted[name], state[name]) for name in state)


@pytest.mark.parametrize("nest", [(), ("state_dict",), ("model",), ("net", "state_dict")])
@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod."])
def test_wrappings_are_taken_off(nest: tuple[str, ...], prefix: str) -> None:
    net, state = original("resnet-8:width=4")
    rename = cifar_names("resnet-8:width=4", "shortcut", "linear")
    content: object = {prefix + rename(name): value for name, value in state.items()}
    for key in nest:
        content = {"epoch": 163, "best_acc1": 91.7, key: content, "optimizer": {"state": {}}}
    same_logits(loaded(content, "resnet-8:width=4"), net)


def test_half_precision_and_uncounted_batches_are_taken() -> None:
    net, state = original("resnet-8:width=4")
    half = {name: value.half() for name, value in state.items() if value.ndim}
    converted = convert(half, net.spec)
    assert {value.dtype for value in converted.values()} == {torch.float32, torch.int64}
    assert int(converted["stem.norm.num_batches_tracked"]) == 0
    same_logits(loaded(half, "resnet-8:width=4"), net, tolerance=0.02)


def test_a_misfit_is_named_by_the_file_s_own_key_with_both_shapes() -> None:
    _, state = original("resnet-8:width=4:classes=7")
    rename = cifar_names("resnet-8:width=4", "shortcut", "linear")
    content = {rename(name): value for name, value in state.items()}
    del content["layer2.0.bn1.weight"]
    content["layer9.0.conv1.weight"] = torch.zeros(2, 3)
    with pytest.raises(MisfitError) as caught:
        convert(content, NetSpec.parse("resnet-8:width=4"))
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("4 misfits between the file and resnet-8:width=4: ")
    assert "linear.weight is 7×16 in the file and 10×16 in the net" in message
    assert "linear.bias is 7 in the file and 10 in the net" in message
    assert "layer2.0.bn1.weight (8) is not in the file" in message
    assert "layer9.0.conv1.weight (2×3) has no place in the net" in message


def test_many_misfits_are_counted_and_ten_named_and_the_file_s_width_is_told() -> None:
    _, state = original("resnet-20:width=8:shortcut=B")
    with pytest.raises(MisfitError, match=r"^\d+ misfits .*; … and \d+ more .*width=8, it has projections: shortcut=B"):
        convert(state, NetSpec.parse("resnet-20:width=4"))


@pytest.mark.parametrize("content", [None, [1, 2], {}, {"epoch": 3}, {"state_dict": {"a": "text"}}, torch.zeros(3)])
def test_what_holds_no_weights_is_said_to(content: object) -> None:
    with pytest.raises(MisfitError, match="no weights by name"):
        convert(content, NetSpec.parse("resnet-8"))


def test_unknown_names_are_told_apart_from_misfits() -> None:
    with pytest.raises(MisfitError, match=r"none of the file's names is known \(encoder\.weight"):
        convert({"encoder.weight": torch.zeros(2)}, NetSpec.parse("resnet-8"))


def test_a_small_file_that_claims_a_huge_tensor_takes_no_memory() -> None:
    _, state = original("resnet-8:width=4")
    state["head.fc.weight"] = torch.zeros(1).expand(10**6, 10**6)
    with pytest.raises(MisfitError, match="1000000×1000000"):
        convert(state, NetSpec.parse("resnet-8:width=4"))
