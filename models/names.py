"""Nets by name: `plain-20`, `preact-bottleneck-164`, `wide-28-10`, `imagenet-resnet-50-v1.5`."""

import re
from typing import Any

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


def fields_of(name: str) -> dict[str, Any]:
    """The fields of a `NetSpec` that a name sets. Raises ValueError for what is none."""
    match = _NAME.fullmatch(_SHORT.get(name, name))
    if match is None:
        raise ValueError(f"unknown net {name[:60]!r}: for example plain-56, resnet-56, preact-110")
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
