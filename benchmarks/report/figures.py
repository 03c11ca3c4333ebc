"""One measured figure beside its reference, and how repetitions of both become one line of the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Literal

Device = Literal["cpu", "cuda"]
Say = Callable[[str], None]


class CannotMeasureError(RuntimeError):
    """Something is missing on this machine; the message says what."""


@dataclass(frozen=True)
class Target:
    """What must be reached: by the ratio where there is a reference, else by the figure itself."""

    sense: Literal["≥", "≤"]
    bound: float

    def met(self, value: float) -> bool:
        """True if `value` is on the right side."""
        return value >= self.bound if self.sense == "≥" else value <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


def at_least(bound: float) -> Target:
    """The more the better."""
    return Target("≥", bound)


def at_most(bound: float) -> Target:
    """The less the better."""
    return Target("≤", bound)


@dataclass(frozen=True)
class Row:
    """A line of the table before it is measured: what, in which unit, against what, and the target of each device."""

    name: str
    unit: str
    targets: Mapping[Device, Target | None] = field(default_factory=dict)
    reference: str = ""

    def alone(self, values: Sequence[float], note: str = "") -> "Figure":
        """A figure that needs no reference: the median."""
        return Figure(self, median(values), spread=quartiles(values), repetitions=len(values), note=note)

    def beside(self, values: Sequence[float], references: Sequence[float], note: str = "") -> "Figure":
        """A figure and its reference, measured in pairs: medians of both, and of the pairs' ratios."""
        ratios = [value / reference for value, reference in zip(values, references, strict=True)]
        medians = median(values), median(references), median(ratios)
        return Figure(self, *medians, spread=quartiles(ratios), repetitions=len(ratios), note=note)


@dataclass(frozen=True)
class Figure:
    """A line of the table, measured: medians over the repetitions.

    `ratio`: value ÷ reference. `spread`: first and third quartile of what the target judges.
    """

    row: Row
    value: float | None = None
    reference: float | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    repetitions: int = 0
    note: str = ""

    @property
    def judged(self) -> float | None:
        """What the target is about."""
        return self.ratio if self.row.reference else self.value

    def met(self, device: Device) -> bool | None:
        """Whether the target is reached; None without a target or a figure."""
        target = self.row.targets.get(device)
        return None if target is None or self.judged is None else target.met(self.judged)


def quartiles(values: Sequence[float]) -> tuple[float, float]:
    """First and third quartile; of a single value, itself twice."""
    if len(values) == 1:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def p95(values: Sequence[float]) -> float:
    """Below which 95 of 100 lie; of two values at least."""
    return quantiles(values, n=20, method="inclusive")[-1]


def interleaved(contestants: Mapping[str, Callable[[], float]], repetitions: int) -> dict[str, list[float]]:
    """Measure every contestant once a repetition, in an order that turns round each time: drift favours none."""
    measured: dict[str, list[float]] = {name: [] for name in contestants}
    for nth in range(repetitions):
        for name in list(contestants)[:: -1 if nth % 2 else 1]:
            measured[name].append(contestants[name]())
    return measured
