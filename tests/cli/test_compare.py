"""`compare`: two nets over the seeds that both were trained with, as SciPy has it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from app.base.settings import ASSETS
from app.store.store import Store
from app.values.evidence import CONFIDENCE

Printed = Callable[..., Any]
EPOCH = 78


def errors(folder: Path, net: str) -> list[float]:
    """Mean error of the batches of the last epoch, of each bundled seed, from the events themselves."""
    store = Store(folder, ASSETS / "reference")
    store.adopt_references()
    runs = [f"reference-{net}", *(f"reference-{net}-seed-{seed}" for seed in range(1, 5))]
    return [sum(step.error for step in store.events.steps(run, 312 - EPOCH, EPOCH)) / EPOCH for run in runs]


@pytest.mark.parametrize(("first", "second"), [("plain-56", "plain-20"), ("preact-56", "preact-20")])
def test_two_groups_are_paired_by_seed(printed: Printed, tmp_path: Path, first: str, second: str) -> None:
    figures = printed("compare", f"reference-{first}", f"reference-{second}")
    sides = errors(tmp_path / "witness", first), errors(tmp_path / "witness", second)
    interval = stats.ttest_rel(*sides).confidence_interval(CONFIDENCE)
    difference = sum(a - b for a, b in zip(*sides, strict=True)) / 5
    assert figures == {
        "difference": pytest.approx(difference),
        "low": pytest.approx(interval.low),
        "high": pytest.approx(interval.high),
        "seeds": 5,
    }


def test_any_seed_stands_for_its_group(printed: Printed) -> None:
    assert printed("compare", "reference-plain-56-seed-3", "reference-preact-56") == printed(
        "compare", "reference-plain-56", "reference-preact-56-seed-1"
    )


def test_of_one_seed_there_is_no_interval(printed: Printed) -> None:
    figures = printed("compare", "reference-cifar-10-plain-56", "reference-cifar-10-plain-20")
    assert figures["seeds"] == 1
    assert figures["low"] is figures["high"] is None
    assert figures["difference"] > 10
