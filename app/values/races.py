"""The races of the sources: which nets, and what the source found. Trained small and for a minute here.

A figure in `found` is the source's own, at its own depth, data and length: the race asks whether its sign shows here.
"""

from dataclasses import dataclass, field
from typing import Any

from app.values.datasets import BUNDLED, DATASETS
from app.values.run_spec import RECIPES, Recipe, RunSpec
from models.spec import NetSpec

WARM = {"warmup_steps": 78, "name": "warmed-up"}  # an epoch of the bundled images at 0.01
FIGURE_6 = "He et al. (figure 6, a rate of 0.1 from the first step)"
WIDTH = 8  # of the CIFAR-form nets: a minute on two cores


@dataclass(frozen=True)
class Contestant:
    """A net, and what its recipe has that the quick one has not."""

    net: str
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Race:
    """One comparison of a source: its question, its contestants, what was found and where that stands.

    `lower`: places of contestants, of which the source has the first below the second in error; `claimed_by`: who
    does, where it is another one: a control changes what the source of the claim had. `remark`: what was tried here,
    where this program's own recipe is known to go another way.
    """

    question: str
    contestants: tuple[Contestant, ...]
    found: str
    source: str
    lower: tuple[tuple[int, int], ...] = ()
    claimed_by: str = ""
    remark: str = ""

    def specs(self, seed: int = 0) -> list[RunSpec]:
        """The runs, on the bundled images."""
        return [_spec(contestant, seed) for contestant in self.contestants]


def _race(
    question: str,
    *contestants: str | Contestant,
    found: str,
    source: str,
    lower: tuple[tuple[int, int], ...] = (),
    claimed_by: str = "",
    remark: str = "",
) -> Race:
    made = tuple(
        contestant if isinstance(contestant, Contestant) else Contestant(contestant) for contestant in contestants
    )
    return Race(question, made, found, source, lower, claimed_by, remark)


RACES: dict[str, Race] = {
    "depth": _race(
        "Does depth help? 20 against 56 layers, without and with shortcuts",
        "plain-20",
        "plain-56",
        "resnet-20",
        "resnet-56",
        found="The plain net of 56 layers has the higher training error, and the higher test error, of the plain two. "
        "With shortcuts it is the other way round: 8.75 % test error at 20 layers, 6.97 % at 56.",
        source="He et al. 2015, section 4.2, figure 6 and table 6",
        lower=((0, 1), (3, 2)),
        remark="The quick recipe begins at 0.1, which is much for 56 layers: *Was it the rate?* warms them up.",
    ),
    "warm-up": _race(
        "Was it the rate? The same four nets, warmed up",
        *(Contestant(net, WARM) for net in ("plain-20", "plain-56", "resnet-20", "resnet-56")),
        found="At 110 layers a rate of 0.1 is slightly too large to start converging; an epoch at 0.01 before it, and "
        "the net reaches good accuracy.",
        source="He et al. 2015, section 4.2",
        lower=((0, 1), (3, 2)),
        claimed_by=FIGURE_6,
    ),
    "small-rate": _race(
        "A tenth of the rate, all the way",
        *(Contestant(net, {"lr": 0.01, "name": "tenth"}) for net in ("plain-20", "plain-56", "resnet-20", "resnet-56")),
        found="A control of this program's own: does the gap of the plain nets go when no step is large?",
        source="He et al. 2015, section 4.2, for the rate of 0.1",
        lower=((0, 1), (3, 2)),
        claimed_by=FIGURE_6,
    ),
    "slow": _race(
        "Slow or stuck? Three times as long",
        *(Contestant(net, {"epochs": 12, "name": "three-times"}) for net in ("plain-20", "plain-56")),
        *(Contestant(net, {"epochs": 12, "name": "three-times"}) for net in ("preact-20", "preact-56")),
        found="Plain nets that were trained three times as long had their degradation still: it is not that they are "
        "merely slow.",
        source="He et al. 2015, section 4.1",
        lower=((0, 1),),
    ),
    "shallow-deep": _race(
        "Half as deep again: the step from 18 to 34 layers, in small",
        "plain-20",
        "plain-32",
        "resnet-20",
        "resnet-32",
        found="On ImageNet the plain net goes from 27.94 % to 28.54 % error when it is deepened from 18 to 34 layers, "
        "the residual net from 27.88 % to 25.03 %.",
        source="He et al. 2015, table 2",
        lower=((0, 1), (3, 2)),
    ),
    "shortcuts": _race(
        "Do the projections matter? Shortcuts A, B and C",
        "resnet-32:shortcut=A",
        "resnet-32:shortcut=B",
        "resnet-32:shortcut=C",
        found="On 34 layers: A 25.03 %, B 24.52 %, C 24.19 %. The differences are small, so projections are not what "
        "matters.",
        source="He et al. 2015, table 3",
    ),
    "orders": _race(
        "Where do BN and ReLU belong? Five orders",
        "resnet-56",
        "resnet-56:order=bn-after-add",
        "resnet-56:order=relu-before-add",
        "resnet-56:order=relu-only",
        "preact-56",
        found="On 110 layers: original 6.61 %, BN after the addition 8.17 %, ReLU before it 7.84 %, ReLU-only "
        "pre-activation 6.71 %, full pre-activation 6.37 %.",
        source="He et al. 2016, table 2",
    ),
    "one-convolution": _race(
        "Is one convolution a branch enough?",
        "plain-single-20",
        "resnet-single-20",
        "resnet-20",
        found="A branch of a single layer makes the block nearly linear, y = W₁x + x: no advantage was seen.",
        source="He et al. 2015, section 3.2",
    ),
    "gates": _race(
        "Highway gates: open or closed at the start?",
        "highway-32:gate_bias=2",
        "highway-32:gate_bias=-1",
        "highway-32:gate_bias=-4",
        "resnet-32",
        found="The gate's bias is begun negative, so that a deep net first passes its input on. In a residual net of "
        "110 layers an exclusive gate reached 8.70 % at its best, the plain identity 6.61 %.",
        source="Srivastava et al. 2015, section 2.2; He et al. 2016, table 1",
    ),
    "dial": _race(
        "The shortcut's dial: what may be done to the identity?",
        "resnet-56",
        "resnet-56:shortcut_scale=0.5:branch_scale=0.5",
        "resnet-56:gate=exclusive:gate_bias=-6",
        "resnet-56:shortcut=C",
        found="On 110 layers: identity 6.61 %, ½x + ½F 12.35 %, exclusive gate 8.70 %, 1×1 convolution 12.22 %.",
        source="He et al. 2016, table 1",
    ),
    "activations": _race(
        "Is it ReLU's fault? ReLU, ELU and SELU, without shortcuts",
        "plain-56",
        "plain-56:activation=elu",
        "plain-56:activation=selu:norm=none:init=lecun",
        "resnet-56",
        found="The degradation was seen with ReLU and batch normalisation. ELU and SELU are other answers to vanishing "
        "signals: SELU needs LeCun's initial weights and no batch normalisation.",
        source="He et al. 2015, section 4.1; Klambauer et al. 2017, section 2",
    ),
    "normalisation": _race(
        "What does batch normalisation do here?",
        "plain-20",
        "plain-20:norm=none",
        "resnet-20",
        "resnet-20:norm=none",
        found="With batch normalisation forward signals keep a non-zero variance and backward norms are healthy, so "
        "the degradation is unlikely to be vanishing gradients.",
        source="He et al. 2015, section 4.1",
    ),
    "suspects": _race(
        "The other suspects: too short, too little L2, no dropout?",
        "plain-56",
        Contestant("plain-56", {"epochs": 12, "name": "three-times"}),
        Contestant("plain-56", {"weight_decay": 1e-3, "name": "more-l2"}),
        "plain-56:dropout=0.2",
        "resnet-56",
        found="Plain nets trained three times as long stay degraded. More L2 or dropout fight overfitting, which this "
        "is not: the training error is what lags.",
        source="He et al. 2015, section 4.1",
    ),
    "stochastic": _race(
        "Train a shallower net each time: stochastic depth",
        "resnet-56",
        "stochastic-56",
        found="On 110 layers 5.23 % against 6.41 %, and about a quarter faster. The gain comes late in a long "
        "training; a minute shows mostly the speed.",
        source="Huang et al. 2016, table 1 and section 4",
    ),
}


def _spec(contestant: Contestant, seed: int) -> RunSpec:
    data = DATASETS[BUNDLED]
    net = NetSpec.parse(f"{contestant.net}:width={WIDTH}").fitted(data.channels, data.classes)
    recipe = RECIPES["quick"]
    if contestant.changes:
        recipe = Recipe.model_validate({**recipe.model_dump(), **contestant.changes})
    return RunSpec(net=net, recipe=recipe, seed=seed)
