"""What net is wanted: a frozen, validated value that round-trips through JSON, a URL and a short text.

Depth forms: He et al. 2015, *Deep Residual Learning for Image Recognition*, sections 4.1 and 4.2.
"""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Family = Literal["plain", "resnet", "preact"]
Form = Literal["cifar", "imagenet"]
Branch = Literal["single", "basic", "bottleneck"]
Shortcut = Literal["none", "A", "B", "C"]

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
MAX_DEPTH = 2000

# The nets that menus offer; `NetSpec.parse` takes any depth that the form allows.
PRESETS: tuple[str, ...] = (
    "plain-20",
    "plain-32",
    "plain-44",
    "plain-56",
    "plain-110",
    "resnet-20",
    "resnet-32",
    "resnet-44",
    "resnet-56",
    "resnet-110",
    "resnet-1202",
    "preact-20",
    "preact-56",
    "preact-110",
    "preact-bottleneck-164",
    "preact-bottleneck-1001",
    "imagenet-plain-18",
    "imagenet-plain-34",
    "imagenet-resnet-18",
    "imagenet-resnet-34",
    "imagenet-resnet-50",
    "imagenet-resnet-101",
    "imagenet-resnet-152",
    "imagenet-resnet-50-v1.5",
    "imagenet-resnet-101-v1.5",
    "imagenet-resnet-152-v1.5",
)

_NAME = re.compile(
    r"(?P<form>imagenet-)?(?P<family>plain|resnet|preact)(?P<branch>-single|-basic|-bottleneck)?"
    r"-(?P<depth>[1-9][0-9]{0,4})(?P<version>-v1\.5)?"
)


class NetSpec(BaseModel):
    """One net. `depth` counts weighted layers as the papers do: projections are not counted.

    `width` is the number of channels of the first stage (the paper's: 16 on CIFAR, 64 on ImageNet).
    `stride_at` says which convolution of a bottleneck halves the resolution: the first 1×1 (the paper,
    torchvision's "v1") or the 3×3 ("v1.5").
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Family
    depth: int = Field(ge=2, le=MAX_DEPTH)
    form: Form = "cifar"
    branch: Branch = "basic"
    shortcut: Shortcut = "A"
    width: int = Field(default=16, ge=1, le=512)
    norm: Literal["batch", "none"] = "batch"
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
        imagenet = data.get("form") == "imagenet"
        if imagenet:
            data.setdefault("width", 64)
            data.setdefault("classes", 1000)
            depth = data.get("depth")
            data.setdefault("branch", "bottleneck" if isinstance(depth, int) and depth >= 50 else "basic")
        if data.get("family") == "plain":
            data["shortcut"] = "none"
        else:
            data.setdefault("shortcut", "B" if imagenet or data.get("branch") == "bottleneck" else "A")
        return data

    @model_validator(mode="after")
    def _fits_its_form(self) -> Self:
        if self.family != "plain" and self.shortcut == "none":
            raise ValueError(f"a {self.family} net needs a shortcut: A, B or C")
        if self.stride_at == "3x3" and self.branch != "bottleneck":
            raise ValueError(f"only a bottleneck has a v1.5: this net's branch is {self.branch}")
        _ = self.stage_blocks
        return self

    @property
    def stage_blocks(self) -> tuple[int, ...]:
        """Blocks in each stage. Raises ValueError for a depth that the form does not allow."""
        if self.form == "imagenet":
            blocks = IMAGENET_BLOCKS.get((self.branch, self.depth))
            if blocks is None:
                known = ", ".join(str(depth) for branch, depth in IMAGENET_BLOCKS if branch == self.branch)
                raise ValueError(
                    f"the ImageNet form has no {self.branch} net of depth {self.depth}: it allows {known or 'none'}"
                )
            return blocks
        per_step = 3 * CONVOLUTIONS[self.branch]
        n, rest = divmod(self.depth - 2, per_step)
        if rest or n < 1:
            below = max(n, 1) * per_step + 2
            raise ValueError(
                f"depth {self.depth} is not {per_step}n+2 ({self.branch} branch, CIFAR form): "
                f"the nearest are {below} and {below + per_step}"
            )
        return (n,) * 3

    @property
    def blocks(self) -> int:
        """Number of residual blocks (of their plain twins, in a plain net)."""
        return sum(self.stage_blocks)

    @property
    def image_size(self) -> int:
        """Side of the square image for which the form was designed, in pixels."""
        return 224 if self.form == "imagenet" else 32

    @property
    def name(self) -> str:
        """The preset name, settings apart: `resnet-56`, `imagenet-resnet-50-v1.5`."""
        branch = "" if self.branch == _implied_branch(self.form, self.depth) else f"-{self.branch}"
        form = "" if self.form == "cifar" else "imagenet-"
        version = "-v1.5" if self.stride_at == "3x3" else ""
        return f"{form}{self.family}{branch}-{self.depth}{version}"

    def __str__(self) -> str:
        """Name and every setting that is not the name's own: `resnet-56:width=8`. `parse` reads it back.

        Channels and classes follow from the data set and are left out when the default.
        """
        default = NetSpec.parse(self.name)
        own = {
            field: value
            for field in ("width", "shortcut", "norm", "channels", "classes")
            if (value := getattr(self, field)) != getattr(default, field)
        }
        return ":".join([self.name, *(f"{field}={value}" for field, value in own.items())])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `name[:setting=value]…`. Raises ValueError with one sentence for anything else."""
        name, *settings = text.strip().split(":")
        match = _NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"unknown net {name[:60]!r}: for example plain-56, resnet-56, preact-110")
        fields: dict[str, Any] = {"family": match["family"], "depth": int(match["depth"])}
        if match["form"]:
            fields["form"] = "imagenet"
        if match["branch"]:
            fields["branch"] = match["branch"].removeprefix("-")
        if match["version"]:
            fields["stride_at"] = "3x3"
        for setting in settings:
            key, _, value = setting.partition("=")
            if key not in ("width", "shortcut", "norm", "channels", "classes") or not value:
                raise ValueError(f"unknown setting {setting[:60]!r} of {name}: try width=8, shortcut=B, norm=none")
            if key in fields:
                raise ValueError(f"{name}: {key} is given twice")
            fields[key] = value
        if match["family"] == "plain" and fields.get("shortcut", "none") != "none":
            raise ValueError(f"{name}: a plain net has no shortcut")
        try:
            return cls.model_validate(fields)
        except ValueError as error:
            raise ValueError(f"{name}: {first_reason(error)}") from None

    def fitted(self, channels: int, classes: int) -> Self:
        """The same net for images of `channels` channels and `classes` classes."""
        return type(self).model_validate({**self.model_dump(), "channels": channels, "classes": classes})

    def plain_twin(self) -> Self:
        """The same layers without the shortcuts: same seed, same initial weights (projections apart)."""
        return type(self).model_validate({**self.model_dump(), "family": "plain"})


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
