"""What a net costs beside its plain twin, and beside what the papers print.

Multiply-adds are those of convolutions and products for one image, as He 2015 counts them.
"""

from dataclasses import dataclass
from typing import Literal

from models.families import PLAIN, Shortcut
from models.plan import plan
from models.spec import NetSpec

OPTIONS: tuple[Shortcut, ...] = ("A", "B", "C")


@dataclass(frozen=True)
class Added:
    """What one shortcut option adds over `twin`, which has `params` and `macs` to begin with."""

    option: Shortcut
    net: NetSpec
    params: int
    macs: int


def residual(net: NetSpec) -> NetSpec | None:
    """The net whose shortcuts are counted: `net` itself, or a plain net's residual twin. None for VGG and dense."""
    if net.family in ("vgg", "dense"):
        return None
    if net.family not in PLAIN:
        return net
    values = {**net.model_dump(), "family": "resnet"}
    del values["shortcut"], values["order"]  # those of the form
    return NetSpec.model_validate(values)


def added(net: NetSpec) -> list[Added]:
    """What options A, B and C add to the plain twin's parameters and multiply-adds: empty where there are none.

    A wide net has no plain twin that counts its layers alike: there, what stands in the shortcuts is counted.
    """
    own = residual(net)
    if own is None:
        return []
    rows = []
    for option in OPTIONS:
        one = NetSpec.model_validate({**own.model_dump(), "shortcut": option})
        twin, laid = one.plain_twin(), plan(one)
        if twin is None:
            beside = [block.projection for block in laid.blocks if block.projection]
            params, macs = sum(layer.params for layer in beside), sum(layer.macs for layer in beside)
        else:
            bare = plan(twin)
            params, macs = laid.params - bare.params, laid.macs - bare.macs
        rows.append(Added(option, one, params, macs))
    return rows


@dataclass(frozen=True)
class Printed:
    """A number that a paper prints: `value` in `unit`s, rounded to `digits` decimals, and the table it stands in."""

    net: str
    what: Literal["multiply-adds", "parameters"]
    value: float
    digits: int
    source: str

    @property
    def unit(self) -> float:
        """Billions of multiply-adds, millions of parameters."""
        return 1e9 if self.what == "multiply-adds" else 1e6

    @property
    def counted(self) -> float:
        """Our own count, in the same unit."""
        laid = plan(NetSpec.parse(self.net))
        return (laid.macs if self.what == "multiply-adds" else laid.params) / self.unit

    @property
    def difference(self) -> float:
        """Counted less printed, in the same unit."""
        return self.counted - self.value


_T1, _F3, _T6 = "He et al. 2015, table 1", "He et al. 2015, figure 3", "He et al. 2015, table 6"
PRINTED: tuple[Printed, ...] = (
    Printed("imagenet-vgg-19", "multiply-adds", 19.6, 1, _F3),
    Printed("imagenet-plain-34", "multiply-adds", 3.6, 1, _F3),
    *(
        Printed(f"imagenet-resnet-{depth}", "multiply-adds", value, 1, _T1)
        for depth, value in ((18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3))
    ),
    *(
        Printed(f"resnet-{depth}", "parameters", value, digits, _T6)
        for depth, value, digits in (
            (20, 0.27, 2),
            (32, 0.46, 2),
            (44, 0.66, 2),
            (56, 0.85, 2),
            (110, 1.7, 1),
            (1202, 19.4, 1),
        )
    ),
    Printed("wide-28-10", "parameters", 36.5, 1, "Zagoruyko 2016, table 4"),
    Printed("dense-bc-100-12", "parameters", 0.8, 1, "Huang et al. 2017, table 2"),
)


def printed(net: NetSpec, what: str) -> Printed | None:
    """What a paper prints of exactly this net; None elsewhere."""
    return next((row for row in PRINTED if row.what == what and NetSpec.parse(row.net) == net), None)


@dataclass(frozen=True)
class Relative:
    """A net of the story that is compared and not built here: torchvision's, for images of side `size`, 1000 classes.

    Counted from torchvision's module in evaluation mode, without auxiliary heads, as `Plan` counts: weights, biases and
    normalisations; multiply-adds of convolutions and products.
    """

    title: str
    module: str  # its name in torchvision.models
    params: int
    macs: int
    source: str
    size: int = 224


RELATIVES: tuple[Relative, ...] = (
    Relative("AlexNet", "alexnet", 61_100_840, 714_188_480, "Krizhevsky 2014, in one column"),
    Relative("GoogLeNet", "googlenet", 6_624_904, 1_498_376_192, "Szegedy et al. 2015"),
    Relative("Inception-v3", "inception_v3", 23_834_568, 5_713_216_096, "Szegedy et al. 2016", size=299),
    Relative("ResNeXt-50, 32×4d", "resnext50_32x4d", 25_028_904, 4_230_479_872, "Xie et al. 2017"),
)
