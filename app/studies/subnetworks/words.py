"""What the errors of sub-networks say, in words computed from them."""

import numpy as np

from app.base.prose import prose
from app.figures.numbers import branch
from app.studies.paths.words import ordinal
from app.studies.subnetworks.questions import SubNetworks


def subnet_words(result: SubNetworks, off: frozenset[int]) -> list[str]:
    """The whole net, one block less, half of them; and the sub-network that is chosen, if it is among them."""
    page = prose("paths")
    whole = float(result.errors[result.best[-1]])
    half = len(result.sizes) // 2
    sentences = []
    if len(result.sizes) > 1:
        sentences.append(
            page["subnets-words"].format(
                whole=whole,
                one_best=float(result.errors[result.best[-2]]) - whole,
                one_worst=float(result.errors[result.worst[-2]]) - whole,
                half_best=float(result.errors[result.best[half]]),
                half_worst=float(result.errors[result.worst[half]]),
            )
        )
    place = chosen_row(result, off) if off else None
    if place is not None:
        same = result.errors[result.kept.sum(1) == result.kept[place].sum()]
        rank = int((same < result.errors[place]).sum()) + 1
        sentences.append(
            page["subnets-off"].format(
                off=", ".join(branch(i) for i in sorted(off)),
                error=float(result.errors[place]),
                rank=ordinal(rank),
                count=len(same),
                kept=int(result.kept[place].sum()),
            )
        )
    return sentences


def chosen_row(result: SubNetworks, off: frozenset[int]) -> int | None:
    """The place of the sub-network without these blocks; None where it was not evaluated."""
    wanted = np.array([i not in off for i in range(result.kept.shape[1])])
    places = np.flatnonzero((result.kept == wanted).all(1))
    return int(places[0]) if len(places) else None
