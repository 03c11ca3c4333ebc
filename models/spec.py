"""What net is wanted: a frozen, validated value that round-trips through JSON, a URL and a short text."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.families import (
    FORM_FAMILIES,
    FORM_TITLES,
    OWN_ORDER,
    PLAIN,
    SUMS,
    Branch,
    Family,
    Form,
    Order,
    Shortcut,
    implied_branch,
    stage_blocks,
)
from models.names import fields_of

MAX_DEPTH = 2000

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
                data.setdefault("order", "relu-around-add")
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
        return stage_blocks(self.family, self.form, self.branch, self.depth)

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
        branch = "" if self.branch == implied_branch(self.form, self.depth) else f"-{self.branch}"
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
        fields = fields_of(name)
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

    def is_twin_of(self, other: "NetSpec") -> bool:
        """True if the two are the same layers, and differ in what is done with shortcuts alone."""
        bare = self.plain_twin()
        return bare is not None and bare == other.plain_twin() and self != other

    def is_deeper(self, other: "NetSpec") -> bool:
        """True if it is the other with more layers, and nothing else."""
        return self.depth > other.depth and self.model_dump(exclude={"depth"}) == other.model_dump(exclude={"depth"})


def plain_pairs(nets: Sequence[NetSpec]) -> list[tuple[int, int]]:
    """Places of a plain net and of a twin of it with shortcuts: of all such pairs, the deepest first."""
    pairs = [
        (plain, other)
        for plain, bare in enumerate(nets)
        for other, net in enumerate(nets)
        if bare.family == "plain" and net.family != "plain" and net.is_twin_of(bare)
    ]
    return sorted(pairs, key=lambda pair: -nets[pair[0]].depth)


def depth_pairs(nets: Sequence[NetSpec]) -> list[tuple[int, int]]:
    """Places of a deep net and of the shallowest that is the same in all but depth; plain nets first."""
    pairs = []
    for deep, net in enumerate(nets):
        alike = [place for place, other in enumerate(nets) if net.is_deeper(other)]
        if alike:
            pairs.append((deep, min(alike, key=lambda place: nets[place].depth)))
    return sorted(pairs, key=lambda pair: (nets[pair[0]].family not in PLAIN, -nets[pair[0]].depth))


def first_reason(error: ValueError) -> str:
    """The first reason in a validation error, as one clause a person can read."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return str(error)
    first = errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    reason = str(first["msg"]).removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
