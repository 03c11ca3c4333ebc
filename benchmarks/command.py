"""The command: run cases, say how they get on, print the table, write today's file and the README's tables."""

import sys
import time
import traceback
from datetime import datetime
from typing import Annotated, Literal

import typer
from rich.console import Console

from benchmarks.cases import CASES
from benchmarks.report import machine, records, table
from benchmarks.report.figures import CannotMeasureError, Device

BUSY = 0.5  # processes that wanted a core in the last minute: with more than that, figures are not to be trusted

console = Console()


def bench(
    case: Annotated[list[str] | None, typer.Argument(help=", ".join(CASES), metavar="[CASE]…")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="where nets train")] = "cpu",
) -> None:
    """Measure every case, or some, each beside its reference; figures go to benchmarks/results and its README."""
    wanted = case or [name for name, one in CASES.items() if one.for_device(device)]
    if unknown := [name for name in wanted if name not in CASES]:
        console.print(f"no case {', '.join(unknown)}: there are {', '.join(CASES)}", style="red")
        sys.exit(2)
    if device == "cuda" and not _has_cuda():
        console.print("no GPU here: its rows stay empty", style="red")
        sys.exit(2)
    load = machine.load()
    if load > BUSY:
        console.print(f"{load} processes have wanted a core in the last minute: figures will suffer", style="yellow")
    about, versions = machine.machine(device), machine.versions()
    figures: list[records.Record] = []
    failed = False
    for name in wanted:
        measured = _measure(name, device)
        if measured:  # written at once: a long run that is broken off keeps what it has
            path = records.write(measured, device, about, versions, load, datetime.now())
            table.write_readme()
            figures += measured
        failed |= measured is None
    console.print(table.rich_table(figures, {name: CASES[name] for name in wanted}, device))
    if figures:
        console.print(f"written: {path.relative_to(path.parents[2])}, benchmarks/README.md")
    sys.exit(failed)


def _measure(name: str, device: Device) -> list[records.Record] | None:
    """The figures of a case: none where something is missing for it, None where it failed."""
    begun = time.monotonic()
    console.print(f"[bold]{name}[/]")
    try:
        figures = CASES[name].measure(device, lambda text: console.print(f"  {text}", highlight=False))
    except CannotMeasureError as missing:
        console.print(f"  not measured: {missing}", style="yellow")
        return []
    except Exception:  # the other cases are measured all the same
        traceback.print_exc()
        return None
    console.print(f"  {time.monotonic() - begun:.0f} s", style="dim")
    return [records.record(name, figure, device) for figure in figures]


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def main() -> None:
    """Run the command line."""
    typer.run(bench)
