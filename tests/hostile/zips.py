"""Zips of class folders as nobody should make them."""

import io
import random
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

from tests.hostile import Grounds, Makers

Members = dict[str, bytes]
Edit = Callable[[zipfile.ZipInfo], None]

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def png(rng: random.Random) -> bytes:
    """A picture of noise, 32×32."""
    file = io.BytesIO()
    Image.fromarray(np.frombuffer(rng.randbytes(32 * 32 * 3), np.uint8).reshape(32, 32, 3)).save(file, "PNG")
    return file.getvalue()


def good(rng: random.Random) -> Members:
    """Two classes of ten pictures."""
    return {f"{folder}/{n}.png": png(rng) for folder in ("cat", "dog") for n in range(10)}


def zipped(
    members: Members | Iterable[tuple[str, bytes]], edit: Edit = lambda _info: None, comment: bytes = b""
) -> bytes:
    """A zip; `edit` changes what it says of each member, before the member is written."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items() if isinstance(members, dict) else members:
            info = zipfile.ZipInfo("x")
            info.filename = name  # as it is: the constructor would end it at a NUL
            info.compress_type = zipfile.ZIP_DEFLATED
            edit(info)
            archive.writestr(info, content)
        archive.comment = comment
    return file.getvalue()


def with_member(name: str, content: bytes = b"", mode: int = 0) -> Callable[[Grounds], bytes]:
    """A good zip with one member more. In its name, OUTSIDE stands for a folder beside the store."""

    def make(grounds: Grounds) -> bytes:
        called = name.replace("OUTSIDE", str(grounds.outside))

        def edit(info: zipfile.ZipInfo) -> None:
            if info.filename == called and mode:
                info.external_attr = mode << 16

        return zipped({**good(grounds.rng), called: content or png(grounds.rng)}, edit)

    return make


def renamed(folder: str) -> Callable[[Grounds], bytes]:
    """A good zip, one class of which has that name."""
    return lambda grounds: zipped({name.replace("cat", folder, 1): kept for name, kept in good(grounds.rng).items()})


def patched(signature: bytes, offset: int, value: bytes, nth: int | None = None) -> Callable[[Grounds], bytes]:
    """A good zip with these bytes so far behind a signature: behind each of them, or the nth alone."""

    def make(grounds: Grounds) -> bytes:
        raw, place, found = bytearray(zipped(good(grounds.rng))), -1, 0
        while (place := raw.find(signature, place + 1)) >= 0:
            if nth is None or found == nth:
                raw[place + offset : place + offset + len(value)] = value
            found += 1
        return bytes(raw)

    return make


def cut(share: float) -> Callable[[Grounds], bytes]:
    """The beginning of a good zip."""

    def make(grounds: Grounds) -> bytes:
        raw = zipped(good(grounds.rng))
        return raw[: int(len(raw) * share)]

    return make


def flipped(count: int) -> Callable[[Grounds], bytes]:
    """A good zip, so many bytes of which are others."""

    def make(grounds: Grounds) -> bytes:
        raw = bytearray(zipped(good(grounds.rng)))
        for _ in range(count):
            raw[grounds.rng.randrange(len(raw))] = grounds.rng.randrange(256)
        return bytes(raw)

    return make


def bomb(members: int, megabytes: int, name: str = "{folder}/{n}.png") -> Callable[[Grounds], bytes]:
    """Zeros: a thousandth of their size when packed."""
    zeros = bytes(1_000_000 * megabytes)
    return lambda _grounds: zipped(
        {name.format(folder=folder, n=n): zeros for folder in ("cat", "dog") for n in range(members)}
    )


def nested(depth: int) -> Callable[[Grounds], bytes]:
    """A bomb in a zip in a zip …"""

    def make(grounds: Grounds) -> bytes:
        inner = bomb(1, 10)(grounds)
        for _ in range(depth):
            inner = zipped({f"{folder}/{n}.png": inner for folder in ("cat", "dog") for n in range(10)})
        return inner

    return make


def overlapping(count: int) -> Callable[[Grounds], bytes]:
    """So many entries of the directory share one packed member of 20 MB (Fifield 2019)."""

    def make(_grounds: Grounds) -> bytes:
        content = bytes(20_000_000)
        packed = zlib.compress(content, 9)[2:-4]
        sizes = struct.pack("<III", zlib.crc32(content), len(packed), len(content))
        local = (
            LOCAL + struct.pack("<HHHHH", 20, 0, 8, 0, 33) + sizes + struct.pack("<HH", 9, 0) + b"cat/1.png" + packed
        )
        about = (
            CENTRAL + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 33) + sizes + struct.pack("<HHHHHII", 9, 0, 0, 0, 0, 0, 0)
        )
        entries = b"".join(about + f"{'cd'[n % 2]}/{n:07}".encode() for n in range(count))
        return (
            local
            + entries
            + END
            + struct.pack("<HHHHIIH", 0, 0, count & 65535, count & 65535, len(entries), len(local), 0)
        )

    return make


def tar(grounds: Grounds) -> bytes:
    """Another kind of archive under a zip's name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in good(grounds.rng).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def _packed_by(method: int) -> Callable[[Grounds], bytes]:
    return lambda grounds: zipped(good(grounds.rng), lambda info: setattr(info, "compress_type", method))


def _twice(grounds: Grounds) -> bytes:
    with warnings.catch_warnings(action="ignore"):
        return zipped([*good(grounds.rng).items(), *good(grounds.rng).items()])


def _of(count: int, name: str) -> Callable[[Grounds], bytes]:
    return lambda _grounds: zipped((name.format(n), b"") for n in range(count))


MAKERS: Makers = {
    "a good zip": lambda grounds: zipped(good(grounds.rng)),
    "nothing": lambda _grounds: b"",
    "two letters": lambda _grounds: b"PK",
    "noise": lambda grounds: grounds.rng.randbytes(5000),
    "noise behind a signature": lambda grounds: LOCAL + grounds.rng.randbytes(5000),
    "only an end": lambda _grounds: END + bytes(18),
    "a tar": tar,
    "a page of HTML": lambda _grounds: b"<!doctype html><script>alert(1)</script>",
    "cut at half": cut(0.5),
    "cut within the directory": cut(0.97),
    "behind a megabyte of noise": lambda grounds: grounds.rng.randbytes(1_000_000) + zipped(good(grounds.rng)),
    **{f"{count} bytes changed": flipped(count) for count in (1, 3, 10, 30, 100, 300)},
    "a flat bomb": bomb(2, 20),
    "one large member": bomb(1, 40),
    "a nested bomb": nested(3),
    "ten thousand names for one bomb": overlapping(10_000),
    "70,000 names for one bomb": overlapping(70_000),
    "sizes of 10 bytes": patched(CENTRAL, 24, struct.pack("<I", 10)),
    "sizes of 4 GB": patched(CENTRAL, 24, b"\xfe\xff\xff\xff"),
    "sizes in a ZIP64 that is not there": patched(CENTRAL, 20, b"\xff" * 8),
    "wrong checksums": patched(CENTRAL, 16, b"evil"),
    "one wrong checksum": patched(CENTRAL, 16, b"evil", nth=3),
    "other names inside": patched(LOCAL, 30, b"../"),
    "places beyond the end": patched(CENTRAL, 42, b"\xf0\xff\xff\x7f"),
    "all members in one place": patched(CENTRAL, 42, bytes(4)),
    "a directory beyond the end": patched(END, 16, b"\xf0\xff\xff\x7f"),
    "a directory of no size": patched(END, 12, bytes(4)),
    "65,535 entries said": patched(END, 8, b"\xff" * 4),
    "encrypted": patched(CENTRAL, 8, b"\x01\x00"),
    "strongly encrypted": patched(CENTRAL, 8, b"\x41\x00"),
    "a date that is none": patched(CENTRAL, 12, b"\xff" * 4),
    "a method that is none": patched(CENTRAL, 10, b"\x63\x00"),
    "packed by bzip2": _packed_by(zipfile.ZIP_BZIP2),
    "packed by LZMA": _packed_by(zipfile.ZIP_LZMA),
    "25,000 files": _of(25_000, "cat/{}"),
    "300 classes": _of(300, "{}/1.png"),
    "a long comment": lambda grounds: zipped(good(grounds.rng), comment=b"<script>" * 8000),
    "one class": lambda grounds: zipped({f"cat/{n}.png": png(grounds.rng) for n in range(10)}),
    "no class": lambda grounds: zipped({f"{n}.png": png(grounds.rng) for n in range(10)}),
    "every member twice": _twice,
    "out by dots": with_member("../../canary"),
    "out by dots within": with_member("cat/../../../canary"),
    "out by an absolute name": with_member("OUTSIDE/canary"),
    "out by a drive": with_member("C:\\canary.png"),
    "out by a share": with_member("\\\\server\\share\\canary.png"),
    "out by backslashes": with_member("..\\..\\canary"),
    "a link": with_member("cat/link.png", b"/etc/passwd", stat.S_IFLNK | 0o777),
    "a linked folder": with_member("bird", b"/etc", stat.S_IFLNK | 0o777),
    "a device": with_member("cat/zero.png", b"x", stat.S_IFCHR | 0o666),
    "a pipe": with_member("cat/pipe.png", b"x", stat.S_IFIFO | 0o666),
    "a file where a folder is": with_member("cat"),
    "a thousand folders deep": with_member("d/" * 1000 + "1.png"),
    "a name of 60,000 letters": with_member("cat/" + "x" * 60_000),
    "a name of HTML": renamed("<img src=x onerror=alert(1)>"),
    "a name of Markdown": renamed("[x](javascript:alert(1)) $x$ :red[y]"),
    "a name with a NUL": renamed("ca\0t"),
    "a name of control characters": renamed("\x1b[31m\r\n\t\x07"),
    "a name from right to left": renamed("\u202etac"),
    "a name of nothing": renamed("\u200b"),
    "a name of combining marks": renamed("Z" + "\u0351\u0343" * 300),
    "a name that is a formula": renamed("=cmd|' /C calc'!A0"),
    "names that are not UTF-8": lambda grounds: zipped(
        {f"Ärger{name}": kept for name, kept in good(grounds.rng).items()}
    ).replace("Ä".encode(), b"\xff\xfe"),
}  # fmt: skip
