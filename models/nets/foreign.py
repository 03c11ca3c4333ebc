"""Weights of other projects → ours: the same net under other names.

torchvision's (`conv1`, `layer1.0.downsample.0`, `fc`; VGG: `features.0`, `classifier.0`), those of the public CIFAR
repositories (`layer1.0.shortcut.0`, `linear`; SE: `layer1.0.se.fc.0`; wide: `block1.layer.0.convShortcut`), and our
own; with or without the wrappings that training scripts add. A naming is one table, foreign layer → ours. Where
repositories differ in a word, both words stand in it. Dense nets come in our own names only: torchvision's normalise
once more between stem and first block.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

import torch
from torch import Tensor

from models.nets.net import Net
from models.plan import ORDERS, Block, plan
from models.spec import NetSpec

NESTS = ("state_dict", "model_state_dict", "model", "net", "weights")  # where scripts put a state dict
PREFIXES = ("module.", "_orig_mod.", "model.", "net.")  # nn.DataParallel, torch.compile, wrappers
# PyTorch before 0.4.1 counted no batches; public SE nets have no biases in their gates.
OPTIONAL = ("num_batches_tracked", ".se.squeeze.bias", ".se.excite.bias")
LONGEST = 300  # letters of a tensor's name
LISTED = 10  # misfits named in a message


class MisfitError(ValueError):
    """Weights that are not those of the net. The message names them key by key, with both shapes."""


def convert(content: object, spec: NetSpec) -> dict[str, Tensor]:
    """A checkpoint's content → a state dict of `models.nets.net.Net(spec)`: all its names, float32, contiguous.

    Raises MisfitError unless every tensor of the file has its place in the net and every place is filled; what is
    OPTIONAL may be missing and is zero. The bias of a convolution before a batch normalisation moves the running mean.
    """
    state = unprefixed(unwrapped(content))
    with torch.device("meta"):
        expected = Net(spec).state_dict()
    names = max(namings(spec, expected), key=lambda table: sum(_module(key) in table for key in state))
    if not any(_module(key) in names for key in state):
        some = ", ".join(list(state)[:3])
        raise MisfitError(
            f"none of the file's names is known ({some}, …): they should be torchvision's, those of the public "
            f"CIFAR ResNets, or this program's own, and the net {spec.name} should be the one they belong to"
        )
    renamed, trouble = _renamed(state, names, expected)
    biases = {name: value for name, value in renamed.items() if name not in expected and _mean_of(name) in expected}
    # Of two words for one layer, the one that the file uses, else the first.
    there = {_module(key) for key in state}
    theirs: dict[str, str] = {}
    for foreign in sorted(names, key=there.__contains__, reverse=True):
        theirs.setdefault(names[foreign], foreign)
    trouble += list(_misfits({name: v for name, v in renamed.items() if name not in biases}, expected, theirs))
    for name, bias in biases.items():
        if (mean := renamed.get(_mean_of(name))) is None or mean.shape != bias.shape:
            trouble.append(f"{theirs[_module(name)]}.bias ({_shape(bias)}) has no normalisation to move")
    if trouble:
        more = f"; … and {len(trouble) - LISTED} more" if len(trouble) > LISTED else ""
        count = f"{len(trouble)} misfit{'s' if len(trouble) > 1 else ''} between the file and {spec}"
        raise MisfitError(f"{count}: {'; '.join(trouble[:LISTED])}{more}{_hint(state, renamed, spec)}")
    filled = {
        name: renamed.get(name, torch.zeros(kind.shape)).to(kind.dtype).contiguous() for name, kind in expected.items()
    }
    for name, bias in biases.items():  # BN(Wx + b) with mean m is BN(Wx) with mean m − b
        filled[_mean_of(name)] = filled[_mean_of(name)] - bias.float()
    return filled


# ── wrappings ──


def unwrapped(content: object) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, out of `{"state_dict": …}` and its like. Raises MisfitError if none is."""
    for _ in range(4):
        if isinstance(content, Mapping):
            content = next((inner for key in NESTS if isinstance(inner := content.get(key), Mapping)), content)
    items: Mapping[Any, Any] = content if isinstance(content, Mapping) else {}
    state = {str(name): value for name, value in items.items() if isinstance(value, Tensor)}
    if not state:
        raise MisfitError("the file holds no weights by name: save the net's state_dict(), alone or under that name")
    if (longest := max(map(len, state))) > LONGEST:
        raise MisfitError(f"one of the file's names has {longest:,} letters: no layer of a net is called so")
    return state


def unprefixed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`state` without what every one of its names begins with: `module.` and its like."""
    bare = dict(state)
    while prefix := next((prefix for prefix in PREFIXES if all(name.startswith(prefix) for name in bare)), ""):
        bare = {name.removeprefix(prefix): value for name, value in bare.items()}
    return bare


# ── names ──


def namings(spec: NetSpec, expected: Mapping[str, Tensor]) -> list[dict[str, str]]:
    """Every naming that this net may come in: foreign layer → ours."""
    own = {_module(name): _module(name) for name in expected}
    if spec.family == "dense":
        return [own]
    return [own, {"vgg": _vgg, "wide": _wide}.get(spec.family, _layers)(spec)]


def _layers(spec: NetSpec) -> dict[str, str]:
    """`conv1`, `layerN.M.convK`, `fc`: torchvision's ResNets and the public CIFAR ones, which say `linear`."""
    names = {"conv1": "stem.conv", "bn1": "stem.norm", "bn": "head.last.norm"}
    # Where BN stands before the convolution, a block's first one is shared by branch and projection.
    ahead = "n" in ORDERS[spec.order][0]
    for block, nth in _counted(spec):
        theirs, ours = f"layer{block.stage + 1}.{nth}", f"blocks.{block.index}"
        for k in range(1, len(block.branch) + 1):
            names[f"{theirs}.conv{k}"] = f"{ours}.branch.conv{k}"
            before = f"{ours}.before.norm" if k == 1 else f"{ours}.branch.norm{k - 1}"
            names[f"{theirs}.bn{k}"] = before if ahead else f"{ours}.branch.norm{k}"
        for word in ("downsample", "shortcut"):
            names |= {f"{theirs}.{word}.0": f"{ours}.shortcut.conv", f"{theirs}.{word}.1": f"{ours}.shortcut.norm"}
        if block.squeeze:
            names |= {f"{theirs}.se.fc.0": f"{ours}.branch.se.squeeze", f"{theirs}.se.fc.2": f"{ours}.branch.se.excite"}
    return names | {"fc": "head.fc", "linear": "head.fc"}


def _wide(spec: NetSpec) -> dict[str, str]:
    """`block1.layer.0.convShortcut` and the like, after the authors' own nets, for k > 1.

    There the first block's normalisation stands in it, here in the stem: the same where that block projects.
    """
    names = {"conv1": "stem.conv", "bn1": "head.last.norm", "fc": "head.fc"}
    for block, nth in _counted(spec):
        theirs, ours = f"block{block.stage + 1}.layer.{nth}", f"blocks.{block.index}"
        names |= {
            f"{theirs}.bn1": f"{ours}.before.norm" if block.index else "stem.norm",
            f"{theirs}.conv1": f"{ours}.branch.conv1",
            f"{theirs}.bn2": f"{ours}.branch.norm1",
            f"{theirs}.conv2": f"{ours}.branch.conv2",
            f"{theirs}.convShortcut": f"{ours}.shortcut.conv",
        }
    return names if plan(spec).blocks[0].projection else {}


def _counted(spec: NetSpec) -> Iterator[tuple[Block, int]]:
    """Every block with its place in its stage, from 0."""
    for _, stage in groupby(plan(spec).blocks, key=lambda block: block.stage):
        yield from ((block, nth) for nth, block in enumerate(stage))


def _vgg(spec: NetSpec) -> dict[str, str]:
    """`features.N`, `classifier.N`: one number for every module, pooling and ReLU included."""
    names, n = {"features.0": "stem.conv", "features.1": "stem.norm"}, 0
    step = 3 if spec.norm == "batch" else 2  # convolution, (BN,) ReLU
    for block in plan(spec).blocks:
        n += step + (block.pooled > 1)
        names |= {f"features.{n}": f"blocks.{block.index}.branch.conv1"}
        names |= {f"features.{n + 1}": f"blocks.{block.index}.branch.norm1"} if step == 3 else {}
    if step == 2:
        del names["features.1"]
    # torchvision: linear, ReLU, dropout, …; the CIFAR repositories begin with the dropout.
    first = {"classifier.0": "head.fc1", "classifier.3": "head.fc2", "classifier.6": "head.fc"}
    return names | first | {"classifier.1": "head.fc1", "classifier.4": "head.fc2"}


def _renamed(
    state: Mapping[str, Tensor], names: Mapping[str, str], expected: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors that have a place by our names, and what is to be said of the others."""
    renamed: dict[str, Tensor] = {}
    trouble = []
    for key, value in state.items():
        ours = f"{names.get(_module(key), '')}.{key.rpartition('.')[2]}"
        if ours in renamed:
            trouble.append(f"{key} is there twice, under two names")
        elif ours in expected or _mean_of(ours) in expected:
            renamed[ours] = value
        else:
            trouble.append(f"{key} ({_shape(value)}) has no place in the net")
    return renamed, trouble


def _misfits(renamed: Mapping[str, Tensor], expected: Mapping[str, Tensor], theirs: Mapping[str, str]) -> Iterator[str]:
    """What is missing or of another shape, in the order of the net, by the file's own names."""
    for name, wanted in expected.items():
        key = f"{theirs.get(_module(name), _module(name))}.{name.rpartition('.')[2]}"
        if name not in renamed:
            if not name.endswith(OPTIONAL):
                yield f"{key} ({_shape(wanted)}) is not in the file"
        elif renamed[name].shape != wanted.shape:
            yield f"{key} is {_shape(renamed[name])} in the file and {_shape(wanted)} in the net"
        elif (
            renamed[name].is_meta
            or renamed[name].layout != torch.strided
            or (wanted.is_floating_point() and not renamed[name].is_floating_point())
        ):
            yield f"{key} is {str(renamed[name].dtype).removeprefix('torch.')} in the file, not a plain float tensor"


def _hint(state: Mapping[str, Tensor], renamed: Mapping[str, Tensor], spec: NetSpec) -> str:
    """What to try, where the file itself tells."""
    hints = []
    stem = renamed.get("stem.conv.weight")
    if stem is not None and stem.ndim == 4 and stem.shape[0] != spec.width:
        hints.append(f"its first layer has {stem.shape[0]} channels: width={stem.shape[0]}")
    if spec.shortcut == "A" and any(".downsample." in key or ".shortcut." in key for key in state):
        hints.append("it has projections: shortcut=B")
    return f" (the file says {', '.join(hints)})" if hints else ""


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _mean_of(name: str) -> str:
    """The running mean right behind a convolution's bias: `stem.conv.bias` → `stem.norm.running_mean`; else empty."""
    module, _, what = name.rpartition(".")
    where, _, layer = module.rpartition(".")
    return (
        f"{where}.{layer.replace('conv', 'norm')}.running_mean"
        if what == "bias" and "conv" in layer and not where.endswith("enter")
        else ""
    )


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape)) or "one number"
