"""What there is to see of some runs at one moment: read and drawn once, for every session that watches them.

40 sessions that each read the store and drew for themselves took 70 % of a core, and waited for one another.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

from app.base.prose import as_html
from app.engine import process
from app.figures.errors import errors
from app.figures.layer_norms import layer_history, norm_lines
from app.figures.norm_map import CellOf, norm_map
from app.figures.theme import Figure, Style, styles
from app.store.history import History
from app.store.run import Run
from app.ui.live.run_cards import numbers, pace
from app.ui.runs.curve_words import passages
from app.ui.runs.standing import Standing
from app.ui.widgets.feed import Feed, Part, packed, query
from app.ui.widgets.live_chart import Packed, pack
from app.ui.widgets.live_text import Text
from app.ui.widgets.strip import StripNet
from app.values.datasets import find
from app.values.run_spec import RunSpec
from app.values.series import Series

FRESH_SECONDS = 0.5
CHART_HEIGHT = 400
MOST = 32  # sets of runs that are watched at once
MOST_DRAWINGS = 64  # of one set: sessions may look at different steps and layers

# Run, attempt, steps, last evaluation, cuts: when these are the same, so is the picture.
Version = tuple[str, int, int, int, int]


@dataclass(frozen=True)
class Picture:
    """A packed figure, where it comes from while it changes, and its caption."""

    chart: Packed
    feed: Feed | None
    caption: Text


@dataclass(frozen=True, eq=False)
class Scene:
    """Some runs at one moment. A drawing is made when it is first asked for."""

    runs: tuple[Run, ...]  # one a net; what needs weights or norms is of these
    groups: tuple[tuple[Run, ...], ...]  # each of them with the other seeds of its spec, by seed
    looks: tuple[Style, ...]
    histories: tuple[History, ...]
    each: tuple[tuple[History, ...], ...]  # of the groups
    pairs: tuple[tuple[RunSpec, Series], ...]
    versions: tuple[Version, ...]
    moments: tuple[tuple[int, ...], ...]  # kept, of each run
    sizes: tuple[int | None, ...]  # sides of the images in pixels
    totals: tuple[int, ...]  # updates that each run will make; 0 where it has not begun and its data set is gone
    paces: tuple[str, ...]  # what each run is doing, in words
    shape: str  # of the page: while it is the same, what changes comes by the feed
    following: bool = False  # a page that is drawn anew for every moment kept, too
    fed: bool = True  # a page without a clock of its own
    drawings: dict[str, tuple[Packed, str]] = field(default_factory=dict)  # the figure and its caption
    texts: dict[str, Text] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The shortest that tell the runs apart."""
        return tuple(look.name for look in self.looks)

    @property
    def total(self) -> int:
        """Updates that the longest run will make."""
        return max(self.totals)

    @property
    def horizon(self) -> int:
        """Where the axes of steps end: at the last step or, while it is far, at a round number beyond the newest."""
        ten = 10 ** max(3, len(str(self.newest)) - 1)
        return min(self.total, next(many * ten for many in (1, 2, 5, 10, 20) if many * ten >= 1.2 * self.newest))

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
    def everyone(self) -> list[Run]:
        """The runs of all groups."""
        return [run for group in self.groups for run in group]

    @property
    def active(self) -> bool:
        """True while one of the runs waits or trains, whatever its seed."""
        return any(run.active for run in self.everyone)

    @property
    def measured(self) -> bool:
        """True once there is a gradient norm to draw."""
        return any(len(series.norm_steps) for _, series in self.pairs)

    def followed(self) -> "Scene":
        """The same, for a page that is drawn anew when a moment is kept."""
        return replace(self, following=True, shape=f"{self.shape} {self.moments}", texts={})

    def unfed(self) -> "Scene":
        """The same, for a part of a page that is drawn anew by its own clock."""
        return replace(self, fed=False, texts={})

    def curves(self) -> Picture:
        """Error against step."""

        def draw() -> Figure:
            seeds = [tuple(history.series() for history in each) for each in self.each]
            return errors(self.pairs, seeds=seeds, total=self.horizon, height=CHART_HEIGHT)

        return self._drawn("curves", draw)

    def maps(self, of: CellOf = "mean") -> Picture:
        """Gradient norm, layer × step; `of` the steps that one cell stands for."""
        each = max((CHART_HEIGHT - 68 - 30 * (len(self.pairs) - 1)) // len(self.pairs), 70)
        return self._drawn_first(f"maps {of}", lambda: norm_map(self.pairs, total=self.horizon, each=each, of=of))

    def lines(self, step: int | None) -> Picture:
        """Gradient norm layer by layer, at one step."""
        return self._drawn_first(f"lines {step}", lambda: norm_lines(self.pairs, step))

    def layer(self, name: str) -> Picture:
        """Gradient norm step by step, in one layer."""
        steps = self.horizon
        return self._drawn_first(f"layer {name}", lambda: layer_history(self.pairs, name, total=steps, height=300))

    def layer_of(self, selected: str | None) -> str:
        """The selected layer; of a selected block the first; the stem where nothing is selected."""
        if selected and not selected.startswith("block:"):
            return selected
        prefix = f"blocks.{selected.removeprefix('block:')}." if selected else "stem."
        names = (name for _, series in self.pairs for name in series.layers if name.startswith(prefix))
        return next(names, "stem.conv")

    @cached_property
    def standings(self) -> list[Standing]:
        """Each net over its seeds."""
        return [
            Standing.of(name, group, each, group.index(run), total)
            for run, name, group, each, total in zip(
                self.runs, self.names, self.groups, self.each, self.totals, strict=True
            )
        ]

    def numbers(self, step: int | None) -> Text:
        """What each run has reached, and what it is doing."""
        return self._told(f"numbers {step}", lambda: numbers(self.looks, self.standings, self.each, self.paces, step))

    def words(self, step: int | None, guess: str | None) -> Text:
        """What the curves say, at one step, to somebody who expected `guess`."""
        return self._told(
            f"words {step} {guess or ''}",
            lambda: as_html("\n\n".join(passages(self.standings, step, guess))),
        )

    def progress(self) -> Part:
        """For the slider: updates made so far, and the moments kept."""
        return packed({"newest": self.newest, "moments": self.moments[0]})

    def feed(self, part: str) -> Feed | None:
        """Where the browser gets a part as it changes, by a name that the live feed reads; None once nothing does."""
        return Feed(self._query, self.shape, part) if self.active and self.fed else None

    @cached_property
    def _query(self) -> str:
        return query([run.id for run in self.runs]) + self.following * "&following=1"

    def _drawn_first(self, what: str, draw: Callable[[], Figure]) -> Picture:
        """What is drawn of one seed of each net; where there are more, the caption says which."""
        if all(len(group) == 1 for group in self.groups):
            return self._drawn(what, draw)
        seeds = " and ".join(map(str, sorted({run.spec.seed for run in self.runs})))
        return self._drawn(what, lambda: replace(figure := draw(), caption=f"{figure.caption}; seed {seeds}"))

    def _drawn(self, what: str, draw: Callable[[], Figure]) -> Picture:
        with _drawing:
            if what not in self.drawings:
                figure = draw()
                _keep(self.drawings, what, (pack(figure), as_html(figure.caption)))
            chart, caption = self.drawings[what]
        return Picture(chart, self.feed(what), self._told(f"caption {what}", lambda: caption))

    def _told(self, what: str, tell: Callable[[], str]) -> Text:
        with _drawing:
            if what not in self.texts:
                html = tell()
                _keep(self.texts, what, Text(html, packed(html), self.feed(what)))
            return self.texts[what]


def _keep(made: dict[str, Any], name: str, value: Any) -> None:
    made[name] = value
    while len(made) > MOST_DRAWINGS:
        del made[next(iter(made))]


_looking, _drawing = threading.Lock(), threading.Lock()  # one session works, the others take what it made
_seen: dict[tuple[Path, *tuple[str, ...]], tuple[int, float, Scene]] = {}


def scene(ids: tuple[str, ...]) -> Scene:
    """These runs now; or at most FRESH_SECONDS ago, if no run's status has changed since.

    Raises KeyError if one of them is gone.
    """
    store = process.engine().store
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
    engine = process.engine()
    runs = tuple(engine.store.runs.get(run) for run in ids)
    groups = engine.store.group_of_each(runs)
    each = tuple(tuple(engine.store.events.history(run.id) for run in group) for group in groups)
    histories = tuple(own[group.index(run)] for run, group, own in zip(runs, groups, each, strict=True))
    versions = tuple(
        (run.id, run.attempt, run.step, history.last_epoch, len(history.cuts))
        for group, own in zip(groups, each, strict=True)
        for run, history in zip(group, own, strict=True)
    )
    data = [find(run.spec.data, engine.settings.store) for run in runs]
    pairs = tuple((run.spec, history.series()) for run, history in zip(runs, histories, strict=True))
    return Scene(
        runs=runs,
        groups=groups,
        looks=tuple(styles([run.spec for run in runs])),
        histories=histories,
        each=each,
        pairs=pairs,
        versions=versions,
        moments=tuple(tuple(engine.store.events.moments(run.id)) for run in runs),
        sizes=tuple(found.size if found else None for found in data),
        totals=tuple(
            run.total or (run.spec.length(found.train_images).steps if found else 0)
            for run, found in zip(runs, data, strict=True)
        ),
        paces=tuple(pace(group) for group in groups),
        shape=_shape(runs, groups, pairs),
        drawings=last.drawings if last and last.versions == versions else {},
    )


def _shape(
    runs: tuple[Run, ...], groups: tuple[tuple[Run, ...], ...], pairs: tuple[tuple[RunSpec, Series], ...]
) -> str:
    """Equal as long as a page of these runs has the same elements: all but what its feed brings."""
    engine = process.engine()
    each = [
        (
            run.id,
            run.status,
            run.attempt,
            run.message,
            run.pinned,
            len(series.layers),
            len(series.norm_steps) > 0,
            len(series.cuts),
            engine.runs.downloads.get(run.spec.data),
            [(other.id, other.active) for other in group],
        )
        for run, group, (_, series) in zip(runs, groups, pairs, strict=True)
    ]
    return blake2b(repr(each).encode(), digest_size=9).hexdigest()
