"""How the nets of a race stand, each over the seeds that it was trained with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from app.store.history import History
from app.store.run import Run
from app.values.arrays import Floats
from app.values.evidence import Effect, paired
from app.values.run_spec import RunSpec


@dataclass(frozen=True)
class Trained:
    """A net's run with one seed: steps made, whether it is over, and the training error, in percent, at a step.

    The error is a mean over the window of steps that ends there; at None, at the newest.
    """

    seed: int
    steps: int
    over: bool
    error_at: Callable[[int | None], float | None]
    diverged: bool = False

    @classmethod
    def of(cls, run: Run, history: History) -> Self:
        """As the store knows it."""
        over = not run.active and run.status != "paused"
        return cls(
            run.spec.seed, history.next_step, over, lambda step: history.train_error(at=step), run.status == "diverged"
        )


@dataclass(frozen=True)
class Standing:
    """How one net stands. `window`: steps that an error is a mean over; `asked`: steps that it shall make."""

    name: str
    spec: RunSpec
    each: tuple[Trained, ...]
    window: int
    asked: int
    norms_at: Callable[[int], Floats | None]  # of the first seed
    evaluated: bool = True  # once an epoch of it is over

    @classmethod
    def of(
        cls, name: str, runs: Sequence[Run], histories: Sequence[History], place: int = 0, asked: int | None = None
    ) -> Self:
        """A net's runs, by seed, as the store knows them.

        `place`: of the one that stands for all. `asked`: steps that it shall make, where the run does not know it yet.
        """
        run, first = runs[place], histories[place]
        return cls(
            name,
            run.spec,
            tuple(map(Trained.of, runs, histories)),
            first.window,
            run.total if asked is None else asked,
            first.norms_at,
            first.last_epoch >= 0,
        )

    @property
    def whole(self) -> tuple[Trained, ...]:
        """Its runs whose numbers stayed finite."""
        return tuple(run for run in self.each if not run.diverged)

    def error(self, step: int | None) -> float | None:
        """Mean training error over the seeds that are over or, at a step, got there; of the farthest while none is."""
        runs = _there(self.whole, step) or sorted(self.whole, key=lambda run: -run.steps)[:1]
        errors = [error for run in runs if (error := run.error_at(step)) is not None]
        return sum(errors) / len(errors) if errors else None


@dataclass(frozen=True)
class Comparison:
    """What tells two nets apart: first minus second, in points of training error.

    `step`: the moment at which both are compared; None: each at its end.
    """

    effect: Effect
    step: int | None


def compare(first: Standing, second: Standing, step: int | None) -> Comparison | None:
    """The paired difference over the seeds that both were trained with; None where they have none in common.

    At None: each at its end, over the seeds that are over with both. While there are none, the seed that is farthest
    with both, at the last step that both have made.
    """
    others = {run.seed: run for run in second.whole}
    pairs = [(run, others[run.seed]) for run in first.whole if run.seed in others]
    begun = [pair for pair in pairs if min(run.steps for run in pair)]
    if not begun:
        return None
    there = [pair for pair in begun if len(_there(pair, step)) == 2]
    if not there:
        farthest = max(begun, key=lambda pair: min(run.steps for run in pair))
        there, step = [farthest], min(run.steps for run in farthest) - 1
    sides = [[error for run in side if (error := run.error_at(step)) is not None] for side in zip(*there, strict=True)]
    return Comparison(paired(*sides), step)


def _there(runs: Sequence[Trained], step: int | None) -> list[Trained]:
    return [run for run in runs if (run.over if step is None else run.steps > step)]
