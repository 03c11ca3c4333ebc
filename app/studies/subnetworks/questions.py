"""What is asked about sub-networks, and what comes back."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from app.values.arrays import Bools, Floats, Ints
from app.values.questions import Lane, Question
from app.values.results import Result, result


@result
class SubNetworks:
    """Errors (percent) of the nets that remain when sets of blocks are cut: of M sub-networks, n blocks.

    The images are halved: `chosen_errors` are on every other one from the first, and by them `best` and `worst` are
    chosen; `errors`, and all else, are on the `images` between. The best of many is best by luck too, on the images
    that chose it.
    `exhaustive`: all subsets of the blocks that can be cut are there; else they were drawn, equally many of each size.
    S sizes, that is numbers of blocks kept; `low` and `high` bound the mean at 95% where they were drawn, and are the
    mean itself where all are there. `best` and `worst` are places among the M. `gained` and `lost`: of `images`, those
    that a sub-network takes rightly and the whole net wrongly, and the other way round.
    """

    images: int
    exhaustive: bool
    kept: Bools  # M × n
    errors: Floats  # M
    chosen_errors: Floats  # M
    gained: Ints  # M
    lost: Ints  # M
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
    edition: ClassVar[int] = 2  # 1 chose best and worst on the images on which it reported them
    images: Annotated[int, Field(ge=2, le=20_000)] = 1000  # both halves
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Lane] = "study"
