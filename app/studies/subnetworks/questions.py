"""What is asked about sub-networks, and what comes back."""

from typing import ClassVar, Literal

from pydantic import Field

from app.values.arrays import Bools, Floats, Ints
from app.values.questions import Images, Lane, Question
from app.values.results import Result, result


@result
class SubNetworks:
    """Errors (percent) of the nets that remain when sets of blocks are cut: of M sub-networks, n blocks.

    `exhaustive`: all subsets of the blocks that can be cut are there; else they were drawn, equally many of each size.
    S sizes, that is numbers of blocks kept; `low` and `high` bound the mean at 95% where they were drawn, and are the
    mean itself where all are there. `best` and `worst` are places among the M.
    """

    images: int
    exhaustive: bool
    kept: Bools  # M × n
    errors: Floats  # M
    sizes: Ints  # S
    counts: tuple[str, ...]  # S, number of sub-networks of that size there are
    means: Floats  # S
    low: Floats  # S
    high: Floats  # S
    best: Ints  # S
    worst: Ints  # S


class SubNetworksQuestion(Question):
    """The errors of sub-networks: all of them where there are few blocks, else so many of each size."""

    returns: ClassVar[type[Result]] = SubNetworks
    kind: Literal["sub-networks"] = "sub-networks"
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Lane] = "study"
