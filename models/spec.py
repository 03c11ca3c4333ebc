"""What net is wanted: a frozen, validated value that round-trips through JSON, a URL and a short text.

Depth forms: He et al. 2015, *Deep Residual Learning for Image Recognition*, sections 4.1 and 4.2.

MNIST form: A. Patala 2016, *Residual networks in torch (MNIST)*, and its program, residual.mnist: 3×3 convolutions on
28×28 images, filters doubled where the stride is 2, two convolutions with BN and ReLU each before an addition, a max
pool and a linear layer. Left open there, and chosen here:

- what counts: its program counts 3×3 convolutions and projections, here depth is stem, branches and head, as in He's;
- blocks in a stage: one in the last, at 4×4; the others shared evenly, later stages first: its program's (4, 5, 5, 1)
  for 15 blocks, and 16 (34 layers) and 49 blocks (100 layers) give (5, 5, 5, 1) and (16, 16, 16, 1);
- the pool covers the whole map, so that images of any size will do; the program flattens its 4×4 maps instead;
- the projections (option B, as there) are normalised, as in He 2015; every convolution of a branch is, too.
"""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Family = Literal["plain", "resnet", "preact", "highway", "stochastic", "wide", "se", "dense", "vgg"]
Form = Literal["cifar", "imagenet", "mnist"]
Branch = Literal["single", "basic", "bottleneck"]
Shortcut = Literal["none", "A", "B", "C"]
Order = Literal["original", "bn-after-add", "relu-before-add", "relu-only", "full"]

PLAIN: tuple[Family, ...] = ("plain", "vgg")  # without shortcuts
SUMS: tuple[Family, ...] = ("resnet", "preact", "stochastic", "wide", "se")  # y = x′ + F(x), in some order

# Families whose order of BN, σ and addition is theirs. A highway's F includes its σ (Srivastava 2015, eq. 1).
OWN_ORDER: dict[str, Order] = {"preact": "full", "wide": "full", "dense": "full", "highway": "relu-before-add"}

CONVOLUTIONS: dict[Branch, int] = {"single": 1, "basic": 2, "bottleneck": 3}
EXPANSION: dict[Branch, int] = {"single": 1, "basic": 1, "bottleneck": 4}

# He 2015, table 1: blocks in each of the four ImageNet stages.
IMAGENET_BLOCKS: dict[tuple[Branch, int], tuple[int, ...]] = {
    ("basic", 18): (2, 2, 2, 2),
    ("basic", 34): (3, 4, 6, 3),
    ("bottleneck", 50): (3, 4, 6, 3),
    ("bottleneck", 101): (3, 4, 23, 3),
    ("bottleneck", 152): (3, 8, 36, 3),
}
# Simonyan and Zisserman 2015, table 1: 3×3 convolutions in each of the five stages.
VGG_LAYERS: dict[int, tuple[int, ...]] = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
FORM_FAMILIES: dict[Form, tuple[Family, ...]] = {
    "imagenet": ("plain", "resnet", "preact", "se", "vgg"),
    "mnist": ("plain", "resnet", "preact", "highway", "stochastic", "se"),
}
FORM_TITLES: dict[Form, str] = {"cifar": "CIFAR", "imagenet": "ImageNet", "mnist": "MNIST"}
MAX_DEPTH = 2000

# The nets that menus offer; `NetSpec.parse` takes any depth that the form allows.
PRESETS: tuple[str, ...] = (
    *(f"plain-{depth}" for depth in (20, 32, 44, 56, 110)),
    *(f"resnet-{depth}" for depth in (20, 32, 44, 56, 110, 1202)),
    *(f"preact-{depth}" for depth in (20, 56, 110)),
    "preact-bottleneck-164",
    "preact-bottleneck-1001",
    "highway-20",
    "highway-32",
    "stochastic-56",
    "stochastic-110",
    "stochastic-1202",
    "se-20",
    "se-56",
    "wide-16-4",
    "wide-28-10",
    "dense-40-12",
    "dense-bc-100-12",
    "vgg-16",
    "vgg-19",
    *(f"mnist-{family}-{depth}" for depth in (34, 100) for family in ("plain", "resnet")),
    "imagenet-plain-18",
    "imagenet-plain-34",
    *(f"imagenet-resnet-{depth}" for depth in (18, 34, 50, 101, 152)),
    *(f"imagenet-resnet-{depth}-v1.5" for depth in (50, 101, 152)),
    "imagenet-vgg-16",
    "imagenet-vgg-19",
)

_DEPTH = r"(?P<depth>[1-9][0-9]{0,3})"
_NAME = re.compile(
    rf"(?P<form>imagenet-|mnist-)?(?:(?P<family>plain|resnet|preact|highway|stochastic|se)"
    rf"(?P<branch>-single|-basic|-bottleneck)?-{_DEPTH}(?P<version>-v1\.5)?"
    rf"|(?P<with_k>wide|dense|dense-bc)-{_DEPTH.replace('depth', 'k_depth')}-(?P<k>[1-9][0-9]?)"
    rf"|vgg-{_DEPTH.replace('depth', 'vgg_depth')})"
)

# A thousand layers have one branch that fits them: names that say no more (He et al. 2016, table 3: "ResNet-1001").
_SHORT = {"preact-1001": "preact-bottleneck-1001", "resnet-1001": "resnet-bottleneck-1001"}

# Settings that can follow a name, in the order in which they are written, and the families that have them (None: all).
SETTINGS: dict[str, tuple[Family, ...] | None] = {
    "width": None,
    "shortcut": (*SUMS, "highway"),
    "order": ("resnet", "stochastic", "se"),
    "norm": None,
    "activation": None,
    "init": None,
    "dropout": None,
    "gate": ("resnet", "preact"),
    "gate_bias": ("resnet", "preact", "highway"),
    "shortcut_scale": ("resnet", "preact"),
    "branch_scale": ("resnet", "preact"),
    "shortcut_dropout": ("resnet", "preact"),
    "survival": ("stochastic",),
    "channels": None,
    "classes": None,
}


class NetSpec(BaseModel):
    """One net. `depth` counts weighted layers as the papers do: projections are not counted.

    `width` is the number of channels of the first stage (the paper's: 16 on CIFAR, 64 on ImageNet and MNIST).
    `stride_at` says which convolution of a bottleneck halves the resolution: the first 1×1 (the paper,
    torchvision's "v1") or the 3×3 ("v1.5"). `k`: the widening factor of a wide net, the growth rate of a dense one.
    `order` of BN, ReLU and addition: He 2016, table 2. The shortcut's dial is He 2016, table 1: `shortcut_scale` λ and
    `branch_scale` in λx + μF(x), `gate` with its bias, `shortcut_dropout`. `survival`: stochastic depth's p_L.
    `dropout` is between the convolutions of F.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    depth: int = Field(ge=2, le=MAX_DEPTH)
    form: Form = "cifar"
    branch: Branch = "basic"
    shortcut: Shortcut = "A"
    width: int = Field(default=16, ge=1, le=512)
    k: int | None = Field(default=None, ge=1, le=64)
    order: Order = "original"
    norm: Literal["batch", "none"] = "batch"
    activation: Literal["relu", "elu", "selu"] = "relu"
    init: Literal["he", "lecun", "orthogonal"] = "he"
    dropout: float = Field(default=0.0, ge=0, lt=1)
    gate: Literal["none", "shortcut-only", "exclusive"] = "none"
    gate_bias: float = Field(default=-1.0, ge=-20, le=20)
    shortcut_scale: float = Field(default=1.0, ge=0, le=2)
    branch_scale: float = Field(default=1.0, ge=0, le=2)
    shortcut_dropout: float = Field(default=0.0, ge=0, lt=1)
    survival: float = Field(default=0.5, gt=0, le=1)
    stride_at: Literal["first", "3x3"] = "first"
    channels: int = Field(default=3, ge=1, le=16)
    classes: int = Field(default=10, ge=2, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_form(cls, data: Any) -> Any:
        """Defaults that depend on other settings: the ones the papers use."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        family, imagenet, mnist = data.get("family"), data.get("form") == "imagenet", data.get("form") == "mnist"
        if imagenet:
            data.setdefault("classes", 1000)
            depth = data.get("depth")
            if family != "vgg":
                data.setdefault("branch", "bottleneck" if isinstance(depth, int) and depth >= 50 else "basic")
        if mnist:
            data.setdefault("channels", 1)
            if family in (SETTINGS["order"] or ()):
                data.setdefault("order", "relu-before-add")
        if family == "vgg":
            data["branch"] = "single"
            data.setdefault("norm", "none" if imagenet else "batch")
        if family == "dense":
            compressed = data.get("branch") == "bottleneck"  # DenseNet-BC starts with 2k channels
            data.setdefault("width", 2 * data["k"] if compressed and isinstance(data.get("k"), int) else 16)
        data.setdefault("width", 64 if imagenet or mnist or family == "vgg" else 16)
        if (own := OWN_ORDER.get(family or "")) and data.setdefault("order", own) != own:
            raise ValueError(f"a {family} net has an order of its own; the others are resnet's")
        if family in PLAIN:
            data["shortcut"] = "none"
        else:
            projected = imagenet or mnist or data.get("branch") == "bottleneck" or family == "wide"
            data.setdefault("shortcut", "B" if projected and family != "dense" else "A")
        return data

    @model_validator(mode="after")
    def _fits_its_form(self) -> Self:
        if self.family not in PLAIN and self.shortcut == "none":
            raise ValueError(f"a {self.family} net needs a shortcut: A, B or C")
        if self.stride_at == "3x3" and self.branch != "bottleneck":
            raise ValueError(f"only a bottleneck has a v1.5: this net's branch is {self.branch}")
        if (self.k is None) == (self.family in ("wide", "dense")):
            raise ValueError("k, the widening factor or growth rate, belongs to wide and dense nets")
        if self.family not in FORM_FAMILIES.get(self.form, (self.family,)):
            raise ValueError(f"there is no {FORM_TITLES[self.form]} form of the {self.family} family here")
        if self.form == "mnist" and self.branch != "basic":
            raise ValueError(f"the MNIST form has two convolutions in a branch: basic, not {self.branch}")
        if self.order == "full" and self.family not in OWN_ORDER:
            raise ValueError("full pre-activation is a family of its own: preact")
        for setting, families in SETTINGS.items():
            own = setting == "shortcut" or (setting == "order" and self.family in OWN_ORDER)
            default = type(self).model_fields[setting].default
            if families and self.family not in families and not own and getattr(self, setting) != default:
                raise ValueError(f"{setting} is a setting of the families {', '.join(families)}")
        _ = self.stage_blocks
        return self

    @property
    def stage_blocks(self) -> tuple[int, ...]:
        """Blocks in each stage. Raises ValueError for a depth that the form does not allow."""
        if self.family == "vgg":
            if self.depth not in VGG_LAYERS:
                raise ValueError(f"VGG has {', '.join(map(str, VGG_LAYERS))} layers, not {self.depth}")
            return VGG_LAYERS[self.depth]
        if self.form == "imagenet":
            blocks = IMAGENET_BLOCKS.get((self.branch, self.depth))
            if blocks is None:
                known = ", ".join(str(depth) for branch, depth in IMAGENET_BLOCKS if branch == self.branch)
                raise ValueError(
                    f"the ImageNet form has no {self.branch} net of depth {self.depth}: it allows {known or 'none'}"
                )
            return blocks
        if self.form == "mnist":
            return self._mnist_blocks
        per_step, extra = self._depth_form
        n, rest = divmod(self.depth - extra, per_step)
        if rest or n < 1:
            below = max(n, 1) * per_step + extra
            raise ValueError(
                f"depth {self.depth} is not {per_step}n+{extra} ({self.branch} branch, CIFAR form): "
                f"the nearest are {below} and {below + per_step}"
            )
        return (n,) * 3

    @property
    def _mnist_blocks(self) -> tuple[int, ...]:
        blocks, odd = divmod(self.depth - 2, 2)  # beside stem and head
        if odd or blocks < 4:
            below = max(self.depth - odd, 10)
            raise ValueError(
                f"depth {self.depth} is not even and 10 or more (MNIST form): the nearest are {below} and {below + 2}"
            )
        each, more = divmod(blocks - 1, 3)
        return (each, each + more // 2, each + (more + 1) // 2, 1)

    @property
    def _depth_form(self) -> tuple[int, int]:
        """(a, b) of the depths an + b, n blocks a stage, as each paper counts its layers."""
        if self.family == "dense":  # Huang 2017: stem, two transitions, head
            return (6, 4) if self.branch == "bottleneck" else (3, 4)
        if self.family == "wide":  # Zagoruyko 2016 counts the three projections, and not the head
            return 3 * CONVOLUTIONS[self.branch], 4
        return 3 * CONVOLUTIONS[self.branch], 2

    @property
    def blocks(self) -> int:
        """Number of residual blocks (of their plain twins, in a plain net)."""
        return sum(self.stage_blocks)

    @property
    def dialled(self) -> bool:
        """True where the sum is scaled or its shortcut dropped (He 2016, table 1)."""
        return (self.shortcut_scale, self.branch_scale, self.shortcut_dropout) != (1.0, 1.0, 0.0)

    @property
    def image_size(self) -> int:
        """Side of the square image for which the form was designed, in pixels."""
        return {"cifar": 32, "imagenet": 224, "mnist": 28}[self.form]

    @property
    def name(self) -> str:
        """The preset name, settings apart: `resnet-56`, `wide-28-10`, `imagenet-resnet-50-v1.5`."""
        form = "" if self.form == "cifar" else f"{self.form}-"
        if self.family == "vgg":
            return f"{form}vgg-{self.depth}"
        if self.k is not None:
            bc = "-bc" if self.family == "dense" and self.branch == "bottleneck" else ""
            return f"{self.family}{bc}-{self.depth}-{self.k}"
        branch = "" if self.branch == _implied_branch(self.form, self.depth) else f"-{self.branch}"
        version = "-v1.5" if self.stride_at == "3x3" else ""
        return f"{form}{self.family}{branch}-{self.depth}{version}"

    def __str__(self) -> str:
        """Name and every setting that is not the name's own: `resnet-56:width=8`. `parse` reads it back.

        Channels and classes follow from the data set and are left out when the default.
        """
        default = NetSpec.parse(self.name)
        own = {field: value for field in SETTINGS if (value := getattr(self, field)) != getattr(default, field)}
        texts = {field: f"{value:g}" if isinstance(value, float) else str(value) for field, value in own.items()}
        return ":".join([self.name, *(f"{field}={text}" for field, text in texts.items())])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name[:setting=value]…`. Raises ValueError with one sentence for anything else."""
        name, *settings = text.strip().split(":")
        match = _NAME.fullmatch(_SHORT.get(name, name))
        if match is None:
            raise ValueError(f"unknown net {name[:60]!r}: for example plain-56, resnet-56, preact-110")
        fields: dict[str, Any] = _fields_of_name(match)
        for setting in settings:
            key, _, value = setting.partition("=")
            if key not in SETTINGS or not value:
                raise ValueError(f"unknown setting {setting[:60]!r} of {name}: try width=8, shortcut=B, norm=none")
            if key in fields:
                raise ValueError(f"{name}: {key} is given twice")
            fields[key] = value
        if fields["family"] in PLAIN and fields.get("shortcut", "none") != "none":
            raise ValueError(f"{name}: a plain net has no shortcut")
        try:
            return cls.model_validate(fields)
        except ValueError as error:
            raise ValueError(f"{name}: {first_reason(error)}") from None

    def fitted(self, channels: int, classes: int) -> Self:
        """The same net for images of `channels` channels and `classes` classes."""
        return type(self).model_validate({**self.model_dump(), "channels": channels, "classes": classes})

    def plain_twin(self) -> Self | None:
        """The same layers without the shortcuts: same seed, same initial weights (projections and gates apart).

        None where there is none: dense and wide nets count their layers otherwise, and VGG is plain already.
        """
        if self.family in ("dense", "wide", "vgg"):
            return None
        shared = ("depth", "form", "branch", "width", "norm", "activation", "init", "dropout", "stride_at")
        values = {field: getattr(self, field) for field in (*shared, "channels", "classes")}
        return type(self).model_validate({**values, "family": "plain"})


def _fields_of_name(match: re.Match[str]) -> dict[str, Any]:
    """The fields that a preset's name sets."""
    fields: dict[str, Any] = {"form": match["form"][:-1]} if match["form"] else {}
    if match["with_k"]:
        family, _, compressed = match["with_k"].partition("-")
        branch = {"branch": "bottleneck" if compressed else "single"} if family == "dense" else {}
        return {**fields, "family": family, "depth": int(match["k_depth"]), "k": int(match["k"]), **branch}
    if match["vgg_depth"]:
        return {**fields, "family": "vgg", "depth": int(match["vgg_depth"])}
    fields |= {"family": match["family"], "depth": int(match["depth"])}
    if match["branch"]:
        fields["branch"] = match["branch"].removeprefix("-")
    if match["version"]:
        fields["stride_at"] = "3x3"
    return fields


def _implied_branch(form: Form, depth: int) -> Branch:
    return "bottleneck" if form == "imagenet" and depth >= 50 else "basic"


def first_reason(error: ValueError) -> str:
    """The first reason in a validation error, as one clause a person can read."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
