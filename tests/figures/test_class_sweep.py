"""The class plot against counts and means made by hand, and intervals of SciPy's."""

import numpy as np
import pytest
from scipy import stats

from app.figures.theme import FAMILY_COLOURS
from app.studies.class_sweep.figures import sweep
from app.studies.class_sweep.points import Point, State, lines, title, trained_alike
from app.studies.class_sweep.words import passages
from app.values.run_spec import RECIPES
from tests.support.opening import spec


def point(net: str, error: float, seed: int = 0, state: State = "ended") -> Point:
    return Point(f"run of {net}", spec(f"{net}:width=4", seed=seed), error, state)


def points() -> list[Point]:
    """Plain nets that get worse with depth, others that do not; one has just begun, one diverged, one was cut."""
    return [
        point("plain-20", 10.0, 0),
        point("plain-20", 14.0, 1),
        point("plain-20", 15.0, 2),
        point("plain-56", 90.0, 0, "under way"),
        point("plain-44", 28.0, 0),
        point("plain-44", 33.0, 1),
        point("plain-44", 88.0, 2, "diverged"),
        point("resnet-44", 9.0, 1),
        point("resnet-20", 11.0, 0),
        point("resnet-20", 16.0, 5, "cut"),
        point("preact-20", 12.0, 0),
    ]


def test_every_run_is_a_point_and_the_line_of_each_family_joins_the_means_of_those_that_ended() -> None:
    figure = sweep(lines(points()), "Training", "all of them")
    joined = {trace["line"]["color"]: trace for trace in figure.data if trace["mode"] == "lines"}
    dots = {trace["name"]: trace for trace in figure.data if trace["mode"] == "markers"}
    assert list(joined) == [FAMILY_COLOURS[family] for family in ("plain", "preact", "resnet")]
    plain = joined[FAMILY_COLOURS["plain"]]
    assert (plain["x"], plain["y"]) == ([20, 44], [13, 30.5])
    assert joined[FAMILY_COLOURS["resnet"]]["y"] == [11, 9]
    assert len(dots["plain"]["x"]) == 7
    assert list(dots["plain"]["marker"]["symbol"]) == [*["circle"] * 5, "x", "circle-open"]
    assert list(dots["resnet"]["marker"]["symbol"]) == ["circle", "circle-open", "circle"]


def test_three_seeds_at_one_depth_have_an_interval_and_two_have_none() -> None:
    figure = sweep(lines(points()), "Training", "")
    errors = [10.0, 14.0, 15.0]
    low, high = stats.t.interval(0.98, 2, np.mean(errors), stats.sem(errors))
    assert figure.data[0]["error_y"]["array"] == pytest.approx([(high - low) / 2, 0])
    assert "98 % intervals" in figure.caption
    assert "intervals" not in sweep(lines(points()[1:]), "Training", "").caption


def test_two_students_with_one_net_and_seed_have_made_one_run() -> None:
    twice = [point("plain-20", 10.0), point("plain-20", 10.0), point("plain-20", 10.0), point("plain-20", 30.0, 1)]
    figure = sweep(lines(twice), "Training", "")
    assert len(figure.data[1]["x"]) == 4
    assert figure.data[0]["y"] == [20]
    assert figure.data[0]["error_y"]["array"] == [0], "two seeds, not four"


def test_the_labels_the_caption_and_the_words_say_what_is_there() -> None:
    figure = sweep(lines(points()), "Training", "Fashion-MNIST.")
    notes = {note["text"] for note in figure.layout["annotations"]}
    assert notes == {"Training error", "plain 30.5%", "resnet 9.0%", "preact 12.0%"}
    assert figure.caption.startswith(
        ":green-badge[measured] 11 runs, a point each, 1 of them not at their end (hollow), "
    )
    assert "1 of them cut while they trained (hollow), 1 of them diverged (crosses)" in figure.caption
    assert "plain: 13.0% at 20 layers, 30.5% at 44 layers" in figure.alt


def test_nets_of_one_family_that_differ_in_a_setting_are_two_lines() -> None:
    several = [point("resnet-20", 10.0), point("resnet-20:shortcut=B", 20.0), point("resnet-44:shortcut=B", 30.0)]
    assert [(line.name, len(line.points)) for line in lines(several)] == [("resnet", 1), ("resnet · shortcut B", 2)]
    first, second = lines(several)
    assert (first.dash, second.dash) == ("solid", "dash")


def test_deep_and_shallow_plain_and_residual_are_compared_over_the_seeds_that_both_have() -> None:
    """Without pairs, seed 1 of plain-44 and seed 2 of plain-20 would be in the first difference."""
    said = passages(lines(points()), "training error")
    interval = stats.ttest_rel([28.0, 33.0], [10.0, 14.0]).confidence_interval(0.98)
    assert said[:2] == [
        "The training error of **plain-44** is 18.5 points above that of **plain-20**: "
        f"from {interval.low:.1f} to {interval.high:.1f}, over 2 seeds.",
        "**resnet-44** and **resnet-20** have ended with no seed in common: there is no pair of them to compare.",
    ]
    assert said[2] == "In this run the training error of **plain-44** is 24.0 points above that of **resnet-44**."
    assert said[3] == "In this run the training error of **plain-20** is 2.0 points below that of **preact-20**."
    assert said[4].startswith("*Intervals")
    assert passages(lines(points()[:1]), "training error") == []


def test_data_recipe_images_and_width_keep_runs_apart_and_the_seed_does_not() -> None:
    one = spec("plain-20:width=4")
    assert trained_alike(one) == trained_alike(spec("resnet-44:width=4", seed=3))
    others = [spec("plain-20:width=8"), spec("plain-20:width=4", steps=80), spec("plain-20:width=4", images=640)]
    assert len({trained_alike(other) for other in (one, *others)}) == 4
    assert title(one) == "Fashion-MNIST, 10,000 · 40 steps of 64 at 0.1 · width 4"
    quick = one.model_copy(update={"recipe": RECIPES["quick"], "images": 1280})
    assert title(quick) == "Fashion-MNIST, 10,000 · 1,280 images · quick · width 4"


@pytest.mark.parametrize("count", [0, 1])
def test_a_class_that_has_just_begun_has_a_plot(count: int) -> None:
    figure = sweep(lines([point("plain-20", 50.0, 0, "under way")][:count]), "Test", "")
    assert f"{count} run" in figure.caption
    assert figure.layout["yaxis"]["range"][1] > 0


@pytest.mark.parametrize(("depths", "ticks"), [((8,), 1), ((8, 14), 1), ((20, 56), None)])
def test_the_axis_of_depth_has_no_half_layers(depths: tuple[int, ...], ticks: int | None) -> None:
    figure = sweep(lines([point(f"plain-{depth}", 50.0) for depth in depths]), "Training", "")
    assert figure.layout["xaxis"].get("dtick") == ticks
