"""Figures on disk: one JSON file a day and machine under `results/`, and the newest of each from all of them.

A case that is measured again on the same day takes the place of its earlier figures; the others stay.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.report.figures import Device, Figure
from benchmarks.report.machine import slug

RESULTS = Path(__file__).parents[1] / "results"

Record = dict[str, Any]


def record(case: str, figure: Figure, device: Device) -> Record:
    """A figure as JSON holds it."""
    target = figure.row.targets.get(device)
    return {
        "case": case,
        "name": figure.row.name,
        "unit": figure.row.unit,
        "value": rounded(figure.value),
        "reference": rounded(figure.reference),
        "reference_name": figure.row.reference,
        "ratio": rounded(figure.ratio),
        "spread": [rounded(value) for value in figure.spread or ()],
        "repetitions": figure.repetitions,
        "target": None if target is None else str(target),
        "met": figure.met(device),
        "note": figure.note,
    }


def rounded(value: float | None) -> float | None:
    """Six significant digits: more than any clock is worth."""
    return None if value is None else float(f"{value:.6g}")


def write(
    figures: Sequence[Record],
    device: Device,
    machine: Record,
    versions: Record,
    load: float,
    now: datetime,
    folder: Path = RESULTS,
) -> Path:
    """Write today's file for this machine, or bring it up to date. Returns its path."""
    name = machine["gpu"] if device == "cuda" else machine["cpu"]
    path = folder / f"{now:%Y-%m-%d}-{slug(name)}.json"
    told = {"device": device, "machine": machine, "versions": versions}
    before = json.loads(path.read_text()) if path.exists() else {}
    kept: list[Record] = []
    if all(before.get(key) == value for key, value in told.items()):
        measured = {figure["case"] for figure in figures}
        kept = [figure for figure in before["figures"] if figure["case"] not in measured]
    stamped = [{**figure, "at": f"{now:%Y-%m-%d %H:%M}", "load_before": load} for figure in figures]
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**told, "figures": kept + stamped}, indent=2, ensure_ascii=False) + "\n")
    return path


def latest(device: Device, folder: Path = RESULTS) -> tuple[Record | None, dict[str, Record]]:
    """The newest file's machine and versions for that device, and the newest figure of each name."""
    about: Record | None = None
    figures: dict[str, Record] = {}
    files = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    for file in (file for file in files if file["device"] == device):
        about = file
        for figure in file["figures"]:
            if figure["name"] not in figures or figures[figure["name"]]["at"] <= figure["at"]:
                figures[figure["name"]] = figure
    return about, figures
