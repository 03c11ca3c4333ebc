"""Lesion studies as figures: medians and bands by hand, marked blocks, nothing that JSON cannot hold."""

import json

import numpy as np
import pytest

from app.figures.theme import Figure
from app.studies.cuts.figures import class_errors, confusions
from app.studies.cuts.questions import CutEvaluation
from app.studies.lesions import figures as lesions
from app.studies.lesions import maps as lesion_maps
from app.studies.lesions.questions import SingleLesions
from app.values.run_spec import RunSpec
from models.spec import NetSpec
from tests.support.lesions import at_random, reordered

LABELS = ("cat", "dog", "ship")


def spec(net: str) -> RunSpec:
    return RunSpec(net=NetSpec.parse(net).fitted(1, 10), data="fashion-mnist-mini")


def single(errors: list[float]) -> SingleLesions:
    error = np.array(errors)
    class_error = error[:, None] + np.array([0.0, 5.0, -5.0])
    labels = np.array([0, 1, 2, 0])
    predicted = np.tile(labels, (len(errors), 1))
    return SingleLesions(10.0, 0.3, np.full(3, 10.0), labels, error, error / 50, class_error, predicted, labels)


def evaluation(confusion: list[list[int]]) -> CutEvaluation:
    counts = np.array(confusion)
    wrong = 1 - np.trace(counts) / counts.sum()
    return CutEvaluation(100 * wrong, 1.0, int(counts.sum()), np.zeros(3), counts, np.zeros(1, int))


def sendable(figure: Figure) -> None:
    json.dumps({"data": figure.data, "layout": figure.layout}, allow_nan=False)
    assert figure.caption.startswith(":green-badge[measured]")
    assert figure.alt


def test_bars_mark_blocks_that_reshape_and_blocks_that_cannot_be_cut() -> None:
    runs = [(spec("plain-14"), single([20, 30, np.nan, 40, np.nan, 50])), (spec("resnet-14"), single([11.0] * 6))]
    figure = lesions.single_bars(runs)
    sendable(figure)
    plain, crosses, residual = figure.data
    assert plain["y"] == [20, 30, None, 40, None, 50]
    assert crosses["x"] == [2, 4]
    assert residual["marker"]["pattern"]["shape"] == ["", "", "/", "", "/", ""]
    assert (plain["marker"]["color"], residual["marker"]["color"]) == ("#D55E00", "#0072B2")
    assert [line["y0"] for line in figure.layout["shapes"]] == [10.0, 10.0]
    assert "50.0 % at worst, without block 5" in figure.alt


def test_the_decline_begins_with_the_whole_net_and_its_band_is_that_of_the_draws() -> None:
    errors = np.array([[10.0, 20, 30, 40, 50], [60, 60, 70, 80, 90]])
    figure = lesions.decline([(spec("resnet-14"), at_random(5.0, [1, 2], errors.tolist()))])
    sendable(figure)
    outer, inner, line = figure.data
    assert line["x"] == [0, 1, 2]
    assert line["y"] == [5, 30, 70]
    assert inner["y"] == [5, 20, 60, 80, 40, 5], "lower quartiles, and back along the upper ones"
    assert outer["y"][1] == pytest.approx(12)
    assert "400 images, 5 draws each" in figure.caption


def test_the_shuffle_is_drawn_from_the_net_s_own_order_on() -> None:
    tau, errors = np.array([[0.91, 0.9, 0.7], [0.2, 0.21, 0.2]]), np.array([[10.0, 20, 30], [70, 90, 75]])
    figure = lesions.shuffle([(spec("resnet-14"), reordered(5.0, tau, errors))])
    sendable(figure)
    points, line = figure.data
    assert line["x"] == [1, 0.905, 0.7, 0.2033]
    assert line["y"] == [5, 15, 30, 75], "medians of orders that are alike"
    assert points["customdata"] == [1, 1, 1, 2, 2, 2]
    left, right = figure.layout["xaxis"]["range"]
    assert left > 1 > 0.2 > right


def test_the_map_is_the_change_of_each_class() -> None:
    figure = lesion_maps.class_map(spec("plain-14"), single([20, 30, np.nan, 40, np.nan, 50]), LABELS)
    sendable(figure)
    assert figure.data[0]["z"][1] == [15, 25, None, 35, None, 45]
    assert figure.layout["coloraxis"]["cmax"] == 45 == -figure.layout["coloraxis"]["cmin"]
    assert "Worst: dog without block 5, +45.0 points." in figure.alt


def test_confusions_are_shares_of_each_class_and_name_the_commonest_mistake() -> None:
    whole, cut = evaluation([[4, 0, 0], [0, 4, 0], [0, 0, 0]]), evaluation([[3, 1, 0], [0, 1, 3], [0, 0, 0]])
    figure = confusions(whole, cut, LABELS)
    sendable(figure)
    assert figure.data[1]["z"] == [[75, 25, 0], [0, 25, 75], [None] * 3]
    assert "wrong on 0.0 %, the cut one on 50.0 %" in figure.alt
    assert "dog is taken for ship: 3 images" in figure.alt
    assert "No image" in confusions(whole, whole, LABELS).alt


def test_every_figure_draws_no_run_and_a_net_that_cannot_be_cut() -> None:
    for figure in (lesions.single_bars([]), lesions.decline([]), lesions.shuffle([])):
        sendable(figure)
    sendable(lesions.single_bars([(spec("plain-8"), single([np.nan] * 3))]))
    sendable(lesion_maps.class_map(spec("plain-8"), single([np.nan] * 3), LABELS))


def test_class_errors_put_the_class_that_suffers_most_first() -> None:
    whole = CutEvaluation(10.0, 0.3, 30, np.array([10.0, 20, np.nan]), np.eye(3, dtype=int), np.zeros(4, int))
    cut = CutEvaluation(40.0, 0.9, 30, np.array([15.0, 80, np.nan]), np.eye(3, dtype=int), np.zeros(4, int))
    figure = class_errors(whole, cut, LABELS)
    sendable(figure)
    before, after = figure.data[1:]
    assert before["y"] == ["dog", "cat"], "a class without images has no error"
    assert (before["x"], after["x"]) == ([20, 10], [80, 15])
    assert "dog 20 to 80 %" in figure.alt
