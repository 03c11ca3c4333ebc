"""Runs that differ in their seed alone, as one thing: what a list shows of them, and what one may do with them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import get_args

from app.store.run import Run, Status

ORDER = get_args(Status)


@dataclass(frozen=True)
class RunGroup:
    """Runs of one spec, by seed; at least one."""

    runs: tuple[Run, ...]

    @property
    def first(self) -> Run:
        """The one that stands for all: of those that have weights, or else of all, the one with the smallest seed.

        It is what an address names, and most pages ask something of weights.
        """
        return next((run for run in self.runs if run.has_weights), self.runs[0])

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its runs, by seed."""
        return tuple(run.id for run in self.runs)

    @property
    def finished(self) -> tuple[Run, ...]:
        """The runs whose errors a mean is taken over."""
        return tuple(run for run in self.runs if run.status == "finished")

    @property
    def status(self) -> str:
        """The one that all are in, or how many are in which: `4 finished, 1 diverged`."""
        counts = Counter(run.status for run in self.runs)
        if len(counts) == 1:
            return self.runs[0].status
        return ", ".join(f"{counts[status]} {status}" for status in ORDER if counts[status])

    @property
    def progress(self) -> float:
        """Mean share of their steps that its runs have made, 0…1."""
        return fmean(run.step / run.total if run.total else float(run.status == "finished") for run in self.runs)

    @property
    def seeds(self) -> str:
        """Its seeds for people: `0–4`, `0, 3`."""
        return seeds_in_words([run.spec.seed for run in self.runs])

    def mean(self, error: Callable[[Run], float | None]) -> float | None:
        """Mean of `error` over the runs that are finished; of the farthest while none is. None: not measured."""
        runs = self.finished or sorted(self.runs, key=lambda run: -run.step)[:1]
        known = [value for run in runs if (value := error(run)) is not None]
        return fmean(known) if known else None


def grouped(runs: Sequence[Run], alone: Callable[[Run], bool]) -> list[RunGroup]:
    """`runs`, newest first, as groups, each where its first run stood, and every run in one group alone.

    `alone`: whether a run was changed while it trained. Failed, cancelled and imported runs are alone, too. Where a
    seed was trained twice, the newest of each seed are one group, the second newest another.
    """
    places: dict[object, list[Run]] = {}
    times: Counter[tuple[str, str, str, int]] = Counter()
    alike = Counter(run.kin for run in runs)
    for run in runs:
        if run.stands_alone or (alike[run.kin] > 1 and alone(run)):
            places[run.id] = [run]
            continue
        seed = (*run.kin, run.spec.seed)
        places.setdefault((run.kin, times[seed]), []).append(run)
        times[seed] += 1
    return [RunGroup(tuple(sorted(group, key=lambda run: run.spec.seed))) for group in places.values()]


def seeds_in_words(seeds: Iterable[int]) -> str:
    """Three or more in a row as a range: `0–4`, `0, 3`, `0, 1, 5–7`."""
    rows: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if rows and rows[-1][-1] + 1 == seed:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    return ", ".join(f"{row[0]}–{row[-1]}" if len(row) > 2 else ", ".join(map(str, row)) for row in rows)
