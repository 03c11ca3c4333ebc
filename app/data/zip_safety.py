"""Somebody's zip of class folders: what is in it, without trusting it. Nothing is ever written under its names.

Names are compared, never used as paths; declared sizes are not believed: members are unpacked into memory, one at a
time, up to a cap. `cat/1.png`, `dog/1.jpg`, …, perhaps below one top folder, or below `train/` and `test/` (`val/`).
"""

import contextlib
import io
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal, NamedTuple

from app.values.datasets import UploadError

Part = Literal["train", "test"]

PARTS: dict[str, Part] = {"train": "train", "training": "train", "test": "test", "testing": "test"}
PARTS |= {"val": "test", "valid": "test", "validation": "test"}
SYSTEM_FILES = ("__macosx", "thumbs.db", "desktop.ini")  # lower case; so are names that begin with a dot
CENTRAL_ENTRY = b"PK\x01\x02"  # each file's signature in the zip's directory

_Member = tuple[list[str], zipfile.ZipInfo]


@dataclass(frozen=True)
class Limits:
    """What one upload may hold. Bytes are counted as they are unpacked, pixels as they are decoded."""

    archive_bytes: int = 1_000_000_000
    files: int = 20_000
    classes: int = 100
    member_bytes: int = 30_000_000
    total_bytes: int = 2_000_000_000
    ratio: int = 400  # unpacked ÷ packed, of the whole zip; a photo's is about 1, a bomb's 1000
    pixels: int = 50_000_000
    total_pixels: int = 5_000_000_000
    train_images: int = 8  # at least, of each class
    test_images: int = 2


class Entry(NamedTuple):
    """One file of a class folder. `part` is None where the zip has no train and test folders."""

    part: Part | None
    folder: str
    path: str
    member: zipfile.ZipInfo


class UnreadableError(Exception):
    """One file is not an image that can be used; the others may be."""


@dataclass
class Budget:
    """What of the zip has been unpacked and decoded so far. Raises UploadError once that is too much."""

    limits: Limits
    archive_bytes: int
    bytes: int = 0
    pixels: int = 0

    def spend(self, unpacked: int = 0, pixels: int = 0) -> None:
        """Count what was unpacked, in bytes, and what will be decoded, in pixels."""
        self.bytes += unpacked
        self.pixels += pixels
        most = min(self.limits.total_bytes, 1_000_000 + self.limits.ratio * self.archive_bytes)
        if self.bytes > most:
            raise _too_large(most)
        if self.pixels > self.limits.total_pixels:
            raise UploadError(
                f"the images have more than {self.limits.total_pixels / 1e6:,.0f} million pixels in all: "
                "make them smaller and upload again"
            )


def _too_large(most: int) -> UploadError:
    return UploadError(f"the zip unpacks to more than {most / 1e6:.0f} MB: upload fewer or smaller images")


def _too_many(limits: Limits) -> UploadError:
    return UploadError(f"the zip holds more than {limits.files:,} files: upload fewer images")


@contextlib.contextmanager
def opened(archive: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """The zip, once its size and its number of entries are known to be bearable."""
    size = archive.stat().st_size
    if size > limits.archive_bytes:
        raise UploadError(f"the zip has {size / 1e6:.0f} MB: at most {limits.archive_bytes / 1e6:.0f} MB are taken")
    with archive.open("rb") as file:
        begins_like_a_zip = file.read(2) == b"PK"
        # Counted before zipfile builds an object for each of them. Directories and macOS's shadow files are extra.
        if _count(file, CENTRAL_ENTRY, size) > 3 * limits.files:
            raise _too_many(limits)
        try:
            source = zipfile.ZipFile(file)
        except Exception as error:  # hostile bytes make it raise more than BadZipFile
            what = "is damaged or cut short" if begins_like_a_zip else "is not a zip file"
            raise UploadError(f"the upload {what}: make a zip of one folder per class and upload it again") from error
        with source:
            yield source


def _count(file: io.BufferedReader, pattern: bytes, size: int) -> int:
    count, tail = 0, b""
    file.seek(0)
    for _ in range(0, size, 1 << 20):
        chunk = tail + file.read(1 << 20)
        count += chunk.count(pattern)
        tail = chunk[1 - len(pattern) :]
    return count


def in_classes(source: zipfile.ZipFile, limits: Limits) -> tuple[list[Entry], list[str]]:
    """The files of class folders, by folder and name, and the names of those that lie in no class folder.

    Raises UploadError for a zip that is hostile, encrypted, empty or too large.
    """
    members = _members(source, limits)
    if len({parts[0] for parts, _ in members if len(parts) > 1}) == 1 and any(len(parts) > 2 for parts, _ in members):
        members = [(parts[1:] if len(parts) > 1 else parts, member) for parts, member in members]  # one top folder
    tops = {parts[0].lower() for parts, _ in members if len(parts) > 2}
    split = {PARTS[top] for top in tops if top in PARTS} == {"train", "test"}
    entries, stray = [], []
    for parts, member in members:
        path = "/".join(parts)
        part = PARTS.get(parts[0].lower()) if split else None
        inside = parts[1:] if split else parts
        if len(inside) < 2 or (split and part is None):
            stray.append(f"{plain(path, 80)} (in no class folder)")
        else:
            entries.append(Entry(part, inside[0], path, member))
    return entries, stray


def _members(source: zipfile.ZipFile, limits: Limits) -> list[_Member]:
    """Every file with the parts of its name, sorted by name. Refuses the zip for a hostile one among them."""
    members: list[_Member] = []
    for member in source.infolist():
        name = _decoded_name(member)
        parts = name.split("/")
        if name.startswith("/") or re.match(r"[A-Za-z]:", name) or ".." in parts:
            raise UploadError(
                f"the zip names a file outside itself ({plain(name, 80)}): make a zip of one folder per class"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise UploadError(f"the zip holds a link ({plain(name, 80)}): put the images themselves into it")
        parts = [part for part in parts if part not in ("", ".")]
        if member.is_dir() or name.endswith("/") or not parts:
            continue
        if any(part.startswith(".") or part.lower() in SYSTEM_FILES for part in parts):
            continue
        if member.flag_bits & 0x41:
            raise UploadError("the zip is encrypted: make one without a password")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            # bz2 and LZMA cannot be unpacked with a cap on memory, others not at all
            raise UploadError("the zip is packed by an unusual method: make it with the standard one (deflate)")
        members.append((parts, member))
    if not members:
        raise UploadError("the zip holds no files: make a zip of one folder of images per class")
    if len(members) > limits.files:
        raise _too_many(limits)
    declared = sum(member.file_size for _, member in members)
    if declared > limits.total_bytes:
        raise _too_large(limits.total_bytes)
    return sorted(members, key=lambda item: item[0])


def _decoded_name(member: zipfile.ZipInfo) -> str:
    """The member's name with `/` between its parts; UTF-8 that is not marked as such is recognised."""
    name = member.filename
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def class_names(entries: list[Entry], limits: Limits) -> dict[str, str]:
    """What the class of each folder is called, in order: its name as plain text, no two alike.

    Raises UploadError for fewer than two classes, or too many.
    """
    folders = sorted({entry.folder for entry in entries}, key=_by_number_or_name)
    if not folders:
        raise UploadError("the zip holds no folders of images: put each class's images into a folder of its own")
    if len(folders) == 1:
        raise UploadError(
            f"the zip holds one class only ({plain(folders[0])}): at least two folders of images are needed"
        )
    if len(folders) > limits.classes:
        raise UploadError(
            f"the zip holds {len(folders)} class folders: at most {limits.classes} are taken; one folder per class"
        )
    names: dict[str, str] = {}
    for folder in folders:
        name = plain(folder) or "class"
        if name in names.values():
            name = next(other for n in count(2) if (other := f"{name[:35]} {n}") not in names.values())
        names[folder] = name
    return names


def _by_number_or_name(folder: str) -> tuple[float, str]:
    return (float(folder) if re.fullmatch(r"[0-9]{1,15}", folder) else float("inf"), folder)


def plain(text: str, length: int = 40) -> str:
    """Text that is safe to show anywhere: letters, digits, spaces and a few signs; no markup, no control characters."""
    text = unicodedata.normalize("NFC", text)
    kept = (c if unicodedata.category(c)[0] in "LMN" or c in "-_.,'()+/" else " " for c in text)
    return " ".join("".join(kept).split())[:length].strip()


def unpacked(source: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> bytes:
    """The member's content. Raises UnreadableError for one that is damaged or too large, UploadError for a bomb."""
    most = budget.limits.member_bytes
    try:
        with source.open(member) as file:
            content = file.read(most + 1)
    except Exception as error:  # damaged members raise whatever they like
        raise UnreadableError("damaged in the zip") from error
    budget.spend(unpacked=len(content))
    if len(content) > most:
        raise UnreadableError(f"larger than {most / 1e6:.0f} MB")
    return content
