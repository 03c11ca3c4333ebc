"""What there is to see of some runs at one moment: read and drawn once, for every session that watches them.

40 sessions that each read the store and drew for themselves took 70 % of a core, and waited for one another.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app import jobs
from app.datasets import find
from app.figures.norm_map import CellOf, norm_map
from app.figures.theme import Figure, short_names
from app.figures.training import errors, layer_history, norm_lines
from app.history import History
from app.results.series import Series
from app.runs import Run
from app.spec import RunSpec
from app.ui.live_chart import Packed, pack
from app.ui.outcome import Standing
from app.ui.strip import StripNet

FRESH_SECONDS = 0.5
CHART_HEIGHT = 400
MOST = 32  # sets of runs that are watched at once

Version = tuple[
    str, int, int, int, int
]  # run, attempt, steps, last evaluation, cuts: when these are the same, so is the picture


@dataclass(frozen=True)
class Picture:
    """A packed figure and its caption."""

    chart: Packed
    caption: str


@dataclass(frozen=True, eq=False)
class Scene:
    """Some runs at one moment. A drawing is made when it is first asked for."""

    runs: tuple[Run, ...]
    names: tuple[str, ...]
    histories: tuple[History, ...]
    pairs: tuple[tuple[RunSpec, Series], ...]
    versions: tuple[Version, ...]
    moments: tuple[int, ...]  # of the first run
    sizes: tuple[int | None, ...]  # sides of the images in pixels
    paces: tuple[str, ...]  # what each run is doing, in words
    drawings: dict[str, Picture]

    @property
    def total(self) -> int:
        """Updates that the longest run will make."""
        return max(run.total or run.spec.planned_steps for run in self.runs)

    @property
    def newest(self) -> int:
        """Updates made by the run that has made most."""
        return max(run.step for run in self.runs)

    @property
    def nets(self) -> list[StripNet]:
        """The rows of the strip."""
        each = zip(self.runs, self.names, self.sizes, strict=True)
        return [StripNet(run.spec.net, name, size) for run, name, size in each]

    @property
    def active(self) -> bool:
        """True while one of the runs waits or trains."""
        return any(run.active for run in self.runs)

    @property
    def measured(self) -> bool:
        """True once there is a gradient norm to draw."""
        return any(len(series.norm_steps) for _, series in self.pairs)

    def curves(self) -> Picture:
        """Error against step."""
        return self._drawn("curves", lambda: errors(self.pairs, total=self.total, height=CHART_HEIGHT))

    def maps(self, of: CellOf = "mean") -> Picture:
        """Gradient norm, layer × step; `of` the steps that one cell stands for."""
        each = max((CHART_HEIGHT - 68 - 30 * (len(self.pairs) - 1)) // len(self.pairs), 70)
        return self._drawn(f"maps {of}", lambda: norm_map(self.pairs, total=self.total, each=each, of=of))

    def lines(self, step: int | None) -> Picture:
        """Gradient norm layer by layer, at one step."""
        return self._drawn(f"lines {step}", lambda: norm_lines(self.pairs, step))

    def layer(self, name: str) -> Picture:
        """Gradient norm step by step, in one layer."""
        return self._drawn(f"layer {name}", lambda: layer_history(self.pairs, name, total=self.total, height=300))

    def layer_of(self, selected: str | None) -> str:
        """The selected layer; of a selected block the first; the stem where nothing is selected."""
        if selected and not selected.startswith("block:"):
            return selected
        prefix = f"blocks.{selected.removeprefix('block:')}." if selected else "stem."
        names = (name for _, series in self.pairs for name in series.layers if name.startswith(prefix))
        return next(names, "stem.conv")

    def standings(self, step: int | None) -> list[Standing]:
        """Each net, at one step."""
        seen = zip(self.runs, self.names, self.histories, self.pairs, strict=True)
        return [
            Standing(
                name,
                run.spec,
                series,
                history.train_error(at=step),
                history.window,
                run.active or run.status == "paused",
                history.norms_at,
                run.status == "diverged",
            )
            for run, name, history, (_, series) in seen
        ]

    def _drawn(self, what: str, draw: Callable[[], Figure]) -> Picture:
        with _drawing:
            if what not in self.drawings:
                figure = draw()
                self.drawings[what] = Picture(pack(figure), figure.caption)
            return self.drawings[what]


_looking, _drawing = threading.Lock(), threading.Lock()  # one session works, the others take what it made
_seen: dict[tuple[Path, *tuple[str, ...]], tuple[int, float, Scene]] = {}


def scene(ids: tuple[str, ...]) -> Scene:
    """These runs now; or at most FRESH_SECONDS ago, if no run's status has changed since.

    Raises KeyError if one of them is gone.
    """
    store = jobs.engine().store
    with _looking:
        changes, seconds = store.changes, time.monotonic()
        last = _seen.get((store.folder, *ids))
        if last and last[0] == changes and seconds - last[1] < FRESH_SECONDS:
            return last[2]
        new = _look(ids, last[2] if last else None)
        _seen[store.folder, *ids] = (changes, seconds, new)
        while len(_seen) > MOST:
            del _seen[next(iter(_seen))]
        return new


def _look(ids: tuple[str, ...], last: Scene | None) -> Scene:
    engine = jobs.engine()
    runs = tuple(engine.store.run(run) for run in ids)
    histories = tuple(engine.store.history(run.id) for run in runs)
    versions = tuple(
        (run.id, run.attempt, run.step, history.last_epoch, len(history.cuts))
        for run, history in zip(runs, histories, strict=True)
    )
    about = [find(run.spec.data, engine.settings.store) for run in runs]
    return Scene(
        runs=runs,
        names=tuple(short_names([run.spec for run in runs])),
        histories=histories,
        pairs=tuple((run.spec, history.series()) for run, history in zip(runs, histories, strict=True)),
        versions=versions,
        moments=tuple(engine.store.moments(runs[0].id)),
        sizes=tuple(found.size if found else None for found in about),
        paces=tuple(_pace(run) for run in runs),
        drawings=last.drawings if last and last.versions == versions else {},
    )


def _pace(run: Run) -> str:
    """What the run is doing, how fast, and for how long yet."""
    engine = jobs.engine()
    left = engine.seconds_left(run) if run.active else None
    ends = "" if left is None else f" · {_duration(left)} left"
    if run.status == "queued":
        if run.spec.data in engine.pump.downloads:
            return "waiting for its data"
        if engine.held(run):
            return f"waiting: {engine.settings.session_training} of this browser's runs may train at once" + ends
        ahead = engine.place(run.id)
        if ahead:
            return f"waiting, {ahead} ahead" + ends
        return ("starting" if len(engine.store.runs(["running"])) < engine.workers("train") else "next in line") + ends
    pace = engine.store.history(run.id).seconds_per_step()
    if run.status == "running" and pace:
        return f"{run.spec.recipe.batch / pace:,.0f} images/s{ends}"
    return f"{run.status} · step {run.step:,}" + (f" of {run.total:,}" if run.step < run.total else "")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
