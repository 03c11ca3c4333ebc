"""Files of weights that are programs, lies or ruins."""

import functools
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor

from models.nets.net import Net
from models.spec import NetSpec
from tests.hostile import Grounds, Makers

NET = "resnet-8:width=4"
Maker = Callable[[Grounds], bytes]
State = dict[str, Tensor]


@functools.cache
def _state() -> State:
    return Net(NetSpec.parse(NET).fitted(1, 10)).state_dict()


def state() -> State:
    """Weights of NET as the bundled images need it; one's own to spoil."""
    return {name: value.clone() for name, value in _state().items()}


def saved(content: object, **options: Any) -> bytes:
    """As PyTorch saves it."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def pickled(content: object) -> bytes:
    """As Python saves it, in the format that PyTorch reads."""
    return pickle.dumps(content, 2)


# ── programs ──


class Call:
    """Unpickled, it is a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


def touching(grounds: Grounds) -> list[object]:
    """Calls each of which would make the marker."""
    path = str(grounds.marker)
    source = f"open({path!r}, 'w').write('ran')"
    return [
        Call(os.system, f"touch '{path}'"),
        Call(eval, source),
        Call(exec, source),
        Call(open, path, "w"),
        Call(os.mkdir, path),
        Call(torch.save, 1, path),
        Call(functools.partial, os.system, f"touch '{path}'"),
    ]


def program(nth: int, wrapped: Callable[[object], bytes]) -> Maker:
    """A checkpoint one of whose values is a call."""
    return lambda grounds: wrapped({**state(), "hook": touching(grounds)[nth]})


def raw_program(protocol: int) -> Maker:
    """The bare call, in a pickle of that age."""
    return lambda grounds: pickle.dumps(touching(grounds)[0], protocol)


def by_name(module: str, name: str) -> Maker:
    """A pickle that calls what it names, without more."""

    def make(grounds: Grounds) -> bytes:
        argument = f"touch '{grounds.marker}'".encode()
        head = b"\x80\x02c" + module.encode() + b"\n" + name.encode() + b"\n"
        return head + b"X" + struct.pack("<I", len(argument)) + argument + b"\x85R."

    return make


def script(grounds: Grounds) -> bytes:
    """An archive of TorchScript: code that torch.load of old would have run."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("m/data.pkl", pickle.dumps(touching(grounds)[0], 2))
        archive.writestr("m/constants.pkl", pickle.dumps((), 2))
        archive.writestr("m/code/__torch__.py", "def forward(self): pass")
        archive.writestr("m/version", "3\n")
    return file.getvalue()


# ── ruins and lies ──


def nested(depth: int) -> bytes:
    """Lists in lists, deeper than any stack."""
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def laughs(doublings: int) -> bytes:
    """A few bytes that are 2ⁿ objects to whoever walks them."""
    return b"\x80\x02]q\0" + b"".join(
        b"](h" + bytes([n]) + b"h" + bytes([n]) + b"eq" + bytes([n + 1]) for n in range(doublings)
    ) + b"."  # fmt: skip


def strided(size: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Maker:
    """A checkpoint in which a tensor reaches beyond what is stored of it."""

    class Lying:
        def __reduce__(self) -> Any:
            storage = torch.zeros(10).untyped_storage()
            typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
            return torch._utils._rebuild_tensor_v2, (typed, offset, size, stride, False, {})

    return lambda _grounds: saved({**state(), "head.fc.bias": Lying()})


def tensors(header: object, data: bytes = b"", length: int | None = None) -> Maker:
    """A file of safetensors with this header, and perhaps another length of it than it has."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return lambda _grounds: struct.pack("<Q", len(text) if length is None else length) + text + data


def one(**about: Any) -> Maker:
    """Safetensors of one tensor, of which this is said."""
    return tensors({"head.fc.bias": {"dtype": "F32", "shape": [10], "data_offsets": [0, 40]} | about}, bytes(40))


def spoiled(change: Callable[[State], object]) -> Maker:
    """Sound safetensors, one thing changed."""

    def make(_grounds: Grounds) -> bytes:
        weights = state()
        change(weights)
        return bytes(save(weights))

    return make


def _fill(weights: State, value: float, part: str = "") -> None:
    for name, tensor in weights.items():
        if part in name and tensor.is_floating_point():
            tensor.fill_(value)


def cut(whole: Callable[[State], bytes]) -> Maker:
    """The beginning of a checkpoint."""

    def make(_grounds: Grounds) -> bytes:
        raw = whole(state())
        return raw[: int(0.6 * len(raw))]

    return make


def flipped(whole: Callable[[State], bytes], count: int = 40) -> Maker:
    """A checkpoint so many bytes of which are others."""

    def make(grounds: Grounds) -> bytes:
        raw = bytearray(whole(state()))
        for _ in range(count):
            raw[grounds.rng.randrange(len(raw))] = grounds.rng.randrange(256)
        return bytes(raw)

    return make


def bomb(_grounds: Grounds) -> bytes:
    """A checkpoint's archive that grows when it is unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/data/0", bytes(80_000_000))
    return file.getvalue()


def legacy(content: object) -> bytes:
    """As PyTorch saved before 1.6."""
    return saved(content, _use_new_zipfile_serialization=False)


MAKERS: Makers = {
    "good safetensors": lambda _grounds: bytes(save(state())),
    "a good checkpoint": lambda _grounds: saved({"state_dict": state()}),
    "nothing": lambda _grounds: b"",
    "noise": lambda grounds: grounds.rng.randbytes(4000),
    "a page of HTML": lambda _grounds: b"<!doctype html><script>alert(1)</script>",
    **{f"a bare program, protocol {protocol}": raw_program(protocol) for protocol in (0, 2, 4, 5)},
    **{f"a program in a pickle, {nth}": program(nth, pickled) for nth in range(7)},
    **{f"a program in a checkpoint, {nth}": program(nth, saved) for nth in range(7)},
    "a program in an old checkpoint": program(0, legacy),
    **{
        f"{module}.{name}": by_name(module, name)
        for module, name in (
            ("posix", "system"), ("subprocess", "Popen"), ("builtins", "__import__"), ("torch.hub", "load"),
            ("torch._C", "import_ir_module"), ("numpy", "load"), ("runpy", "run_path"), ("code", "interact"),
            ("torch.serialization", "load"), ("pty", "spawn"), ("app.base.settings", "load"), ("x" * 100_000, "y"),
        )
    },
    "TorchScript": script,
    "lists 100,000 deep": lambda _grounds: nested(100_000),
    "lists 100,000 deep in a checkpoint": lambda _grounds: _archived(nested(100_000)),
    "2³⁰ lists": lambda _grounds: laughs(30),
    "2³⁰ lists in a checkpoint": lambda _grounds: _archived(laughs(30)),
    "a tensor beyond its storage": strided((10,), (10**6,), 0),
    "a tensor before its storage": strided((10,), (1,), -400),
    "a tensor of 10¹² numbers": strided((10**6, 10**6), (0, 0), 0),
    "a negative size": strided((-10,), (1,), 0),
    "an archive that is a bomb": bomb,
    "an archive of nothing": lambda _grounds: b"PK\x05\x06" + bytes(18),
    **{f"half a {how}": cut(whole) for how, whole in (("file of safetensors", save), ("checkpoint", saved))},
    "a damaged file of safetensors": flipped(save),
    "a damaged checkpoint": flipped(saved),
    "a damaged old checkpoint": flipped(legacy),
    "a header of 2⁶³ bytes": tensors({}, length=2**63 - 1),
    "a header of 2⁶⁴ bytes": tensors({}, length=2**64 - 1),
    "a header longer than the file": tensors({}, length=10_000),
    "a header that is no JSON": tensors(b"{]"),
    "a header that is not UTF-8": tensors(b'{"\xff\xfe": 1}'),
    "a header 100,000 deep": tensors(b'{"a":' * 100_000),
    "a header of nothing": tensors({}),
    "a header with a name twice": tensors(b'{"a":1,' * 2 + b'"b":1}', bytes(8)),
    "metadata that is a list": tensors({"__metadata__": [1, 2]}),
    "offsets beyond the end": one(data_offsets=[0, 4_000_000]),
    "offsets that are negative": one(data_offsets=[-40, 0]),
    "offsets backwards": one(data_offsets=[40, 0]),
    "a shape of 10³⁶": one(shape=[10**18, 10**18]),
    "a shape of 2⁶³ × 2": one(shape=[2**63, 2]),
    "a negative shape": one(shape=[-10]),
    "a shape of text": one(shape="ten"),
    "a type that is none": one(dtype="F33"),
    "a shape larger than its bytes": one(shape=[100]),
    "all NaN": spoiled(lambda weights: _fill(weights, float("nan"))),
    "all infinite": spoiled(lambda weights: _fill(weights, float("inf"))),
    "variances below zero": spoiled(lambda weights: _fill(weights, -1.0, "running_var")),
    "a wrong shape": spoiled(lambda weights: weights.update({"head.fc.bias": torch.zeros(11)})),
    "a tensor of no size": spoiled(lambda weights: weights.update({"head.fc.bias": torch.zeros(0)})),
    "a tensor missing": spoiled(lambda weights: weights.pop("head.fc.bias")),
    "a tensor too many": spoiled(lambda weights: weights.update({"<img src=x onerror=alert(1)>": torch.zeros(3)})),
    "a name of a megabyte": spoiled(lambda weights: weights.update({"x" * 1_000_000: torch.zeros(3)})),
    "ten thousand tensors": spoiled(lambda weights: weights.update({f"t{n}": torch.zeros(1) for n in range(10_000)})),
    "numbers that are truths": spoiled(lambda weights: weights.update({"head.fc.bias": torch.zeros(10).bool()})),
    "names that are numbers": lambda _grounds: saved({1: torch.zeros(3), 2.5: torch.zeros(3), None: torch.zeros(3)}),
    "a list": lambda _grounds: saved([torch.zeros(3)] * 3),
    "a dictionary in itself": lambda _grounds: saved(_in_itself()),
    "a sparse tensor": lambda _grounds: saved({**state(), "head.fc.bias": torch.zeros(10).to_sparse()}),
    "complex numbers": lambda _grounds: saved({**state(), "head.fc.bias": torch.zeros(10, dtype=torch.complex64)}),
    "a tensor without numbers": lambda _grounds: saved({**state(), "head.fc.bias": torch.zeros(10, device="meta")}),
}  # fmt: skip


def _archived(content: bytes) -> bytes:
    """A pickle where a checkpoint's archive has its own."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return file.getvalue()


def _in_itself() -> dict[str, Any]:
    content: dict[str, Any] = {"a": torch.zeros(3)}
    content["state_dict"] = content
    return content
