"""The runs of a class as points, and which of them may be joined: those that were trained alike."""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from app.figures.theme import styles
from app.values.datasets import NAMED
from app.values.run_spec import Recipe, RunSpec, net_address, setting_words
from models.plan import plan
from models.spec import NetSpec

State = Literal["ended", "under way", "diverged", "cut"]

Seeds = Mapping[int, float]  # error in percent by seed


@dataclass(frozen=True)
class Point:
    """One run: what was wanted of it, its error in percent, and what became of it.

    `cut`: blocks were cut while it trained, so that it is no longer like the others.
    """

    name: str
    spec: RunSpec
    error: float
    state: State

    @property
    def depth(self) -> int:
        """Weighted layers."""
        return plan(self.spec.net).depth


@dataclass(frozen=True)
class Line:
    """Nets that are the same in all but depth, from the shallowest on. `name`: the family, and what else tells it."""

    name: str
    colour: str
    dash: str
    points: tuple[Point, ...]

    @property
    def ended(self) -> list[tuple[int, NetSpec, Seeds]]:
        """(depth, net, errors by seed) where runs went to their end.

        Two of one net and seed are the same run, whoever started them: they count once, by their mean.
        """
        found: dict[tuple[int, NetSpec], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for point in self.points:
            if point.state == "ended":
                found[point.depth, point.spec.net][point.spec.seed].append(point.error)
        return [
            (depth, net, {seed: fmean(errors) for seed, errors in sorted(seeds.items())})
            for (depth, net), seeds in found.items()
        ]


def lines(points: Sequence[Point]) -> list[Line]:
    """One line for each family, or more where nets of one differ in a setting; plain ones first."""
    found: dict[NetSpec, list[Point]] = defaultdict(list)
    for point in sorted(points, key=lambda point: (point.spec.net.family != "plain", str(point.spec.net), point.depth)):
        found[point.spec.net.model_copy(update={"depth": 0})].append(point)
    own = [sorted(points, key=lambda point: point.depth) for points in found.values()]
    firsts = [points[0].spec for points in own]
    settings = [net_address(spec.net).split(":")[1:] for spec in firsts]
    shared = set.intersection(*map(set, settings)) if settings else set()
    return [
        Line(
            " · ".join([_family(spec.net), *(setting_words(one) for one in apart if one not in shared)]),
            style.colour,
            style.dash,
            tuple(points),
        )
        for spec, apart, style, points in zip(firsts, settings, styles(firsts), own, strict=True)
    ]


def _family(net: NetSpec) -> str:
    """The net's name without its depth: `resnet`, `wide-10`."""
    return net.name.replace(f"-{net.depth}", "", 1)


def trained_alike(spec: RunSpec) -> Hashable:
    """Equal for runs on the same images by the same recipe, in nets of one width."""
    return spec.data, spec.recipe, spec.images, spec.normalize, spec.net.width


def title(spec: RunSpec, data: str | None = None) -> str:
    """What runs that were trained alike share: `Fashion-MNIST, 10,000 · quick · width 8`. `data`: its title."""
    shown = data or (NAMED[spec.data].title if spec.data in NAMED else "data that are gone")
    images = [f"{spec.images:,} images"] if spec.images else []
    return " · ".join([shown, *images, recipe_words(spec.recipe), f"width {spec.net.width}"])


def recipe_words(recipe: Recipe) -> str:
    """Its name; of one's own, what most decides how far a net comes."""
    if recipe.name != "own":
        return recipe.name
    length = f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.epochs} epochs"
    return f"{length} of {recipe.batch} at {recipe.lr:g}"
