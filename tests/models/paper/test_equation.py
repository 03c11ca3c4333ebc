"""The equation against the papers' words, and against the parts that the built block really has."""

import pytest
from torch import nn

from models.names import PRESETS
from models.nets.net import build
from models.paper.equation import equation
from models.spec import NetSpec

OTHERS = (
    "resnet-20:order=bn-after-add",
    "resnet-20:order=relu-before-add",
    "resnet-20:order=relu-only",
    "resnet-20:shortcut=C",
    "preact-20:shortcut=B",
    "preact-20:shortcut=C:norm=none",
    "highway-20:shortcut=B",
    "highway-20:activation=elu",
    "stochastic-20:order=relu-only",
    "se-20:order=bn-after-add",
    "resnet-20:gate=exclusive",
    "preact-20:gate=shortcut-only:norm=none",
    "resnet-single-11:norm=none",
    "imagenet-se-50",
)
SMALL = tuple(name for name in PRESETS if NetSpec.parse(name).depth <= 50 and "imagenet" not in name)


@pytest.mark.parametrize(
    ("net", "index", "whole"),
    [
        ("plain-20", 0, r"x_{1} = \sigma(F_{1}(x_{0}))"),
        ("resnet-20", 1, r"x_{2} = \sigma(x_{1} + F_{2}(x_{1}))"),
        ("resnet-20", 3, r"x_{4} = \sigma(x_{3}' + F_{4}(x_{3}))"),
        ("preact-20", 1, r"x_{2} = x_{1} + F_{2}(h_{2})"),
        ("preact-20", 0, r"x_{1} = x_{0} + F_{1}(x_{0})"),
        ("wide-16-4", 1, r"x_{2} = x_{1} + F_{2}(h_{2})"),
        ("highway-20", 1, r"x_{2} = T(x_{1}) \odot F_{2}(x_{1}) + (1 - T(x_{1})) \odot x_{1}"),
        ("stochastic-20", 1, r"x_{2} = \sigma(x_{1} + b_{2}\,F_{2}(x_{1}))"),
        ("se-20", 1, r"x_{2} = \sigma(x_{1} + F_{2}(x_{1}))"),
        ("dense-40-12", 1, r"x_{2} = \left[\,x_{1},\ F_{2}(h_{2})\,\right]"),
        ("vgg-16", 0, r"x_{1} = \sigma(F_{1}(x_{0}))"),
        ("resnet-20:order=bn-after-add", 1, r"x_{2} = \sigma(\mathrm{BN}(x_{1} + F_{2}(x_{1})))"),
        ("resnet-20:order=relu-before-add", 1, r"x_{2} = x_{1} + F_{2}(x_{1})"),
        ("resnet-20:order=relu-only", 1, r"x_{2} = x_{1} + F_{2}(h_{2})"),
        ("resnet-20:shortcut_scale=0.5:branch_scale=0.5", 1, r"x_{2} = \sigma(0.5\,x_{1} + 0.5\,F_{2}(x_{1}))"),
        ("resnet-20:shortcut_scale=0", 1, r"x_{2} = \sigma(F_{2}(x_{1}))"),
        ("resnet-20:gate=exclusive", 1, r"x_{2} = \sigma(T(x_{1}) \odot F_{2}(x_{1}) + (1 - T(x_{1})) \odot x_{1})"),
        ("resnet-20:gate=shortcut-only", 1, r"x_{2} = \sigma((1 - T(x_{1})) \odot x_{1} + F_{2}(x_{1}))"),
        ("resnet-20:shortcut_dropout=0.5", 1, r"x_{2} = \sigma(\operatorname{drop}(x_{1}) + F_{2}(x_{1}))"),
    ],
)
def test_each_family_order_gate_and_scale_is_written_as_its_paper_does(net: str, index: int, whole: str) -> None:
    assert equation(NetSpec.parse(net), index).lines[0] == whole


def test_the_branch_is_written_inside_out() -> None:
    def branch(net: str) -> str:
        lines = equation(NetSpec.parse(net), 1).lines
        return next(line.partition(" = ")[2] for line in lines if line.startswith("F_"))

    assert branch("resnet-20") == r"\mathrm{BN}(W_2\,\sigma(\mathrm{BN}(W_1\,x_{1})))"
    assert branch("resnet-20:order=relu-before-add") == r"\sigma(\mathrm{BN}(W_2\,\sigma(\mathrm{BN}(W_1\,x_{1}))))"
    assert branch("preact-20") == r"W_2\,\sigma(\mathrm{BN}(W_1\,h_{2}))"
    assert branch("resnet-20:norm=none") == r"W_2\,\sigma(W_1\,x_{1})"
    assert branch("wide-16-4:dropout=0.3") == r"W_2\,\operatorname{drop}(\sigma(\mathrm{BN}(W_1\,h_{2})))"


@pytest.mark.parametrize("text", [*SMALL, *OTHERS])
def test_what_is_written_is_what_is_built(text: str) -> None:
    """Counted in the built block: every convolution, product, normalisation and activation stands in the equation."""
    spec = NetSpec.parse(text)
    built = build(spec).blocks
    for index in {0, 1, len(built) // 2, len(built) - 1}:
        modules = list(built[index].modules())
        words = "\n".join(equation(spec, index).lines)
        weights = sum(isinstance(module, nn.Conv2d | nn.Linear) for module in modules)
        assert words.count("W_") == weights
        assert words.count(r"\mathrm{BN}") == sum(isinstance(module, nn.BatchNorm2d) for module in modules)
        activations = sum(isinstance(module, nn.ReLU | nn.ELU | nn.SELU) for module in modules)
        assert words.count(r"\sigma") == activations


def test_the_survival_probability_falls_linearly() -> None:
    spec = NetSpec.parse("stochastic-20")
    said = [line for i in (0, 8) for line in equation(spec, i).lines if "Bernoulli" in line]
    assert "p = 0.944" in said[0]
    assert "p = 0.5" in said[1]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_an_equation_and_a_source(name: str) -> None:
    spec = NetSpec.parse(name)
    found = equation(spec, spec.blocks // 2)
    assert found.source
    for line in found.lines:
        assert line.count("{") == line.count("}")
        assert line.count("(") == line.count(")")


def test_a_block_that_is_not_there_is_refused() -> None:
    with pytest.raises(IndexError):
        equation(NetSpec.parse("plain-20"), 9)
