"""The plan on paper against the papers' tables, other people's counts, and the net that is really built."""

import math
from functools import cache

import pytest
import torch
from torch import Tensor, nn

from models.names import PRESETS
from models.nets.net import Net, weight_layers
from models.plan import plan
from models.spec import NetSpec

# Trained numbers. With option A: DESIGN §3, rounded in He 2015, table 6, and He 2016, table 4. With option B, and the
# bottlenecks: the counts printed for these nets in the model table of osmr/imgclsmob. ImageNet: torchvision's.
PARAMS = {
    "resnet-20": 269_722,
    "resnet-32": 464_154,
    "resnet-44": 658_586,
    "resnet-56": 853_018,
    "resnet-110": 1_727_962,
    "resnet-1202": 19_421_274,
    "plain-110": 1_727_962,
    "resnet-56:shortcut=B": 855_770,
    "resnet-1202:shortcut=B": 19_424_026,
    "resnet-bottleneck-164": 1_704_154,
    "resnet-bottleneck-1001": 10_328_602,
    "preact-20:shortcut=B": 272_282,
    "preact-56:shortcut=B": 855_578,
    "preact-110:shortcut=B": 1_730_522,
    "preact-bottleneck-164": 1_703_258,
    "preact-bottleneck-1001": 10_327_706,
    "imagenet-resnet-18": 11_689_512,
    "imagenet-resnet-34": 21_797_672,
    "imagenet-resnet-50": 25_557_032,
    "imagenet-resnet-101": 44_549_160,
    "imagenet-resnet-152": 60_192_808,
}

# Multiply-adds at 224×224, ×10⁹. He 2015, table 1 (and figure 3, plain-34) in the second column; exact in the third.
MACS = [
    ("imagenet-resnet-18", 1.8, 1.81),
    ("imagenet-resnet-34", 3.6, 3.66),
    ("imagenet-resnet-34:shortcut=A", 3.6, 3.64),
    ("imagenet-plain-34", 3.6, 3.64),
    ("imagenet-resnet-50", 3.8, 3.86),
    ("imagenet-resnet-101", 7.6, 7.57),
    ("imagenet-resnet-152", 11.3, 11.28),
    ("imagenet-resnet-50-v1.5", None, 4.09),
    ("imagenet-resnet-101-v1.5", None, 7.80),
    ("imagenet-resnet-152-v1.5", None, 11.51),
]


@cache
def on_paper(text: str) -> Net:
    """The net without its numbers: PyTorch's meta device knows shapes alone."""
    with torch.device("meta"):
        return Net(NetSpec.parse(text))


@pytest.mark.parametrize(("name", "params"), PARAMS.items())
def test_the_plan_counts_as_many_parameters_as_were_published(name: str, params: int) -> None:
    assert plan(NetSpec.parse(name)).params == params


@pytest.mark.parametrize(
    "name", dict.fromkeys([*PARAMS, *PRESETS, "resnet-20:norm=none", "preact-single-8:shortcut=C:norm=none"])
)
def test_the_plan_counts_as_many_parameters_as_torch(name: str) -> None:
    assert plan(NetSpec.parse(name)).params == sum(parameter.numel() for parameter in on_paper(name).parameters())


@pytest.mark.parametrize(("name", "printed", "exact"), MACS)
def test_multiply_adds_are_those_of_the_paper(name: str, printed: float | None, exact: float) -> None:
    giga = plan(NetSpec.parse(name)).macs / 1e9
    assert giga == pytest.approx(exact, abs=0.005)
    assert printed is None or giga == pytest.approx(printed, abs=0.1)


@pytest.mark.parametrize("size", [None, 33])
@pytest.mark.parametrize("name", ["resnet-20:shortcut=C", "preact-bottleneck-29", *(row[0] for row in MACS)])
def test_multiply_adds_and_sides_are_those_of_the_shapes_that_flow_through_the_net(name: str, size: int | None) -> None:
    spec, net = NetSpec.parse(name), on_paper(name)
    seen: dict[str, tuple[int, int, int]] = {}

    def look(layer: str, module: nn.Conv2d | nn.Linear, x: Tensor, y: Tensor) -> None:
        products = math.prod(module.weight.shape[1:])  # for one output number
        seen[layer] = (x.shape[-1], y.shape[-1], products * y[0].numel())

    handles = [
        module.register_forward_hook(lambda module, args, out, layer=layer: look(layer, module, args[0], out))
        for layer, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    side = size or spec.image_size
    net(torch.empty(2, spec.channels, side, side, device="meta"))
    for handle in handles:
        handle.remove()

    layout = plan(spec, size)
    assert {layer.name: layer.macs for layer in layout.layers} == {name: macs for name, (_, _, macs) in seen.items()}
    convolutions = [layer for layer in layout.layers if layer.kind == "conv"]
    assert [(layer.size_in, layer.size_out) for layer in convolutions] == [seen[c.name][:2] for c in convolutions]
    assert layout.macs == sum(macs for _, _, macs in seen.values())


@pytest.mark.parametrize("name", PRESETS)
def test_layer_names_and_shapes_are_those_of_the_state_dict(name: str) -> None:
    state, layout = on_paper(name).state_dict(), plan(NetSpec.parse(name))
    shapes = {
        f"{layer.name}.weight": (layer.outputs, layer.inputs, *(2 * (layer.kernel,) if layer.kind == "conv" else ()))
        for layer in layout.layers
    }
    weights = {key: tuple(value.shape) for key, value in state.items() if key.endswith("weight") and value.ndim > 1}
    assert weights == shapes


@pytest.mark.parametrize("name", ["resnet-20:norm=none", "preact-bottleneck-29:norm=none", "plain-20"])
def test_a_layer_has_a_bias_where_the_plan_says_so(name: str) -> None:
    state = on_paper(name).state_dict()
    for layer in plan(NetSpec.parse(name)).layers:
        assert (f"{layer.name}.bias" in state) == layer.bias


def test_weights_are_listed_in_the_order_of_the_plan() -> None:
    listed = weight_layers(on_paper("imagenet-resnet-50"))
    assert list(listed) == [layer.name for layer in plan(NetSpec.parse("imagenet-resnet-50")).layers]
    assert list(listed)[:5] == [
        "stem.conv",
        "blocks.0.branch.conv1",
        "blocks.0.branch.conv2",
        "blocks.0.branch.conv3",
        "blocks.0.shortcut.conv",
    ]
    assert list(listed)[-1] == "head.fc"


@pytest.mark.parametrize("name", [*PRESETS, "resnet-110:shortcut=C", "resnet-single-20", "plain-bottleneck-29"])
def test_depth_counts_the_weighted_layers_without_the_projections(name: str) -> None:
    spec = NetSpec.parse(name)
    # Zagoruyko 2016 counts the three projections, and not the fully connected layer.
    assert plan(spec).depth + (2 if spec.family == "wide" else 0) == spec.depth


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("resnet-20", []),
        ("plain-20", []),
        ("resnet-20:shortcut=B", [3, 6]),
        ("preact-20:shortcut=C", list(range(9))),
        ("preact-bottleneck-29", [0, 3, 6]),  # the first widens 16 channels to 64
        ("imagenet-resnet-34", [3, 7, 13]),
        ("imagenet-resnet-50", [0, 3, 7, 13]),
        ("imagenet-plain-34", []),
    ],
)
def test_projections_stand_where_shapes_change_or_everywhere_and_are_marked(name: str, blocks: list[int]) -> None:
    marked = [layer for layer in plan(NetSpec.parse(name)).layers if layer.projection]
    assert [layer.block for layer in marked] == blocks
    assert all(layer.kernel == 1 and layer.name.endswith("shortcut.conv") for layer in marked)


def test_shapes_change_at_the_first_block_of_each_later_stage() -> None:
    blocks = plan(NetSpec.parse("resnet-20")).blocks
    assert [(block.index, block.stage) for block in blocks if block.reshapes] == [(3, 1), (6, 2)]
    assert [block.size_out for block in blocks] == [32] * 3 + [16] * 3 + [8] * 3
    assert [block.outputs for block in blocks] == [16] * 3 + [32] * 3 + [64] * 3


def test_a_wider_net_scales_every_stage() -> None:
    blocks = plan(NetSpec.parse("preact-bottleneck-29:width=5")).blocks
    assert [block.outputs for block in blocks] == [20] * 3 + [40] * 3 + [80] * 3


@pytest.mark.parametrize(
    ("name", "strides"), [("imagenet-resnet-50", (2, 1, 1)), ("imagenet-resnet-50-v1.5", (1, 2, 1))]
)
def test_the_paper_halves_in_the_first_convolution_and_torchvision_in_the_second(
    name: str, strides: tuple[int, ...]
) -> None:
    fourth = plan(NetSpec.parse(name)).blocks[3]
    assert tuple(layer.stride for layer in fourth.branch) == strides
