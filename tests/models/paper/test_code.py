"""The program written for a net is run by itself, and is that net: parameters, names, logits, gradients."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from models.names import PRESETS
from models.nets.net import build
from models.paper.code import code
from models.paper.equation import one_line
from models.plan import plan
from models.spec import NetSpec

torch.set_num_threads(1)

ORDERS = ("bn-after-add", "relu-before-add", "relu-only")
NETS = [
    "plain-14:width=4",
    "plain-single-8:width=4",
    "plain-bottleneck-11:width=4",
    *(f"resnet-14:width=4:shortcut={option}" for option in "ABC"),
    "resnet-single-8:width=4:channels=1:classes=3",
    "resnet-bottleneck-20:width=4:shortcut=C",
    "resnet-bottleneck-20-v1.5:width=4",
    *(f"resnet-14:width=4:order={order}:shortcut={option}" for order in ORDERS for option in "ABC"),
    *(f"resnet-14:width=4:order={order}:norm=none" for order in ORDERS),
    *(f"preact-14:width=4:shortcut={option}" for option in "ABC"),
    "preact-bottleneck-20:width=4",
    "preact-14:width=4:norm=none",
    *(
        f"resnet-8:width=4:activation={a}:init={i}"
        for a, i in (("elu", "he"), ("selu", "lecun"), ("relu", "orthogonal"))
    ),
    "resnet-14:width=4:norm=none",
    "resnet-14:width=4:dropout=0.3",
    *(
        f"{family}-14:width=4:gate={gate}:gate_bias=-3"
        for family in ("resnet", "preact")
        for gate in ("exclusive", "shortcut-only")
    ),
    "preact-14:width=4:gate=exclusive:shortcut=B",
    "resnet-14:width=4:shortcut_scale=0.5:branch_scale=0.5",
    "preact-14:width=4:shortcut_dropout=0.5:shortcut_scale=0.7",
    *(f"highway-14:width=4:shortcut={option}" for option in "ABC"),
    "highway-8:width=4:activation=elu",
    *(f"stochastic-14:width=4:survival=0.3:shortcut={option}" for option in "AB"),
    "stochastic-14:width=4:order=relu-only:shortcut=B",
    *(f"wide-16-2:width=4:shortcut={option}:dropout=0.3" for option in "ABC"),
    "se-14:width=20",
    "se-14:width=4:order=bn-after-add",
    "se-bottleneck-20:width=4",
    "dense-13-4",
    "dense-13-5:width=7:dropout=0.2",
    "dense-bc-22-5",
    "dense-bc-16-4:norm=none",
    "vgg-11:width=4",
    "vgg-16:width=4:norm=none",
    "mnist-plain-10:width=4",
    *(f"mnist-resnet-12:width=4:shortcut={option}" for option in "ABC"),
    "mnist-highway-10:width=4",
    "mnist-stochastic-10:width=4",
    "imagenet-plain-18:width=4:classes=7",
    "imagenet-resnet-34:width=4:classes=7",
    "imagenet-resnet-50:width=4:classes=7",
    "imagenet-resnet-50-v1.5:width=4:classes=7",
    "imagenet-preact-18:width=4:classes=7",
    "imagenet-se-18:width=4:classes=7",
    "imagenet-vgg-11:width=4:classes=7",
    "imagenet-vgg-13:width=4:classes=7:norm=batch",
]


def executed(spec: NetSpec) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "taken_away"}
    exec(compile(code(spec), str(spec), "exec"), names)
    return names


@pytest.mark.parametrize("text", NETS)
def test_the_program_is_the_net(text: str) -> None:
    spec = NetSpec.parse(text)
    ours = build(spec, seed=3)
    theirs = executed(spec)["Net"]()
    assert sum(parameter.numel() for parameter in theirs.parameters()) == plan(spec).params
    theirs.load_state_dict(ours.state_dict())  # strictly: the same names
    ours.double(), theirs.double()  # so that only what is computed can differ, not how it is rounded
    x = torch.randn(2, spec.channels, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for training in (True, False):  # first with the batch's statistics, which move the running ones
        outputs = []
        for net in (ours, theirs):
            net.train(training)
            torch.manual_seed(7)  # the same dropout, the same branches dropped
            outputs.append(net(x))
        torch.testing.assert_close(*outputs, rtol=1e-10, atol=1e-10)
    outputs = [net.zero_grad() or net(x).square().sum() for net in (ours, theirs)]
    for output in outputs:
        output.backward()
    gradients = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(gradients[name].grad, parameter.grad, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_s_program_has_its_parameters(name: str) -> None:
    spec = NetSpec.parse(name)
    if spec.blocks > 200:
        spec = NetSpec.parse(f"{name}:width=2")
    with torch.device("meta"):
        net = executed(spec)["Net"]()
    assert sum(parameter.numel() for parameter in net.parameters()) == plan(spec).params


@pytest.mark.parametrize("text", ["resnet-14", "highway-14:gate_bias=-2", "resnet-14:init=lecun", "vgg-11:width=16"])
def test_the_program_s_initial_weights_have_our_nets_scale(text: str) -> None:
    spec = NetSpec.parse(text)
    names = executed(spec)
    theirs: nn.Module = names["Net"]()
    names["initialise"](theirs)
    state = theirs.state_dict()
    for name, value in build(spec).named_parameters():
        if value.ndim == 1:
            assert torch.equal(state[name], value)
        elif value.numel() > 2000:
            assert float(state[name].std() / value.detach().std()) == pytest.approx(1, abs=0.1)


def test_the_program_runs_as_it_stands_far_from_this_project(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(code(NetSpec.parse("se-8:width=4")), encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", "net.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"{plan(NetSpec.parse('se-8:width=4')).params} parameters\ntorch.Size([2, 10])\n"


def test_the_programs_are_formatted_and_clean(tmp_path: Path) -> None:
    for i, text in enumerate((*NETS, *PRESETS)):
        (tmp_path / f"net_{i}.py").write_text(code(NetSpec.parse(text)), encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--select", "E,F,W,I,B,UP,C4"], ["format", "--diff"]):
        done = subprocess.run(
            [*ruff, *command, "--isolated", "--line-length", "120", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[:3000]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain-20", "y = relu(F(x))"),
        ("resnet-20", "y = relu(x' + F(x))"),
        ("preact-20", "y = x' + F(x)"),
        ("resnet-20:order=bn-after-add", "y = relu(BN(x' + F(x)))"),
        ("highway-20:activation=elu", "y = T(x) F(x) + (1 - T(x)) x'"),
        ("resnet-20:gate=shortcut-only", "y = relu((1 - T(x)) x' + F(x))"),
        ("resnet-20:shortcut_scale=0.5:branch_scale=0.5", "y = relu(0.5 x' + 0.5 F(x))"),
        ("dense-40-12", "y = [x, F(x)]"),
        ("stochastic-56", "y = relu(x' + b F(x))"),
    ],
)
def test_the_equation_is_the_papers(text: str, expected: str) -> None:
    assert one_line(NetSpec.parse(text)) == expected
