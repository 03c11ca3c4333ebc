"""Responses, dead channels and residuals against hooks written here."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from app.studies.signal.measurement import response_places, signal
from models.nets.net import build
from models.spec import NetSpec

torch.set_num_threads(1)


def test_responses_are_those_that_a_hook_sees() -> None:
    net = build(NetSpec.parse("resnet-8:width=4:shortcut=B").fitted(1, 10)).eval()
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    seen: list[float] = []
    entered: list[Tensor] = []
    for name in ("stem.norm", *(f"blocks.{i}.branch.norm{j}" for i in range(3) for j in (1, 2))):
        net.get_submodule(name).register_forward_hook(lambda _m, _i, output: seen.append(float(output.std())))
    net.blocks[1].register_forward_hook(lambda _m, inputs, _o: entered.append(inputs[0]))
    with torch.no_grad():
        net(x)
        f = net.get_submodule("blocks.1.branch")(entered[0])
    measured = signal(net, x)
    assert np.allclose(measured.response_std, seen[:7], rtol=1e-3)
    assert measured.layers[:3] == ("stem.conv", "blocks.0.branch.conv1", "blocks.0.branch.conv2")
    assert not any("shortcut" in name for name in measured.layers)
    with torch.no_grad():
        shortcut = net.get_submodule("blocks.1.shortcut")
        passed = shortcut.get_submodule("norm")(shortcut.get_submodule("conv")(entered[0]))
    ratio = (f.flatten(1).norm(dim=1) / passed.flatten(1).norm(dim=1)).mean()
    assert measured.residual[1] == pytest.approx(float(ratio), rel=1e-4)
    assert not net.training


def test_a_channel_that_never_speaks_is_dead() -> None:
    net = build(NetSpec.parse("plain-8:width=4").fitted(1, 10)).eval()
    norm = net.get_submodule("blocks.1.branch.norm1")
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.bias[:2] = -1e3
    measured = signal(net, torch.randn(8, 1, 8, 8))
    at = measured.activations.index("blocks.1.branch.act1")
    assert measured.dead[at] == 2 / 8
    assert measured.zeros[at] >= 2 / 8
    assert measured.means[at] > 0
    assert measured.activations[0] == "stem.act"


@pytest.mark.parametrize(
    ("text", "layer", "place"),
    [
        ("plain-8", "blocks.0.branch.conv2", "blocks.0.branch.norm2"),
        ("plain-8:norm=none", "blocks.0.branch.conv2", "blocks.0.branch.conv2"),
        ("preact-8", "blocks.0.branch.conv2", "blocks.0.branch.conv2"),
    ],
)
def test_a_response_is_seen_after_the_normalisation_that_there_is(text: str, layer: str, place: str) -> None:
    assert response_places(build(NetSpec.parse(text)))[layer] == place


@pytest.mark.parametrize("text", ["highway-8", "se-8", "stochastic-8", "dense-10-4", "wide-10-1"])
def test_every_family_has_a_signal(text: str) -> None:
    net = build(NetSpec.parse(text).fitted(1, 10))
    measured = signal(net, torch.randn(2, 1, 32, 32))
    assert np.isfinite(measured.response_std).all()
    assert np.isfinite(measured.residual).all()


def test_a_residual_is_measured_against_what_the_padded_shortcut_passes_and_not_what_enters_the_block() -> None:
    net = build(NetSpec.parse("preact-8:width=4").fitted(1, 10)).eval()
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    seen: list[Tensor] = []
    net.blocks[1].register_forward_hook(lambda _m, inputs, output: seen.extend([inputs[0], output]))
    with torch.no_grad():
        net(x)
    entered, left = seen
    passed = torch.zeros_like(left)
    passed[:, 2:6] = entered[:, :, ::2, ::2]  # option A by hand: four channels into the middle of eight
    f = left - passed
    by_hand = (f.flatten(1).norm(dim=1) / passed.flatten(1).norm(dim=1)).mean()
    assert signal(net, x).residual[1] == pytest.approx(float(by_hand), rel=1e-4)


def test_a_net_without_shortcuts_has_no_residual() -> None:
    net = build(NetSpec.parse("vgg-11:width=2").fitted(1, 10))
    measured = signal(net, torch.randn(2, 1, 32, 32))
    assert np.isnan(measured.residual).all()
    assert np.isfinite(measured.response_std).all()
