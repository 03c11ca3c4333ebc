"""Who asks something of the engine, whichever way they came in."""

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["visitor", "teacher", "machine"]


@dataclass(frozen=True)
class Visitor:
    """Who asks. `owner`: as their runs are marked, a hash of a browser's key or of a person; the machine's is empty.
    `address`: where they come from, by which they share the queue; empty: unknown. It is not kept.

    Raises ValueError for anybody else without one: the runs of the command line have none, either.
    """

    owner: str
    role: Role = "visitor"
    address: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if bool(self.owner) == (self.role == "machine"):
            raise ValueError("a visitor is known by an owner, and the machine by none")

    @property
    def keeps_order(self) -> bool:
        """True for who looks after everybody's runs."""
        return self.role != "visitor"


MACHINE = Visitor("", "machine")  # the command line: whoever has it owns the files, too
