"""What the errors of sub-networks say, in words computed from them."""

import numpy as np

from app.base.prose import prose
from app.figures.numbers import branch
from app.studies.paths.words import ordinal
from app.studies.subnetworks.questions import SubNetworks
from app.values.comparing import comparison
from app.values.evidence import Effect, paired_over_images


def subnet_words(result: SubNetworks, off: frozenset[int]) -> list[str]:
    """The whole net, one block less, half of them; and the sub-network that is chosen, if it is among them."""
    page = prose("paths")
    whole = int(result.best[-1])
    sentences = [page["subnets-words"].format(whole=float(result.errors[whole]), images=result.images)]
    if len(result.sizes) > 1:
        told = [(name, at) for at in (-2, len(result.sizes) // 2) for name in ("best", "worst")]
        places = {int(getattr(result, name)[at]): name for name, at in told}
        sentences += [_against_whole(result, place, name) for place, name in places.items() if place != whole]
        sentences.append(page["subnets-halves"].format(images=result.images))
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


def against_whole(result: SubNetworks, place: int) -> Effect:
    """Its error minus the whole net's, in points, over the images that did not choose it."""
    lost, gained = int(result.lost[place]), int(result.gained[place])
    images = np.arange(result.images)
    return paired_over_images(images < lost, images >= result.images - gained, np.random.default_rng(0))


def _against_whole(result: SubNetworks, place: int, extreme: str) -> str:
    kept = int(result.kept[place].sum())
    among = int((result.kept.sum(1) == kept).sum())
    name = prose("paths")["subnets-extreme" if among > 1 else "subnets-only"]
    name = name.format(extreme=extreme, kept=kept, among=among)
    return comparison(name, "the whole net", against_whole(result, place), "test error", over="images")


def chosen_row(result: SubNetworks, off: frozenset[int]) -> int | None:
    """The place of the sub-network without these blocks; None where it was not evaluated."""
    wanted = np.array([i not in off for i in range(result.kept.shape[1])])
    places = np.flatnonzero((result.kept == wanted).all(1))
    return int(places[0]) if len(places) else None
