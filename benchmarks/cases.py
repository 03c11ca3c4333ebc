"""What is measured, in the order in which it is: first what trains in this process, then what needs a server."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.nets import clicks, gap, gradients, measuring, papers_error, paths, seeds, training
from benchmarks.report.figures import Device, Figure, Row, Say
from benchmarks.served import features, first_point, floods, lesions, opening, server_process, watching


@dataclass(frozen=True)
class Case:
    """The rows that a case fills, and how."""

    rows: tuple[Row, ...]
    measure: Callable[[Device, Say], list[Figure]]

    def for_device(self, device: Device) -> bool:
        """True if any of its rows is about that device."""
        return any(device in row.targets for row in self.rows)


CASES: dict[str, Case] = {
    "training": Case(training.ROWS, training.measure),
    "measuring": Case(measuring.ROWS, measuring.measure),
    "paths": Case(paths.ROWS, paths.measure),
    "gradients": Case(gradients.ROWS, gradients.measure),
    "gap": Case(gap.ROWS, gap.measure),
    "seeds": Case(seeds.ROWS, seeds.measure),
    "clicks": Case(clicks.ROWS, clicks.measure),
    "papers_error": Case(papers_error.ROWS, papers_error.measure),
    "lesions": Case(lesions.ROWS, lesions.measure),
    "first_point": Case(first_point.ROWS, first_point.measure),
    "opening": Case(opening.ROWS, opening.measure),
    "features": Case(features.ROWS, features.measure),
    "watching": Case(watching.ROWS, watching.measure),
    "server": Case(server_process.ROWS, server_process.measure),
    "floods": Case(floods.ROWS, floods.measure),
}
