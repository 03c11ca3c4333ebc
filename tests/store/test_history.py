"""Downsampling: nothing extreme is lost."""

import numpy as np
import pytest
from scipy.stats import gmean

from app.store.history import (
    MAX_COLUMNS,
    MAX_POINTS,
    History,
    column_edges,
    geometric_means,
    keep_extremes,
    running_mean,
)
from app.values.events import RunStarted


def started(layers: int = 2) -> RunStarted:
    return RunStarted(
        step=0,
        layers=tuple(f"layer{index}" for index in range(layers)),
        total_steps=5000,
        epoch_steps=10,
        train_images=100,
        device="cpu",
        precision="float32",
        threads=1,
    )


def rows(loss: np.ndarray, norms: np.ndarray) -> list[dict[str, object]]:
    return [
        {"loss": float(value), "error": 50.0, "lr": 0.1, "seconds": 0.5, "norms": norm.astype("<f4").tobytes()}
        for value, norm in zip(loss, norms, strict=True)
    ]


@pytest.mark.parametrize("count", [1, 10, 999, 1000, 1001, 64_000])
def test_no_spike_is_lost_and_the_limit_holds(count: int) -> None:
    rng = np.random.default_rng(count)
    curve, other = rng.normal(size=count), rng.normal(size=count)
    kept = keep_extremes(curve, other, limit=1000)
    assert len(kept) <= 1000
    assert {int(curve.argmin()), int(curve.argmax()), int(other.argmin()), int(other.argmax())} <= set(kept.tolist())
    assert {0, count - 1} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_every_spike_of_every_bucket_survives() -> None:
    curve = np.zeros(10_000)
    spikes = np.arange(37, 10_000, 401)
    curve[spikes] = 1
    assert set(spikes.tolist()) <= set(keep_extremes(curve, limit=1000).tolist())


def test_columns_cover_every_step_once() -> None:
    edges = column_edges(64_000, MAX_COLUMNS)
    assert len(edges) <= MAX_COLUMNS
    assert edges[0] == 0
    assert len(set(np.diff(edges))) == 1


def test_a_column_holds_geometric_mean_least_and_largest() -> None:
    rng = np.random.default_rng(0)
    norms = np.exp(rng.normal(size=(1170, 2))).astype(np.float32)
    history = History(started())
    history.extend(rows(np.ones(1170), norms), [])  # type: ignore[arg-type]
    series = history.series()
    assert len(series.norm_steps) == 390  # three steps a column
    np.testing.assert_allclose(series.norms[7], np.prod(norms[21:24].astype(float), axis=0) ** (1 / 3), rtol=1e-5)
    np.testing.assert_array_equal(series.norms_low[7], norms[21:24].min(axis=0))
    np.testing.assert_array_equal(series.norms_high[7], norms[21:24].max(axis=0))


def test_adding_by_and_by_equals_adding_at_once() -> None:
    rng = np.random.default_rng(2)
    loss, norms = rng.normal(size=3000), np.exp(rng.normal(size=(3000, 2)))
    epochs = [{"step": 10 * k, "test_error": float(k), "images_per_second": 1.0} for k in range(1, 301)]
    whole, parts = History(started()), History(started())
    whole.extend(rows(loss, norms), epochs)  # type: ignore[arg-type]
    for begin in range(0, 3000, 700):
        parts.extend(rows(loss[begin : begin + 700], norms[begin : begin + 700]), [])  # type: ignore[arg-type]
    parts.extend([], epochs)  # type: ignore[arg-type]
    one, two = whole.series(), parts.series()
    assert len(one.steps) <= MAX_POINTS
    for field in ("steps", "loss", "norms", "train_error", "test_error"):
        np.testing.assert_array_equal(getattr(one, field), getattr(two, field))


def test_training_error_of_an_epoch_is_the_mean_over_its_steps() -> None:
    history = History(started())
    given = rows(np.ones(20), np.ones((20, 2)))
    for step, row in enumerate(given):
        row["error"] = float(step)
    history.extend(given, [{"step": 10, "test_error": 1.0, "images_per_second": 1.0}])  # type: ignore[list-item, arg-type]
    assert history.series().train_error.tolist() == [4.5]


def test_the_running_mean_looks_back_over_a_window_of_steps() -> None:
    values = np.array([4.0, 8.0, 0.0, 6.0])
    assert running_mean(values, 1).tolist() == [4, 8, 0, 6]
    assert running_mean(values, 3).tolist() == [4, 6, 4, pytest.approx(14 / 3)]


def test_the_curve_of_a_long_run_is_the_mean_over_all_steps_not_over_those_kept() -> None:
    rng = np.random.default_rng(3)
    history = History(started())
    given = rows(np.ones(5000), np.ones((5000, 2)))
    for row in given:
        row["error"] = float(rng.random())
    history.extend(given, [])  # type: ignore[arg-type]
    series = history.series()
    step = int(series.steps[-1])
    assert series.window == 250
    assert series.error[-1] == pytest.approx(np.mean([row["error"] for row in given[step - 249 : step + 1]]))


def test_errors_can_be_asked_for_at_an_earlier_step() -> None:
    history = History(started())
    given = rows(np.ones(300), np.ones((300, 2)))
    for step, row in enumerate(given):
        row["error"] = float(step)
    epochs = [{"step": 10 * k, "test_error": 100.0 - k, "images_per_second": 1.0} for k in range(1, 31)]
    history.extend(given, epochs)  # type: ignore[arg-type]
    assert history.train_error(window=5, at=20) == 18
    assert history.train_error(window=5) == 297
    assert history.train_error(at=3) == 1.5
    assert [history.test_error(at=at) for at in (9, 10, 29, None)] == [None, 99, 98, 70]
    assert History(started()).train_error() is None


def test_of_a_hundred_thousand_steps_no_extreme_of_any_layer_or_curve_is_lost() -> None:
    rng = np.random.default_rng(1)
    steps, layers = 100_000, 3
    norms = rng.uniform(1, 2, size=(steps, layers)).astype(np.float32)
    loss = rng.uniform(1, 2, size=steps)
    spikes = rng.choice(steps, size=(layers, 2), replace=False)
    for layer, (high, low) in enumerate(spikes):
        norms[high, layer], norms[low, layer] = 100 + layer, 0.01
    loss[spikes[0]] = 9, 0.1
    history = History(started(layers))
    history.extend(rows(loss, norms), [])  # type: ignore[arg-type]
    series = history.series()
    assert len(series.norm_steps) <= MAX_COLUMNS
    assert len(series.steps) <= MAX_POINTS
    columns = np.searchsorted(series.norm_steps, spikes, side="right") - 1
    for layer, (high, low) in enumerate(columns):
        assert series.norms_high[high, layer] == 100 + layer
        assert series.norms_low[low, layer] == np.float32(0.01)
    assert {9, 0.1} <= set(series.loss.tolist())


def test_a_gradient_of_zero_does_not_count_beside_others_and_stays_zero_alone() -> None:
    """SciPy's geometric mean of those that are not zero."""
    norms = np.array([[1.0, 0.0], [4.0, 0.0], [0.0, 5.0], [3.0, 2.0], [9.0, 0.0]])
    found = geometric_means(norms, np.array([0, 2]))
    np.testing.assert_allclose(found, [[gmean([1, 4]), 0], [gmean([3, 9]), gmean([5, 2])]])


def test_the_pace_is_the_median_of_the_last_twenty_steps() -> None:
    history = History(started())
    given = rows(np.ones(21), np.ones((21, 2)))
    for step, row in enumerate(given):
        row["seconds"] = float(step)
    history.extend(given, [])  # type: ignore[arg-type]
    assert history.seconds_per_step() == 10.5, "of steps 1 to 20"
    assert history.seconds == 210


def test_a_short_run_is_shown_whole() -> None:
    history = History(started())
    given = rows(np.arange(1.0, 21.0), np.ones((20, 2)))
    for step, row in enumerate(given):
        row["lr"] = 0.5 / (step + 1)
    history.extend(given, [{"step": 20, "test_error": 7.0, "images_per_second": 1.0}])  # type: ignore[list-item, arg-type]
    series = history.series()
    assert series.lr.tolist() == [row["lr"] for row in given]
    assert series.loss.tolist() == [row["loss"] for row in given]
    assert series.layers == started().layers
    assert (series.eval_steps.tolist(), series.test_error.tolist()) == ([20], [7.0])


def test_before_anything_is_measured_there_are_curves_and_a_map_of_nothing() -> None:
    series = History(None).series()
    assert (len(series.steps), series.norms.shape, series.layers, series.window) == (0, (0, 0), (), 1)


def test_of_a_long_run_the_extremes_of_the_averaged_error_are_kept() -> None:
    history = History(started())
    given = rows(np.ones(5000), np.ones((5000, 2)))
    errors = np.random.default_rng(5).random(5000)
    for row, error in zip(given, errors, strict=True):
        row["error"] = float(error)
    history.extend(given, [])  # type: ignore[arg-type]
    averaged, shown = running_mean(errors, 250), history.series().error
    assert (shown.min(), shown.max()) == (averaged.min(), averaged.max())
