"""A card put to the test: which of its runs are there, what is asked of them, and what comes of the answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Self

from app.store.run import Run
from app.store.store import Store
from app.studies.reproduction.readings import OF_EVENTS, READINGS, likeness, middling_paths, of_the_average
from app.studies.shattered.questions import ShatteredQuestion
from app.values.evidence import Effect
from app.values.questions import Question
from app.values.reproduction.card import Card
from app.values.reproduction.verdicts import combined, exactly, over_seeds
from app.values.results import Result
from app.values.run_spec import RunSpec


@dataclass(frozen=True)
class Trial:
    """`runs`: for each of the card's specs, all nets of one seed before the next, the run that is it; None: missing."""

    card: Card
    seeds: int
    runs: tuple[Run | None, ...]

    @classmethod
    def of(cls, card: Card, runs: Sequence[Run], store: Store, seeds: int | None = None) -> Self:
        """The card over so many seeds (None: its own number), with those of `runs` that it can use."""
        seeds = seeds or card.seeds
        return cls(card, seeds, tuple(_found(spec, runs, store, card) for spec in card.specs(seeds)))

    @property
    def missing(self) -> list[RunSpec]:
        """What has to be trained first."""
        return [spec for spec, run in zip(self.card.specs(self.seeds), self.runs, strict=True) if run is None]

    @property
    def under_way(self) -> list[Run]:
        """Runs that wait or train."""
        return [run for run in self.runs if run is not None and run.active]

    @property
    def seconds(self) -> float:
        """About how long it takes from here."""
        return self.card.seconds(self.missing, self.seeds)

    def questions(self, store: Store) -> list[Question]:
        """What is asked, once no run is missing or under way: of every run that came to an end, in order."""
        if self.card.quantity == "likeness of neighbours":
            return [ShatteredQuestion(seed=seed) for seed in range(self.seeds)]
        reading = READINGS.get(self.card.quantity)
        if reading is None:
            return []
        moments = [(run.id, store.events.moments(run.id)) for run in self._whole()]
        return [reading.asks(run, kept[0 if reading.at_start else -1]) for run, kept in moments]

    def effect(self, store: Store, results: Sequence[Result]) -> Effect | None:
        """The card's number with its interval; None where no seed came to one. `results`: of `questions`, in order."""
        if self.card.quantity == "share of paths":
            return exactly(middling_paths())
        if self.card.quantity == "likeness of neighbours":
            return over_seeds([likeness(found) for found in results])
        if self.card.quantity == "error of the average":
            return of_the_average(results)
        return over_seeds(self._numbers(store, results))

    def _numbers(self, store: Store, results: Sequence[Result]) -> list[float]:
        """A number for each seed with which every net came to an end."""
        told = iter(results)
        each = {run.id: self._number(run, store, told) for run in self._whole()}
        wide = len(self.card.nets)
        rows = [self.runs[begin : begin + wide] for begin in range(0, len(self.runs), wide)]
        values = [[each.get(run.id, nan) if run else nan for run in row] for row in rows]
        return [combined(self.card.how, row, self.card.rows) for row in values if not any(map(isnan, row))]

    def _number(self, run: Run, store: Store, told: Iterator[Result]) -> float:
        if self.card.quantity in OF_EVENTS:
            found = OF_EVENTS[self.card.quantity](store.events.history(run.id), run.epoch_steps or 1)
            return nan if found is None else found
        return READINGS[self.card.quantity].number(next(told))

    def _whole(self) -> list[Run]:
        return [run for run in self.runs if run is not None and run.status == "finished"]


def _found(spec: RunSpec, runs: Sequence[Run], store: Store, card: Card) -> Run | None:
    """A run that was trained as `spec` says: the first that is over, else one under way. Diverged is over, too.

    Device, precision and threads are free, as is the recipe's name: they decide no claim.
    """
    wanted = _decides(spec)
    alike = [
        run
        for run in runs
        if _decides(run.spec) == wanted and run.origin != "imported" and not store.events.cuts(run.id)
    ]
    over = [run for run in alike if run.status == "diverged" or (run.status == "finished" and _kept(run, store, card))]
    return next(iter([*over, *(run for run in alike if run.active)]), None)


def _kept(run: Run, store: Store, card: Card) -> bool:
    """True where the weights are there that the card asks about, if its quantity is read from weights at all."""
    reading = READINGS.get(card.quantity)
    return reading is None or (0 if reading.at_start else run.step) in store.events.moments(run.id)


def _decides(spec: RunSpec) -> tuple[object, ...]:
    recipe = spec.recipe.model_copy(update={"name": "own", "epochs": 1 if spec.recipe.steps else spec.recipe.epochs})
    return spec.net, spec.data, recipe, spec.seed, spec.images, spec.normalize
