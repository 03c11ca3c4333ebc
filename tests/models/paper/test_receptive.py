"""Receptive fields against brute force: the pixels of the image that one number of a layer really depends on."""

import pytest
import torch
from torch import Tensor, nn

from models.nets.net import Net, build
from models.paper.receptive import receptive_fields
from models.plan import plan
from models.spec import NetSpec

IMAGE = 257  # pixels; larger than every field below, so that no border cuts it
NETS = [
    "plain-8:width=2",
    "resnet-8:width=2",
    "resnet-8:width=2:shortcut=C",
    "resnet-single-8:width=2",
    "preact-bottleneck-11:width=2",
    "highway-8:width=2",
    "wide-10-2:width=2",
    "dense-7-2",
    "dense-bc-10-2",
    "vgg-11:width=2",
    "mnist-resnet-10:width=2",
]


def open_all(net: Net) -> None:
    """Nothing of the net closes: positive weights keep every ReLU open, and averages stand in for maxima."""
    net.eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.abs() + 0.01)
    for module in list(net.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.MaxPool2d):
                pool = nn.AvgPool2d(child.kernel_size, child.stride, child.padding)
                setattr(module, name, pool)


def seen(net: Net, name: str, image: int) -> int:
    """Side of the square of pixels with a gradient that is not zero, from the middle number of layer `name`."""
    kept: list[Tensor] = []
    hook = net.get_submodule(name).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    x = torch.ones(1, net.spec.channels, image, image, dtype=torch.float64, requires_grad=True)
    y = net.stem(x)
    for block in net.blocks:
        y = block(y)
    hook.remove()
    middle = kept[0].shape[-1] // 2
    (gradient,) = torch.autograd.grad(kept[0][0, :, middle, middle].sum(), x)
    rows = gradient[0].abs().sum((0, 2)).nonzero().flatten()
    return int(rows[-1] - rows[0] + 1)


@pytest.mark.parametrize("text", NETS)
def test_every_convolution_sees_just_the_pixels_that_the_recurrence_says(text: str) -> None:
    spec = NetSpec.parse(text)
    net = build(spec).double()
    open_all(net)
    layers = zip(plan(spec, IMAGE).layers, receptive_fields(spec, IMAGE), strict=True)
    for layer, side in layers:
        if layer.kind == "conv":
            assert seen(net, layer.name, IMAGE) == side, layer.name


def test_the_stem_and_the_max_pool_of_the_imagenet_form() -> None:
    spec = NetSpec.parse("imagenet-resnet-18:width=2")
    net = build(spec).double()
    open_all(net)
    wanted = dict(zip([layer.name for layer in plan(spec).layers], receptive_fields(spec), strict=True))
    for name in ("stem.conv", "blocks.0.branch.conv1", "blocks.2.branch.conv2"):
        assert seen(net, name, IMAGE) == wanted[name]
    assert wanted["stem.conv"] == 7
    assert wanted["blocks.0.branch.conv1"] == 7 + 2 * 2 + 2 * 4  # by hand: the pool at a jump of 2, 3×3 at 4


def test_a_squeeze_sees_the_whole_image_from_everywhere() -> None:
    spec = NetSpec.parse("se-8")
    fields = dict(zip([layer.name for layer in plan(spec).layers], receptive_fields(spec), strict=True))
    assert fields["blocks.0.branch.conv2"] == 7
    assert fields["blocks.0.branch.se.squeeze"] >= 2 * 32 - 1
    assert fields["blocks.1.branch.conv1"] > fields["blocks.0.branch.se.squeeze"]


@pytest.mark.parametrize("text", ["plain-20", "vgg-19", "dense-40-12", "imagenet-vgg-19", "imagenet-resnet-50"])
def test_the_classifier_sees_the_whole_image(text: str) -> None:
    spec = NetSpec.parse(text)
    assert receptive_fields(spec)[-1] >= spec.image_size
