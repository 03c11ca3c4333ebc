"""Paths and sub-networks drawn: counts and shares by hand, the paper's range only beside its own depth."""

import json
from math import comb, log10

import numpy as np
import pytest

from app.figures.numbers import branch
from app.figures.theme import Figure
from app.studies.paths import figures as paths
from app.studies.paths.questions import PathGradients, SampledPaths
from app.studies.subnetworks import figures as subnets
from app.studies.subnetworks.questions import SubNetworks
from models.spec import NetSpec

RESNET_20 = NetSpec.parse("resnet-20")


def counts(n: int) -> tuple[str, ...]:
    return tuple(str(comb(n, k)) for k in range(n + 1))


def exact(n: int = 9, at: str = "stem") -> PathGradients:
    k = np.arange(n + 1)
    logs = np.array([log10(comb(n, i)) for i in k])
    return PathGradients(at, 64, n, k, counts(n), logs, 1.0 + k * (n - k), 3.0, 1e-7, 3e-8)


def sampled(n: int = 9, effective: tuple[int, ...] = (2, 6)) -> SampledPaths:
    k = np.arange(n + 1)
    logs = np.array([log10(comb(n, i)) for i in k])
    means = 0.5**k
    return SampledPaths("image", 64, n, 64, k, counts(n), logs, means, means / 2, 2 * means, effective, 0.1)


def sub_networks() -> SubNetworks:
    kept = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=bool)
    errors, means = np.array([90.0, 40, 60, 10]), np.array([90.0, 50, 10])
    best, worst = np.array([0, 1, 3]), np.array([0, 2, 3])
    none, by_size = np.zeros(4, int), (np.arange(3), ("1", "2", "1"), means, means, means, best, worst)
    return SubNetworks(100, True, kept, errors, errors, none, none, *by_size)


def named(figure: Figure, name: str) -> dict[str, object]:
    return next(trace for trace in figure.data if trace["name"] == name)


@pytest.mark.parametrize(
    "figure",
    [
        paths.shares(RESNET_20, 9),
        paths.shares(RESNET_20, 9, exact()),
        paths.shares(NetSpec.parse("plain-20"), 9),
        paths.shares(NetSpec.parse("resnet-1202"), 600),
        paths.norms(RESNET_20, exact()),
        paths.norms(RESNET_20, exact(), sampled()),
        paths.veit(RESNET_20, sampled()),
        paths.veit(RESNET_20, sampled(effective=())),
        paths.trained(NetSpec.parse("stochastic-110")),
        subnets.sub_networks(RESNET_20, sub_networks()),
    ],
)
def test_every_figure_can_be_sent_and_read_out(figure: Figure) -> None:
    json.dumps([figure.data, figure.layout, figure.marks], allow_nan=False)
    assert figure.caption.startswith((":green-badge[measured]", ":blue-badge[simulated]"))
    assert figure.alt.endswith(".")
    assert "badge" not in figure.alt


def test_bars_are_the_binomial_and_the_gradient_a_share_of_all_lengths() -> None:
    figure = paths.shares(RESNET_20, 9, exact())
    bars = named(figure, "paths")
    assert bars["y"] == pytest.approx([100 * comb(9, k) / 512 for k in range(10)], rel=1e-3)
    assert bars["customdata"] == ["1", "9", "36", "84", "126", "126", "84", "36", "9", "1"]
    assert sum(named(figure, "gradient")["y"]) == pytest.approx(100, abs=0.01)  # type: ignore[call-overload]
    assert "512 paths" in figure.caption
    assert "64 test images, behind the stem" in figure.caption


def test_single_paths_and_the_sum_of_their_norms_stand_beside_the_norm_of_the_sum() -> None:
    figure = paths.norms(RESNET_20, exact(), sampled())
    assert named(figure, "sum of the norms")["y"] == pytest.approx([comb(9, k) * 0.5**k for k in range(10)], rel=1e-3)
    assert named(figure, "norm of the sum")["line"] == {"color": "#0072B2", "width": 3.2}
    assert figure.marks[0]["y0"] == 3.0
    assert "3.0e-08" in figure.caption


def test_the_three_panels_multiply() -> None:
    figure = paths.veit(RESNET_20, sampled())
    weights = np.array([comb(9, k) * 0.5**k for k in range(10)])
    assert named(figure, "carried")["y"] == pytest.approx((100 * weights / weights.sum()).tolist(), abs=1e-3)
    assert [(mark["x0"], mark["x1"], mark["xref"]) for mark in figure.marks] == [
        (1.5, 6.5, "x"),
        (1.5, 6.5, "x2"),
        (1.5, 6.5, "x3"),
    ]
    assert "lengths 2–6, which are 10 % of all paths" in figure.caption
    assert "paper" not in figure.caption


def test_veit_s_own_range_stands_beside_nets_of_54_blocks() -> None:
    caption = paths.veit(NetSpec.parse("resnet-110"), sampled(54)).caption
    assert "lengths 5–17, 0.45 % (Veit et al. 2016, section 4.3)" in caption


def test_stochastic_depth_s_paths_are_shorter() -> None:
    figure = paths.trained(NetSpec.parse("stochastic-110"))
    means = [np.dot(trace["x"], trace["y"]) / 100 for trace in figure.data]
    assert means == pytest.approx([27, 20.125, 40.25], rel=1e-3)
    assert "40.25 of 54 branches" in figure.caption


def test_best_and_worst_sub_networks_are_named() -> None:
    figure = subnets.sub_networks(RESNET_20, sub_networks())
    assert named(figure, "best")["customdata"] == ["none", "F₁", "F₁–F₂"]
    assert named(figure, "best")["y"] == [90, 40, 10]
    assert named(figure, "worst")["customdata"] == ["none", "F₂", "F₁–F₂"]
    assert "all 2² sub-networks, 100 test images" in figure.caption
    assert "With 1 kept the best is F₁: 40.0 %" in figure.alt


def test_blocks_are_named_as_in_the_equation() -> None:
    assert subnets.named(np.array([1, 0, 1, 1, 1, 0, 1], dtype=bool)) == "F₁, F₃–F₅, F₇"
    assert branch(53) == "F₅₄"
