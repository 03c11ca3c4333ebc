"""One run's measurements in memory, extended as they come, and downsampled so that no extreme is lost."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from app.values.arrays import Floats
from app.values.events import BlockCut, RunStarted
from app.values.series import Series

MAX_POINTS = 1000
MAX_COLUMNS = 400  # so that a run of a few minutes keeps every step


class History:
    """Measurements of steps 0…S-1 and of the epochs evaluated."""

    def __init__(self, started: RunStarted | None, cuts: Sequence[BlockCut] = ()) -> None:
        self.started = started
        self.cuts = tuple(cuts)
        self._measured = _Growing()  # loss, error, learning rate, seconds
        self._gradients = _Growing()
        self._epochs: list[tuple[int, float, float]] = []  # step, test error, images per second
        self._series: Series | None = None

    @property
    def _steps(self) -> Floats:
        return self._measured.rows if len(self._measured.rows) else np.empty((0, 4))

    @property
    def _norms(self) -> Floats:
        return self._gradients.rows

    @property
    def next_step(self) -> int:
        """The first step that is not yet here."""
        return len(self._steps)

    @property
    def last_epoch(self) -> int:
        """Step of the last evaluation here, or -1."""
        return self._epochs[-1][0] if self._epochs else -1

    def extend(self, steps: Sequence[sqlite3.Row], epochs: Sequence[sqlite3.Row]) -> None:
        """Add rows of the store's tables of the same names, in order of their steps."""
        if not steps and not epochs:
            return
        self._series = None
        if steps:
            rows = np.array([(row["loss"], row["error"], row["lr"], row["seconds"]) for row in steps], float)
            self._measured.extend(rows)
            self._gradients.extend(_norms(steps, self._gradients.rows.shape[1]))
        self._epochs += [(row["step"], row["test_error"], row["images_per_second"]) for row in epochs]

    @property
    def window(self) -> int:
        """Steps over which the training error is averaged: a twentieth of the run."""
        return max(1, self.started.total_steps // 20) if self.started else 1

    def train_error(self, window: int | None = None, at: int | None = None) -> float | None:
        """Mean training error in percent over `window` steps (by default, `self.window`) up to step `at`, or so far."""
        end = len(self._steps) if at is None else min(at + 1, len(self._steps))
        begin = max(0, end - (window or self.window))
        return float(self._steps[begin:end, 1].mean()) if end else None

    def test_error(self, at: int | None = None) -> float | None:
        """Test error in percent at the last evaluation, or at the last one up to step `at`."""
        known = [error for step, error, _ in self._epochs if at is None or step <= at]
        return known[-1] if known else None

    def evaluated(self, at: int | None = None) -> int:
        """Step of the last evaluation up to step `at`, or of all; -1: none yet."""
        return max((step for step, *_ in self._epochs if at is None or step <= at), default=-1)

    def images_per_second(self) -> float | None:
        """Over the last epoch trained, if there was one."""
        return (self._epochs[-1][2] or None) if self._epochs else None

    def seconds_per_step(self) -> float | None:
        """Median over the last 20 steps."""
        return float(np.median(self._steps[-20:, 3])) if len(self._steps) else None

    @property
    def seconds(self) -> float:
        """That the run has trained for, by its steps."""
        return float(self._steps[:, 3].sum())

    def norms_at(self, step: int) -> Floats | None:
        """Gradient norm of each weight layer at one step, or None where it was not measured."""
        return self._norms[step] if 0 <= step < len(self._norms) and self._norms.shape[1] else None

    def series(self) -> Series:
        """The curves at most MAX_POINTS long, the map at most MAX_COLUMNS wide."""
        if self._series is None:
            self._series = self._downsampled()
        return self._series

    def _downsampled(self) -> Series:
        steps, epoch_steps = self._steps, self.started.epoch_steps if self.started else 1
        error = running_mean(steps[:, 1], self.window)
        kept = keep_extremes(steps[:, 0], error, limit=MAX_POINTS)
        edges = column_edges(len(self._norms), MAX_COLUMNS)
        norms = self._norms
        empty = np.empty((0, norms.shape[1]), np.float32)
        some = len(edges) > 0
        ends = np.array([epoch[0] for epoch in self._epochs], int)
        return Series(
            steps=kept,
            loss=steps[kept, 0],
            error=error[kept],
            lr=steps[kept, 2],
            layers=self.started.layers if self.started else (),
            norm_steps=edges,
            norms=geometric_means(norms, edges) if some else empty,
            norms_low=np.minimum.reduceat(norms, edges) if some else empty,
            norms_high=np.maximum.reduceat(norms, edges) if some else empty,
            eval_steps=ends,
            train_error=np.array([steps[max(0, end - epoch_steps) : end, 1].mean() if end else np.nan for end in ends]),
            test_error=np.array([epoch[1] for epoch in self._epochs]),
            window=self.window,
            cut_steps=tuple(cut.step for cut in self.cuts),
            cuts=tuple(str(cut.cut) for cut in self.cuts),
        )


def _norms(steps: Sequence[sqlite3.Row], known: int) -> Floats:
    """S×L. A row of another length, which only a damaged file has, is one of numbers that nobody knows."""
    packed = [row["norms"] for row in steps]
    lengths = {len(row) for row in packed}
    if len(lengths) > 1:
        length = 4 * known or max(lengths, key=[len(row) for row in packed].count)
        packed = [row if len(row) == length else np.full(length // 4, np.nan, "<f4").tobytes() for row in packed]
    return np.frombuffer(b"".join(packed), "<f4").reshape(len(steps), -1)


class _Growing:
    """Rows that are added to by the second: copied only when there are twice as many."""

    def __init__(self) -> None:
        self._space: Floats = np.empty((0, 0), np.float32)
        self.rows = self._space

    def extend(self, more: Floats) -> None:
        """Add rows of the same width and type."""
        count = len(self.rows) + len(more)
        if count > len(self._space):
            space = np.empty((max(64, 2 * count), more.shape[1]), more.dtype)
            space[: len(self.rows)] = self.rows.reshape(-1, more.shape[1])
            self._space = space
        self._space[len(self.rows) : count] = more
        self.rows = self._space[:count]


def geometric_means(norms: Floats, edges: np.ndarray) -> Floats:
    """Of the rows between `edges`, S×L → C×L. Zeros, of a branch that was cut or dropped, do not count; alone: zero."""
    there = norms != 0
    logs = np.log(norms, out=np.zeros_like(norms), where=there)
    counts = np.add.reduceat(there, edges, dtype=int)
    return np.where(counts, np.exp(np.add.reduceat(logs, edges) / np.maximum(counts, 1)), 0)


def running_mean(values: Floats, window: int) -> Floats:
    """At each step, the mean over the last `window` steps up to it, or over as many as there are."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    begins = np.maximum(ends - window, 0)
    return (sums[ends] - sums[begins]) / (ends - begins)


def column_edges(count: int, limit: int) -> np.ndarray:
    """First step of each of at most `limit` columns, all but the last equally wide, over `count` steps."""
    return np.arange(0, count, max(1, -(-count // limit)))


def keep_extremes(*curves: Floats, limit: int) -> np.ndarray:
    """Indices to keep, at most `limit`: of each bucket the first point and every curve's smallest and largest."""
    count = len(curves[0])
    if count <= limit:
        return np.arange(count)
    edges = column_edges(count, limit // (1 + 2 * len(curves)))
    kept = {*edges.tolist(), count - 1}
    for begin, end in zip(edges, [*edges[1:], count], strict=True):
        for curve in curves:
            bucket = np.nan_to_num(curve[begin:end], nan=np.inf)
            kept |= {int(begin + bucket.argmin()), int(begin + bucket.argmax())}
    return np.array(sorted(kept))
