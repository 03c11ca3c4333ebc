"""Figures of the gradient's results: words and colours follow from the numbers, and all of it can be sent."""

import json

import numpy as np
import pytest

from app.figures import curves, theme
from app.figures.theme import Figure
from app.studies.cuts.over_images import packed
from app.studies.gradients import figures as gradients
from app.studies.gradients.questions import Distribution, Gradients, Grid
from app.studies.identity import figures as identity
from app.studies.identity.questions import Lesson, TrainedOn
from app.studies.shattered import figures as shattered
from app.studies.shattered.questions import Neighbours, Shattered
from app.studies.signal import figures as signal
from app.studies.signal.questions import Signal
from app.values.run_spec import RunSpec
from models.spec import NetSpec


def sendable(figure: Figure) -> None:
    json.dumps({"data": figure.data, "layout": figure.layout}, allow_nan=False)
    assert figure.alt
    assert figure.caption.startswith(":green-badge[measured]")


def test_lines_of_each_step_in_the_family_s_colour_later_darker() -> None:
    rms = np.tile(1.4 ** -np.arange(10.0), (2, 1))
    styles = [theme.Style(name, theme.FAMILY_COLOURS[name.split("-")[0]]) for name in ("plain-56", "resnet-56")]
    figure = gradients.block_lines([gradients.Backward(style, (0, 100), rms) for style in styles], over="64 images")
    sendable(figure)
    assert [trace["name"] for trace in figure.data] == [
        "plain-56, step 0",
        "plain-56, step 100",
        "resnet-56, step 0",
        "resnet-56, step 100",
    ]
    assert figure.data[1]["line"]["color"] == theme.FAMILY_COLOURS["plain"]
    assert figure.data[0]["line"]["color"] != figure.data[1]["line"]["color"]
    assert figure.layout["yaxis"]["type"] == "log"
    assert "64 images, float32" in figure.caption
    assert "plain-56, step 0: 1 at first, 0.048 at last" in figure.alt


def grid_of(*totals: tuple[float, float]) -> Grid:
    """Plain nets of 8, 20, … layers and two stages, which change the gradient by these, over three seeds."""
    noise = np.array([1.0, 1.01, 0.99])[:, None]
    rms = np.array([np.hstack([first * noise, noise**2, second * noise, noise**2]) for first, second in totals])
    nets = tuple(f"plain-{depth}" for depth in (8, 20, 56, 110)[: len(totals)])
    return Grid(nets, (0, 1, 2), rms, np.tile([0, 0, 1, 1], (len(totals), 1)), 64)


def test_the_truth_test_writes_what_each_stage_does_and_its_word_does_not_cancel() -> None:
    figure = gradients.verdict_map(grid_of((35, 2), (0.05, 1), (30, 1 / 29), (5, 2)))
    sendable(figure)
    (trace,) = figure.data
    assert trace["text"] == [["explode<br>×70.0", "vanish<br>×0.05", "both<br>×30.0", "not shown<br>×10.0"]]
    assert trace["zmin"] == -trace["zmax"]
    assert trace["y"] == ["plain · BN · ReLU"]
    assert trace["colorscale"][2] == [0.5, "#F0F0F0"]
    assert "a limit of ours" in figure.caption
    assert "stage 1: ×35.0" in trace["customdata"][0][0]
    assert gradients.verdict_map(grid_of((3, 2))).data[0]["text"] == [["neither<br>×6.00"]]


def test_a_zero_gradient_is_drawn_as_vanished() -> None:
    figure = gradients.verdict_map(Grid(("plain-8",), (0, 1), np.zeros((1, 2, 4)), np.zeros((1, 4), int), 64))
    sendable(figure)
    assert figure.data[0]["z"][0][0] == round(figure.data[0]["zmin"], 3)


def test_noise_is_grey_and_called_simulated() -> None:
    names = ("1 layer", "50 layers, shortcuts, β 0.1, BN", "brown noise")
    means = np.linspace(1, 0, 6)[None].repeat(3, 0)
    one = Shattered(names, np.linspace(-2, 2, 9), np.ones((3, 9)), np.arange(6), means, means - 0.1, means + 0.1, 4)
    for figure in (shattered.autocorrelation(one), shattered.gradient_rows(one)):
        sendable(figure)
        assert ":blue-badge[simulated]" in figure.caption
        colours = {trace["name"]: trace["line"].get("color") for trace in figure.data}
        assert colours["brown noise"] == theme.NEUTRAL
    bands = [trace for trace in shattered.autocorrelation(one).data if trace.get("fill")]
    assert len(bands) == 3
    assert bands[0]["y"] == [*np.round(means[0] + 0.1, 4), *np.round(means[0][::-1] - 0.1, 4)]


def test_neighbours_of_deeper_nets_are_darker() -> None:
    low = np.zeros((2, 3))
    figure = shattered.neighbour_lines(
        Neighbours(("plain-8", "plain-56"), np.arange(3) / 2, low + 0.5, low, low + 1, 8)
    )
    sendable(figure)
    lines = [trace["line"]["color"] for trace in figure.data if not trace.get("fill")]
    assert len(set(lines)) == 2


def test_responses_in_order_and_sorted() -> None:
    spec = RunSpec(net=NetSpec.parse("plain-8:width=2").fitted(1, 10))
    std = np.array([0.5, 2.0, 1.0])
    empty = np.zeros(0)
    one = Signal(("a", "b", "c"), std, (), empty, empty, empty, ("blocks.0",), np.array([0.3]), 8)
    in_order, by_size = signal.responses([(spec, one)]), signal.responses([(spec, one)], "size")
    sendable(in_order)
    assert in_order.data[0]["y"] == [0.5, 2.0, 1.0]
    assert by_size.data[0]["y"] == [2.0, 1.0, 0.5]
    assert by_size.data[0]["customdata"] == ["b", "c", "a"]
    sendable(signal.residuals([(spec, one)]))


def test_the_net_from_scratch_is_dashed_beside_the_one_that_was_made() -> None:
    error = np.array([[10.0, 60.0, np.nan], [90.0, 80.0, 70.0]])
    found = TrainedOn("plain-20", "plain-56", 0.1, error, packed(np.zeros((3, 8), bool)), 8, (True, False), 10)
    figure = identity.trained_on(found)
    sendable(figure)
    assert [trace["name"] for trace in figure.data] == ["made of plain-20", "from scratch"]
    assert [trace["line"]["dash"] for trace in figure.data] == ["solid", "dash"]
    assert "10 % at first, 60 % at the end" in figure.alt


def test_the_lesson_s_curves_say_shortcut_by_colour_and_depth_by_dash() -> None:
    learnt = Lesson("identity", ("plain", "resnet", "plain"), (1, 1, 4), np.array([[1, 0.1], [1, 0.0], [1, 0.5]]), 0)
    figure = identity.lesson(learnt)
    sendable(figure)
    assert [trace["line"]["dash"] for trace in figure.data] == ["solid", "solid", "dash"]
    assert figure.data[1]["line"]["color"] == theme.FAMILY_COLOURS["resnet"]
    assert figure.data[1]["y"] == [1.0, None]  # a log axis has no zero
    assert "y = x" in figure.caption


# ---- weights -------------------------------------------------------------------------------------------------------


def measured(step: int, rate: float) -> gradients.Measured:
    """Three layers, the second a projection: gradients 1, 2, 4 of weights of size 10, of 4, 16 and 64 numbers."""
    norms = np.array([1.0, 2.0, 4.0])
    found = Gradients(
        layers=("stem.conv", "blocks.0.shortcut.conv", "head.fc"),
        on_shortcut=(False, True, False),
        weight_norm=norms,
        weight_rms=norms / np.sqrt([4, 16, 64]),
        weight_size=np.full(3, 10.0),
        output_rms=norms,
        places=("stem", "blocks.0"),
        stages=np.zeros(2, int),
        block_rms=np.array([3.0, 2.0]),
        loss=1.0,
        images=64,
        mode="training",
    )
    return gradients.Measured(theme.Style("resnet-8", "#0072B2"), step, found, rate)


@pytest.mark.parametrize(("of", "ends"), [("weight", [1, 4]), ("parameter", [0.5, 0.5]), ("update", [0.01, 0.04])])
def test_weights_are_measured_whole_by_parameter_or_against_themselves(
    of: gradients.Measure, ends: list[float]
) -> None:
    figure = gradients.weight_lines([measured(0, 0.1), measured(10, 0.1)], of)
    sendable(figure)
    assert [trace["name"] for trace in figure.data] == ["resnet-8, step 0", "resnet-8, step 10"]
    assert figure.data[0]["y"] == pytest.approx(ends)
    assert figure.data[0]["customdata"] == ["stem.conv", "head.fc"], "a projection is no step of the way"


def test_a_selected_layer_marks_its_block_and_the_stem_stands_before_the_first() -> None:
    edges = [
        mark[0]["x0"] if (mark := gradients.block_mark(text)) else None
        for text in ("stem.conv", "block:0", "blocks.12.branch.conv2", "head.fc", None)
    ]
    assert edges == [-0.5, 0.5, 12.5, None, None]


def test_a_distribution_is_drawn_over_its_own_deviation() -> None:
    edges = np.linspace(-2, 2, 5)
    one = Distribution("stem.conv", edges, np.array([1, 3, 3, 1]), mean=0.0, std=0.5, kurtosis=0.2, zeros=0.0)
    figure = gradients.histograms([(theme.Style("plain-8", "#D55E00"), one)], step=10)
    sendable(figure)
    assert figure.data[0]["x"] == [-3.0, -1.0, 1.0, 3.0]
    assert figure.data[0]["y"] == [12.5, 37.5, 37.5, 12.5]
    assert "excess kurtosis 0.2" in figure.caption


def test_lines_are_named_at_the_end_asked_for_and_the_axis_leaves_no_room_for_the_names() -> None:
    lines = [curves.Curve("long name", np.arange(11), np.arange(11.0))]
    for at, anchor, place in (("start", "right", 0.0), ("end", "left", 10.0)):
        _, layout = curves.chart(lines, "x", "y", named_at=at)  # type: ignore[arg-type]
        label = layout["annotations"][1]
        assert (label["xanchor"], round(label["y"], 1)) == (anchor, place)
        assert layout["xaxis"]["range"] == pytest.approx([-0.15, 10.15])


def test_residuals_over_moments_are_one_line_a_moment() -> None:
    none = np.empty(0)
    one = Signal((), none, (), none, none, none, ("blocks.0", "blocks.1"), np.array([0.5, 2.0]), 8)
    spec = RunSpec(net=NetSpec.parse("resnet-8").fitted(1, 10))
    figure = signal.residuals([(spec, one)] * 2, steps=(0, 100))
    assert [trace["name"] for trace in figure.data] == ["resnet-8, step 0", "resnet-8, step 100"]
    assert figure.data[0]["customdata"] == ["block:0", "block:1"]
