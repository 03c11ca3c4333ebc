"""A card: one claim of one source, how it is measured here, and what counts as reproduced, stated beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from app.values.datasets import BUNDLED, DATASETS
from app.values.reproduction.verdicts import Claimed, Combination
from app.values.run_spec import RECIPES, Recipe, RunSpec
from models.plan import plan
from models.spec import NetSpec

Quantity = Literal[
    "training error",
    "test error",
    "seconds a step",
    "price of one block",
    "rise with the blocks removed",
    "rise with the disorder",
    "spread of the responses",
    "mean length of path",
    "gradient's growth a block",
    "growth of the variance a block",
    "likeness of neighbours",
    "share of paths",
    "error of the average",
    "nothing",
]

SECONDS_A_MAC = 8e-11  # a multiply-add of training, forward and backward, on one thread of an AMD EPYC
RUNS_AT_ONCE = 2
SEEDS = 5


@dataclass(frozen=True)
class Card:
    """`nets`: as the address writes them, in the order in which `how` takes them; `rows`: the paper's numbers of them.

    `steps`: of the quick recipe's, so many alone. `asking`: seconds that the measurement takes for each run, once the
    runs are there. `why_not`: why it cannot be measured by this program; `hours` is then what it would take.
    """

    name: str
    claim: str
    source: str
    paper: str
    quantity: Quantity
    claimed: Claimed
    nets: tuple[str, ...] = ()
    how: Combination = "difference"
    unit: str = "points"
    digits: int = 1
    rows: tuple[float, ...] = ()
    data: str = BUNDLED
    recipe: str = "quick"
    steps: int | None = None
    asking: float = 0.0
    seeds: int = SEEDS
    here: str = ""  # what is smaller here than in the paper
    why_not: str = ""
    hours: float = 0.0

    @property
    def tolerance(self) -> str:
        """When it counts as reproduced: where the interval has to lie."""
        return f"the whole interval lies {self.claimed.words} {self.unit}"

    @property
    def measured(self) -> str:
        """What the number is, in words: `training error of plain-56 minus that of plain-20`."""
        names = [net.partition(":")[0] for net in self.nets]
        match self.how:
            case "difference" if names:
                return f"{self.quantity} of {names[0]} minus that of {names[1]}"
            case "ratio":
                return f"{self.quantity} of {names[0]}, divided by that of {names[1]}"
            case "interaction":
                return f"{self.quantity}: {names[1]} minus {names[0]}, less what {names[3]} has over {names[2]}"
            case "ranks":
                return f"{self.quantity} of {len(names)} nets against the paper's: rank correlation"
        return f"{self.quantity} of {names[0]}" if names else self.quantity

    def specs(self, seeds: int) -> list[RunSpec]:
        """The runs that it needs, all nets of one seed before the next."""
        data, recipe = DATASETS[self.data], RECIPES[self.recipe]
        if self.steps:
            recipe = Recipe.model_validate({**recipe.model_dump(), "steps": self.steps, "name": "own"})
        nets = [NetSpec.parse(net).fitted(data.channels, data.classes) for net in self.nets]
        return [RunSpec(net=net, data=self.data, recipe=recipe, seed=seed) for seed in range(seeds) for net in nets]

    def seconds(self, missing: Sequence[RunSpec], seeds: int) -> float:
        """About how long it takes here: the runs that are missing, two at once, then the measurement."""
        asking = self.asking * seeds * max(1, len(self.nets))
        return self.hours * 3600 + sum(map(training_seconds, missing)) / RUNS_AT_ONCE + asking

    @property
    def edition(self) -> str:
        """Another one when the card asks for something else: an old verdict is then none of its own."""
        asked = (self.quantity, self.claimed, self.nets, self.how, self.rows, self.data, self.recipe, self.steps)
        return blake2b(repr(asked).encode(), digest_size=6).hexdigest()


def training_seconds(spec: RunSpec) -> float:
    """About what one run takes on one thread."""
    data = DATASETS[spec.data]
    images = spec.length(data.train_images).steps * spec.recipe.batch
    return 1.0 + plan(spec.net, data.size).macs * images * SECONDS_A_MAC
