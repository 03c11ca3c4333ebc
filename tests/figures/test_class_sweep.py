"""The class plot against counts and medians made by hand."""

import numpy as np
import pytest

from app.studies.class_sweep.figures import Kind, Point, sweep


def points() -> list[Point]:
    """Plain nets that get worse with depth, residual ones that do not; one of them has just begun."""
    measured: list[tuple[int, float, Kind]] = [
        (20, 10.0, "plain"),
        (20, 14.0, "plain"),
        (56, 90.0, "plain"),
        (44, 28.0, "plain"),
        (56, 9.0, "residual"),
        (20, 11.0, "residual"),
        (20, 12.0, "residual"),
        (20, 16.0, "residual"),
    ]
    return [Point(f"run {at}", depth, error, kind, at != 2) for at, (depth, error, kind) in enumerate(measured)]


def test_every_run_is_a_point_and_the_lines_join_the_medians() -> None:
    figure = sweep(points(), "Training", "all of them")
    line, dots, line2, dots2 = figure.data
    assert sorted(zip(dots["x"], dots["y"], strict=True)) == [(20, 10), (20, 14), (44, 28), (56, 90)]
    assert len(dots2["x"]) == 4
    assert (line["x"], line["y"]) == ([20, 44], [np.median([10, 14]), 28])
    assert (line2["x"], line2["y"]) == ([20, 56], [np.median([11, 12, 16]), 9])
    assert list(dots["marker"]["symbol"]) == ["circle", "circle", "circle", "circle-open"]


def test_the_labels_the_caption_and_the_words_say_what_is_there() -> None:
    figure = sweep(points(), "Training", "Fashion-MNIST.")
    assert {note["text"] for note in figure.layout["annotations"]} == {
        "Training error",
        "plain 28.0%",
        "residual 9.0%",
    }
    assert "8 runs, a point each, 1 of them not at their end" in figure.caption
    assert figure.caption.startswith(":green-badge[measured]")
    assert "plain: 12.0% at 20 layers, 28.0% at 44 layers" in figure.alt


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_that_has_just_begun_has_a_plot(count: int) -> None:
    figure = sweep(points()[:count], "Test", "")
    assert f"{count} run" in figure.caption
    assert figure.layout["yaxis"]["range"][1] > 0


@pytest.mark.parametrize(("depths", "ticks"), [((8,), 1), ((8, 14), 1), ((20, 56), None)])
def test_the_axis_of_depth_has_no_half_layers(depths: tuple[int, ...], ticks: int | None) -> None:
    figure = sweep([Point("run", depth, 50.0, "plain", True) for depth in depths], "Training", "")
    assert figure.layout["xaxis"].get("dtick") == ticks
