"""Events as figures: the means by hand, the paper's marks only where they belong, payloads that stay small."""

import gzip
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from app.figures import norm_map, numbers
from app.figures.errors import errors, paper_figure
from app.figures.layer_norms import layer_history, norm_lines
from app.figures.over_steps import Run, step_mark
from app.figures.theme import Figure
from app.store.history import History
from app.ui.widgets.feed import framed
from app.ui.widgets.live_chart import pack
from app.values.events import RunStarted
from app.values.run_spec import RECIPES, RunSpec
from app.values.series import Series
from models.plan import plan
from models.spec import NetSpec

STEP = {"loss": 1.0, "error": 50.0, "lr": 0.1, "seconds": 0.5}


def started(layers: tuple[str, ...], steps: int) -> RunStarted:
    about: dict[str, Any] = {"epoch_steps": 100, "train_images": 100, "device": "cpu", "precision": "float32"}
    return RunStarted(step=0, layers=layers, total_steps=steps, threads=1, **about)


def spec(net: str, data: str = "fashion-mnist-mini", recipe: str = "quick") -> RunSpec:
    channels = 1 if "mnist" in data else 3
    return RunSpec(net=NetSpec.parse(net).fitted(channels, 10), data=data, recipe=RECIPES[recipe])


def series(net: NetSpec, steps: int = 40, epoch: int = 20, norm: float = 1.0) -> Series:
    layers = tuple(layer.name for layer in plan(net).layers)
    at, ends = np.arange(steps), np.arange(epoch, steps + 1, epoch)
    norms = np.full((steps, len(layers)), norm, dtype=np.float32)
    error = np.linspace(90, 10, steps)
    return Series(at, error, error, at * 0.1, layers, at, norms, norms, norms, ends, ends * 1.0, ends * 0.5, window=4)


def run(net: str, **more: Any) -> Run:
    one = spec(net, **{key: more.pop(key) for key in ("data", "recipe") if key in more})
    return one, series(one.net, **more)


def sendable(figure: Figure) -> bytes:
    return json.dumps({"data": figure.data, "layout": figure.layout}, allow_nan=False).encode()


def named(figure: Figure, name: str) -> dict[str, Any]:
    return next(trace for trace in figure.data if trace["name"] == name)


def test_what_was_cut_while_it_trained_is_marked_on_the_training_error() -> None:
    one, measured = run("resnet-20")
    figure = errors([(one, replace(measured, cut_steps=(13, 26), cuts=("3,7", "")))])
    marks, line = named(figure, "resnet-20 cut"), named(figure, "resnet-20 train")
    assert marks["x"] == [13, 13, None, 26, 26, None]
    heights = [line["y"][line["x"].index(step)] for step in (13, 26)]
    assert marks["y"] == [0, heights[0], None, 0, heights[1], None]
    assert [note["text"] for note in figure.layout["annotations"]][-2:] == ["cut 3,7", "whole again"]
    assert "From step 13 on: cut 3,7. From step 26 on: whole again." in figure.alt
    assert "Crosses" in figure.caption
    sendable(figure)


def test_train_is_thin_and_test_is_bold_in_the_family_s_colour() -> None:
    figure = errors([run("plain-20"), run("resnet-20")], total=80)
    thin, bold = named(figure, "plain-20 train"), named(figure, "plain-20 test")
    assert thin["line"]["width"] < 2 < bold["line"]["width"]
    assert {thin["line"]["color"], bold["line"]["color"]} == {"#D55E00"}
    assert bold["x"] == [20, 40]
    assert bold["y"] == [10.0, 20.0]
    assert figure.caption.startswith(":green-badge[measured]")
    assert "train thin (mean of the last 4 steps, on the batches as they are learned from)" in figure.caption
    assert "resnet-20: training error" in figure.alt
    labels = [note["text"] for note in figure.layout["annotations"]]
    assert labels == ["error %", "plain-20", "resnet-20"]
    assert figure.layout["showlegend"] is False


def test_of_several_seeds_each_is_a_hair_and_the_bold_line_is_the_mean_of_those_that_came_farthest() -> None:
    one, first = run("plain-20")
    second = replace(first, error=first.error + 4, test_error=first.test_error + 2)
    begun = replace(first, steps=first.steps[:7], error=first.error[:7], eval_steps=first.eval_steps[:0])
    alone = run("resnet-20")
    figure = errors([(one, first), alone], seeds=[(first, second, begun), (alone[1],)], total=40)
    mean = named(figure, "plain-20 train")
    assert mean["y"] == pytest.approx([(a + b) / 2 for a, b in zip(first.error, second.error, strict=True)], abs=0.01)
    assert named(figure, "plain-20 test")["y"] == (first.test_error + 1).tolist()
    hairs = [trace for trace in figure.data if trace["name"] == "plain-20 seed"]
    assert [len(hair["x"]) for hair in hairs] == [40, 40, 7]
    assert all(hair["line"]["width"] < mean["line"]["width"] for hair in hairs)
    assert not [trace for trace in figure.data if trace["name"] == "resnet-20 seed"]
    assert "means over 1 and 2 seeds" in figure.caption
    sendable(figure)
    waiting = replace(begun, steps=first.steps[:0], error=first.error[:0])
    assert not errors([(one, waiting)], seeds=[(waiting, waiting)], total=40).data


@pytest.mark.parametrize(
    ("net", "data", "recipe", "error"),
    [
        ("resnet-56", "cifar-10", "paper", 6.97),
        ("resnet-110", "cifar-10", "paper-warmup", 6.43),
        ("preact-bottleneck-164", "cifar-10", "paper", 5.46),
        ("resnet-56", "cifar-10", "quick", None),
        ("resnet-56:width=8", "cifar-10", "paper", None),
        ("resnet-56:shortcut=B", "cifar-10", "paper", None),
        ("resnet-56", "fashion-mnist", "paper", None),
        ("plain-56", "cifar-10", "paper", None),
    ],
)
def test_the_paper_s_figures_stand_only_beside_the_paper_s_setting(
    net: str, data: str, recipe: str, error: float | None
) -> None:
    found = paper_figure(spec(net, data, recipe))
    assert (found and found[0]) == error
    figure = errors([run(net, data=data, recipe=recipe)])
    assert ("violet-badge[paper]" in figure.caption) == (error is not None)


def test_a_curve_never_has_more_than_a_thousand_points() -> None:
    figure = errors([run("resnet-20", steps=5000, epoch=400)])
    x = named(figure, "resnet-20 train")["x"]
    assert len(x) == numbers.POINTS
    assert (x[0], x[-1]) == (0, 4999)


def test_the_lines_follow_the_slider_s_step_and_mark_projections() -> None:
    one, measured = run("resnet-20:shortcut=B")
    measured.norms[7] = 100.0
    figure = norm_lines([(one, measured)], 7)
    assert "step 7" in figure.caption
    assert set(named(figure, "resnet-20")["y"]) == {100.0}
    diamonds = named(figure, "resnet-20 projections")
    assert diamonds["customdata"] == ["blocks.3.shortcut.conv", "blocks.6.shortcut.conv"]
    assert not set(diamonds["x"]) & set(named(figure, "resnet-20")["x"])


def test_what_is_not_a_positive_number_is_left_out_not_drawn_wrongly() -> None:
    one, measured = run("plain-20")
    measured.norms[:, 0] = 0
    measured.norms[:, 1] = np.nan
    measured.error[3] = np.nan
    for figure in (
        errors([(one, measured)]),
        norm_lines([(one, measured)], None),
        layer_history([(one, measured)], "stem.conv"),
        norm_map.norm_map([(one, measured)]),
    ):
        sendable(figure)
    assert norm_lines([(one, measured)], None).data[0]["y"][:2] == [None, None]


def test_every_figure_draws_a_run_that_has_not_begun() -> None:
    one, full = run("plain-20")
    none = {name: value[:0] for name, value in vars(full).items() if name not in ("layers", "window")}
    empty = replace(full, layers=(), **none)
    for runs in ([(one, empty)], []):
        for figure in (
            errors(runs),
            norm_lines(runs, 5),
            layer_history(runs, "stem.conv"),
            norm_map.norm_map(runs),
        ):
            assert figure.data == []
            sendable(figure)


def test_the_map_pools_columns_by_their_geometric_mean() -> None:
    norms = np.array([[1.0], [100.0], [0.0], [10.0]])
    measured = replace(run("plain-8", steps=4)[1], norms=norms, norms_low=norms, norms_high=norms)
    cells = norm_map.pooled(measured, 2)
    assert cells.steps.tolist() == [0, 2]
    assert cells.mean.tolist() == [[1.0], [1.0]]  # √(1·100) = 10; the zero cannot be drawn, 10 is left
    assert cells.largest.tolist() == [[2.0], [1.0]]
    assert cells.smallest.tolist() == [[0.0], [-np.inf]]
    assert cells.shown("mean").tolist() == [[1.0], [1.0]], "ten times is not more than ten times"
    np.testing.assert_array_equal(cells.shown("smallest"), [[0], [np.nan]], "zero has no colour")


def test_no_extreme_of_a_long_run_is_lost_on_its_way_to_the_map() -> None:
    """Every cell's smallest and largest by brute force over all steps that were measured, and spikes in its colour."""
    one, _ = run("plain-8")
    layers = tuple(layer.name for layer in plan(one.net).layers)
    rng = np.random.default_rng(0)
    total = 10_000
    norms = np.exp(0.3 * rng.normal(size=(total, len(layers)))).astype("<f4")
    spikes = {(137, 0): 500.0, (4999, 3): 0.002, (9998, 5): 40.0}
    for (step, layer), norm in spikes.items():
        norms[step, layer] = norm
    history = History(started(layers, total))
    history.extend([{**STEP, "norms": row.tobytes()} for row in norms], [])  # type: ignore[misc]
    for of in ("mean", "largest", "smallest"):
        figure = norm_map.norm_map([(one, history.series())], of=of)
        [trace] = figure.data
        z, below, above = (np.array(part) for part in (trace["z"], trace["meta"]["below"], trace["meta"]["above"]))
        edges = [round(edge + 0.5) for edge in trace["x"]]
        assert (edges[0], edges[-1], len(edges) - 1) == (0, total, norm_map.COLUMNS)
        for column, (begin, end) in enumerate(pairwise(edges)):
            logs = np.log10(norms[begin:end].astype(float))
            np.testing.assert_allclose(z[:, column] - below[:, column] / 100, logs.min(0), atol=0.006)
            np.testing.assert_allclose(z[:, column] + above[:, column] / 100, logs.max(0), atol=0.006)
        if of == "mean":
            for (step, layer), norm in spikes.items():
                assert z[layer, step // (total // norm_map.COLUMNS)] == pytest.approx(np.log10(norm), abs=0.006)
            assert (abs(z) > 1).sum() == len(spikes), "every other cell keeps its mean"
            assert "geometric mean of 50 steps, or the one that is more than 10 times off it" in figure.caption
        else:
            np.testing.assert_array_equal(above if of == "largest" else below, 0)
            scale = figure.layout["coloraxis"]
            assert scale["cmin"] <= z.min() <= z.max() <= scale["cmax"], "each has a colour of its own"
            assert f"each cell is the {of} of 50 steps" in figure.caption
        assert "between 0.002 and 5e+02" in figure.alt
        assert len(pack(figure).part.body) < 60_000


def test_the_maps_share_one_scale_and_name_every_cell() -> None:
    loud = run("plain-20", norm=100.0)
    figure = norm_map.norm_map([loud, run("resnet-20", norm=0.01)], total=40)
    assert [trace["coloraxis"] for trace in figure.data] == ["coloraxis", "coloraxis"]
    assert (figure.layout["coloraxis"]["cmin"], figure.layout["coloraxis"]["cmax"]) == (-2.0, 2.0)
    trace = figure.data[0]
    layers = len(loud[1].layers)
    assert (len(trace["z"]), len(trace["z"][0])) == (layers, 40)
    assert (len(trace["y"]), len(trace["x"])) == (layers + 1, 41)
    assert trace["meta"]["rows"][0] == "stem.conv"


def test_the_marks_stand_at_the_step_and_around_the_selected_block() -> None:
    runs = [run("plain-20"), run("resnet-20")]
    marks = norm_map.map_marks(runs, 12, "block:0")
    assert [(mark["name"], mark["xref"]) for mark in marks] == [
        ("step", "x"),
        ("layer", "x domain"),
        ("step", "x2"),
        ("layer", "x2 domain"),
    ]
    assert (marks[1]["y0"], marks[1]["y1"]) == (0.5, 2.5)  # the stem is layer 0, the block's two are 1 and 2
    assert norm_map.map_marks(runs, None, "block:99") == ()
    assert step_mark(None) == ()


def test_a_packed_figure_is_small_and_is_the_same_for_everyone() -> None:
    figure = norm_map.norm_map([run("plain-56", steps=3000, epoch=79), run("resnet-56", steps=3000, epoch=79)])
    packed = pack(figure)
    assert packed == pack(figure)
    assert len(packed.part.body) < 60_000
    head = {"marks": [], "rev": "1"}
    sent = framed(head, packed.part.body)
    length = int.from_bytes(sent[:4], "little")
    assert json.loads(sent[4 : 4 + length]) == head
    assert json.loads(gzip.decompress(sent[4 + length :]))["layout"]["coloraxis"]


def test_a_spike_between_two_points_of_a_layer_s_history_is_in_its_band_and_on_the_axis() -> None:
    one, measured = run("plain-8", steps=40)
    low, high = measured.norms[::2].copy(), measured.norms[::2].copy()
    high[7, 0], low[9, 0] = 500, 0.002
    wide = replace(
        measured, norm_steps=measured.norm_steps[::2], norms=measured.norms[::2], norms_low=low, norms_high=high
    )
    figure = layer_history([(one, wide)], "stem.conv")
    sendable(figure)
    band = named(figure, "plain-8 band")
    assert {max(band["y"]), min(band["y"])} == {500, 0.002}
    bottom, top = figure.layout["yaxis"]["range"]
    assert bottom < np.log10(0.002)
    assert top > np.log10(500)
    assert "smallest and largest of each 2 steps" in figure.caption
    assert figure.alt.endswith("1 runs.")
    assert len(layer_history([(one, measured)], "stem.conv").data) == 1, "one step a point: nothing between"


def test_norms_recorded_while_training_say_in_which_precision_and_are_not_taken_for_the_analyses_own() -> None:
    half = RunSpec(net=NetSpec.parse("plain-8:width=2").fitted(1, 10), precision="bfloat16")
    waiting = RunSpec(net=half.net)
    pair = [(half, series(half.net))]
    for figure in (norm_map.norm_map(pair), norm_lines(pair, None), layer_history(pair, "stem.conv")):
        assert "training mode, trained in bfloat16" in figure.caption
    assert "trained in" not in norm_map.norm_map([(waiting, series(half.net))]).caption
