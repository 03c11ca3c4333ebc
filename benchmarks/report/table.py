"""The figures as a table: for the terminal (rich), and as Markdown in `benchmarks/README.md`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from benchmarks.cases import CASES, Case
from benchmarks.report import records
from benchmarks.report.figures import Device, Row
from benchmarks.report.records import Record

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- figures: written by the command -->", "<!-- end of figures -->"
HEADINGS = ("what", "figure", "reference", "ratio", "target", "quartiles", "times")
MARKS = {True: " ✓", False: " ✗", None: ""}


def rich_table(figures: Sequence[Record], cases: Mapping[str, Case], device: Device) -> Table:
    """What these cases have given; rows that could not be measured stay empty."""
    table = Table(*HEADINGS)
    for row in rows(cases, device):
        table.add_row(*cells(row, device, next((one for one in figures if one["name"] == row.name), None)))
    return table


def rows(cases: Mapping[str, Case], device: Device) -> Iterator[Row]:
    """Every row that is about that device."""
    yield from (row for case in cases.values() for row in case.rows if device in row.targets)


def cells(row: Row, device: Device, figure: Record | None) -> list[str]:
    """One line of the table, in the order of HEADINGS."""
    target = str(row.targets[device] or "")
    if figure is None:
        return [row.name, "", "", "", target, "", ""]
    reference = f"{number(figure['reference'])} ({row.reference})" if row.reference else ""
    ratio = "" if figure["ratio"] is None else f"{figure['ratio']:.3g}"
    quartiles = "–".join(number(value) for value in figure["spread"])
    shown = f"{number(figure['value'])} {row.unit}".strip()
    return [row.name, shown, reference, ratio, target + MARKS[figure["met"]], quartiles, str(figure["repetitions"])]


def number(value: float) -> str:
    """Three significant digits, all digits of what is larger."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.3g}"


def markdown(device: Device, folder: Path = records.RESULTS) -> str:
    """The newest figures of one device, where they are from, and the empty rows of what was not measured."""
    about, figures = records.latest(device, folder)
    lines = ["| " + " | ".join(HEADINGS) + " |", "| --- " * len(HEADINGS) + "|"]
    for row in rows(CASES, device):
        lines.append("| " + " | ".join(cells(row, device, figures.get(row.name))) + " |")
    if about is None:
        return "\n".join(["Not measured yet.", "", *lines])
    machine, versions = about["machine"], about["versions"]
    at = max(figure["at"] for figure in figures.values())
    told = f"{machine['gpu'] or machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB, {at}"
    return "\n".join([f"{told}; " + ", ".join(" ".join(pair) for pair in versions.items()) + ".", "", *lines])


def write_readme(path: Path = README, folder: Path = records.RESULTS) -> None:
    """Bring the README's tables up to date; the rest of it is written by hand."""
    text = path.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    tables = f"### On a CPU\n\n{markdown('cpu', folder)}\n\n### On a GPU\n\n{markdown('cuda', folder)}\n"
    path.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}")
