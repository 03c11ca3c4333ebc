"""Labels that do not collide, names that tell runs apart, colours that mean family."""

from itertools import pairwise

import pytest

from app.figures import theme
from app.values.run_spec import RunSpec
from models.spec import NetSpec


def run(net: str, **more: object) -> RunSpec:
    return RunSpec.model_validate({"net": NetSpec.parse(net).fitted(1, 10), **more})


@pytest.mark.parametrize(
    ("wanted", "placed"),
    [
        ([10.0, 50.0], [10.0, 50.0]),  # far apart: nothing moves
        ([20.0, 22.0], [16.0, 26.0]),  # a pair moves apart around its middle
        ([22.0, 20.0], [26.0, 16.0]),  # and keeps its order
        ([0.0, 1.0], [0.0, 10.0]),  # at the edge only one of them can move
        ([100.0, 99.0, 98.0], [100.0, 90.0, 80.0]),
        ([30.0, 31.0, 45.0], [25.5, 35.5, 45.5]),  # a group pushes the next one
    ],
)
def test_labels_stand_apart_and_near_their_lines(wanted: list[float], placed: list[float]) -> None:
    got = theme.spread(wanted, 10, 0, 100)
    apart = sorted(got)
    assert all(b - a >= 10 - 1e-9 for a, b in pairwise(apart))
    assert got == pytest.approx(placed, abs=0.51)


def test_more_labels_than_fit_share_the_room() -> None:
    assert theme.spread([5.0] * 5, 50, 0, 100) == pytest.approx([0, 25, 50, 75, 100])


def test_names_are_as_short_as_they_can_be() -> None:
    assert theme.short_names([run("plain-56:width=8"), run("resnet-56:width=8")]) == ["plain-56", "resnet-56"]
    assert theme.short_names([run("plain-20"), run("plain-20:width=8")]) == ["plain-20", "plain-20 · width 8"]
    assert theme.short_names([run("plain-20"), run("plain-20", seed=1)]) == ["plain-20 · seed 0", "plain-20 · seed 1"]
    assert theme.short_names([run("plain-20"), run("plain-20")])[1].endswith("(2)")
    assert theme.short_names([]) == []


def test_nets_of_one_family_share_its_hue_and_differ_in_dash() -> None:
    one, two, other = theme.styles([run("resnet-20"), run("resnet-56"), run("plain-20")])
    assert (one.colour, one.dash) == ("#0072B2", "solid")
    assert (two.dash, other.dash) == ("dash", "solid")
    assert two.colour == "#005D92"  # 18% towards black
    assert other.colour == "#D55E00"
