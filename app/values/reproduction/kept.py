"""Verdicts that were reached: with the runs, the machine and the versions; those of this project are bundled."""

import json
import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from app.base.settings import ASSETS
from app.values.evidence import Effect
from app.values.reproduction.card import Card
from app.values.reproduction.verdicts import Verdict, verdict

BUNDLED_VERDICTS = ASSETS / "reproduced.json"
PACKAGES = ("torch", "numpy")


class Reproduced(BaseModel):
    """One card's outcome. `low` and `high` are None where the interval has no end; `runs`: the specs, for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: str
    edition: str
    verdict: Verdict
    measured: float
    low: float | None
    high: float | None
    seeds: int
    runs: tuple[str, ...]
    machine: str
    versions: dict[str, str]
    date: str


def reached(card: Card, effect: Effect, seeds: int, machine: str, date: str) -> Reproduced:
    """The verdict on what was measured."""
    nets = card.nets or ("no run",)
    return Reproduced(
        card=card.name,
        edition=card.edition,
        verdict=verdict(effect, card.claimed),
        measured=effect.value,
        low=_finite(effect.low),
        high=_finite(effect.high),
        seeds=seeds,
        runs=tuple(f"{net}, {card.data}, {card.recipe}{f', {card.steps} steps' if card.steps else ''}" for net in nets),
        machine=machine,
        versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        date=date,
    )


def key(card: Card) -> str:
    """Under which a store keeps its own verdict on a card."""
    return f"reproduced-{card.name}-{card.edition}"


def current(card: Card, told: Reproduced | None) -> Reproduced | None:
    """The verdict, unless the card has come to ask for something else since."""
    return told if told is not None and told.edition == card.edition else None


@cache
def bundled(file: Path = BUNDLED_VERDICTS) -> Mapping[str, Reproduced]:
    """What this project itself measured, by card."""
    if not file.is_file():
        return {}
    return {one["card"]: Reproduced.model_validate(one) for one in json.loads(file.read_text("utf-8"))}


def bundle(outcome: Reproduced, file: Path = BUNDLED_VERDICTS) -> None:
    """Write a verdict among the bundled ones, in place of the card's old one."""
    bundled.cache_clear()
    told = {**bundled(file), outcome.card: outcome}
    rows = [told[name].model_dump(mode="json") for name in sorted(told)]
    file.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")
    bundled.cache_clear()


def _finite(end: float) -> float | None:
    return end if isfinite(end) else None


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"
