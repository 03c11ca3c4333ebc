"""A zip of class folders → one's own data set: 32×32 images in the store. Without torch."""

import hashlib
import json
import os
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from app.data.pictures import Bytes, PictureError, decoded
from app.data.zip_safety import Budget, Limits, Part, UnreadableError, class_names, in_classes, opened, plain, unpacked
from app.values.datasets import DataSet, UploadError, find, upload_files

SIZE = 32  # pixels: what the CIFAR form is for
PART_SECONDS = 2.0  # of a worker's time, before it is others' turn
EVERY = 5  # without train and test folders, each class's every fifth image is a test image


@dataclass(frozen=True)
class Read:
    """How far a zip has been read: files done, bytes unpacked and pixels decoded; `over` once all files are done."""

    files: int = 0
    bytes: int = 0
    pixels: int = 0
    over: bool = False


def ingest(archive: Path, store: Path, title: str = "", limits: Limits | None = None) -> DataSet:
    """Read the zip `archive` into `<store>/data`, as `read_on` and `keep` do, and leave nothing beside it."""
    limits, read = limits or Limits(), Read()
    try:
        while not read.over:
            read = read_on(archive, limits, read)
        return keep(archive, store, title, limits)
    finally:
        for part in _parts(archive):
            part.unlink()


def read_on(archive: Path, limits: Limits, read: Read) -> Read:
    """Read files of the zip for PART_SECONDS, at least one: whoever reads for many does something else in between.

    What became of them lies beside the zip, for the next call and for `keep`. Raises UploadError, one sentence.
    """
    until = time.monotonic() + PART_SECONDS
    images: list[Bytes] = []
    places: list[int] = []
    unreadable: list[str] = []
    with opened(archive, limits) as source:
        entries, _ = in_classes(source, limits)
        class_names(entries, limits)
        budget = Budget(limits, archive.stat().st_size, read.bytes, read.pixels)
        done = read.files
        for entry in entries[read.files :]:
            try:
                images.append(_decoded(unpacked(source, entry.member, budget), budget))
            except UnreadableError as error:
                unreadable.append(f"{plain(entry.path, 80)} ({error})")
            else:
                places.append(done)
            done += 1
            if time.monotonic() > until:
                break
    pixels = np.stack(images) if images else np.empty((0, SIZE, SIZE, 3), np.uint8)
    with _part(archive, read.files).open("wb") as file:
        np.savez(file, pixels=pixels, places=np.array(places, np.int64), unreadable=np.array(unreadable, np.str_))
    return Read(done, budget.bytes, budget.pixels, done == len(entries))


def keep(archive: Path, store: Path, title: str, limits: Limits) -> DataSet:
    """What was read of a zip → `<store>/data`: uint8 N×C×32×32, centred squares; C is 1 if all images are grey.

    Named after what is in the images, so that the same upload twice is one data set. `title`: what to call it, by
    default the file's name. Transparent pixels become white, animations their first frame. Files that cannot be read
    are left out and named in `remark`, unless they are more than a quarter. Raises UploadError, one sentence; the store
    is then as it was.
    """
    with opened(archive, limits) as source:
        entries, stray = in_classes(source, limits)
        names = class_names(entries, limits)
    images: list[Bytes] = []
    labels: list[int] = []
    parts: list[Part | None] = []
    unreadable: list[str] = []
    for path in _parts(archive):
        with np.load(path) as part:
            images.extend(part["pixels"])
            unreadable.extend(part["unreadable"].tolist())
            read = [entries[place] for place in part["places"]]
        labels.extend(list(names).index(entry.folder) for entry in read)
        parts.extend(entry.part for entry in read)
    if 4 * len(unreadable) > len(entries):
        raise UploadError(
            f"{len(unreadable)} of {len(entries)} files could not be read as images, for example {unreadable[0]}: "
            "check them and upload again"
        )
    arrays = _arrays(images, labels, _split(labels, parts))
    _check_classes(arrays, tuple(names.values()), limits)
    dataset = _described(
        arrays, tuple(names.values()), plain(title or archive.stem) or "own images", unreadable + stray
    )
    kept = find(dataset.name, store) or dataset  # uploaded before: its title stays, its images are written anew
    _keep(kept, arrays, store)
    return kept


def _part(archive: Path, begin: int) -> Path:
    """Where the files from that one on wait, once they are read."""
    return archive.with_name(f"{archive.name}.{begin:06d}.npz")


def _parts(archive: Path) -> list[Path]:
    return sorted(archive.parent.glob(f"{escape(archive.name)}.*.npz"))


def _decoded(content: bytes, budget: Budget) -> Bytes:
    """The image as SIZE×SIZE×3."""
    try:
        return decoded(content, SIZE, budget.limits.pixels, lambda pixels: budget.spend(pixels=pixels))
    except PictureError as error:
        raise UnreadableError(str(error)) from error


def _split(labels: Sequence[int], parts: Sequence[Part | None]) -> list[Part]:
    """The part that each image belongs to: its folder's or, without such folders, every fifth of a class is a test."""
    seen: Counter[int] = Counter()
    result: list[Part] = []
    for label, part in zip(labels, parts, strict=True):
        seen[label] += 1
        result.append(part or ("test" if seen[label] % EVERY == 0 else "train"))
    return result


def _in_turn(labels: Sequence[int], parts: Sequence[Part], part: Part) -> list[int]:
    """Which images make up that part: one of each class in turn, so that the first so many are balanced too."""
    seen: Counter[int] = Counter()
    turns = []
    for image, label in enumerate(labels):
        if parts[image] == part:
            seen[label] += 1
            turns.append((seen[label], label, image))
    return [image for _, _, image in sorted(turns)]


def _arrays(images: Sequence[Bytes], labels: Sequence[int], parts: Sequence[Part]) -> dict[str, NDArray[Any]]:
    """`train`, `test`: N×C×32×32 uint8; `train_labels`, `test_labels`: N int64."""
    channels = 1 if all((image == image[..., :1]).all() for image in images) else 3
    arrays: dict[str, NDArray[Any]] = {}
    for part in get_args(Part):
        chosen = _in_turn(labels, parts, part)
        x = np.zeros((len(chosen), channels, SIZE, SIZE), np.uint8)
        for n, image in enumerate(chosen):
            x[n] = images[image][..., :channels].transpose(2, 0, 1)
        arrays |= {part: x, f"{part}_labels": np.array([labels[image] for image in chosen], np.int64)}
    return arrays


def _check_classes(arrays: dict[str, NDArray[Any]], names: Sequence[str], limits: Limits) -> None:
    for label, name in enumerate(names):
        train, test = (int((arrays[f"{part}_labels"] == label).sum()) for part in get_args(Part))
        if train < limits.train_images or test < limits.test_images:
            raise UploadError(
                f"the class {name} has {train} readable images to train on and {test} to test on: at least "
                f"{limits.train_images} and {limits.test_images} are needed; add images or leave its folder out"
            )


def _described(arrays: dict[str, NDArray[Any]], labels: tuple[str, ...], title: str, left_out: list[str]) -> DataSet:
    train = arrays["train"]
    # Exact, without a floating-point copy of the images: channels × 256 counts.
    counts = np.stack([np.bincount(train[:, c].ravel(), minlength=256) for c in range(train.shape[1])])
    shares, levels = counts / counts.sum(1, keepdims=True), np.arange(256) / 255
    mean = shares @ levels
    std = np.sqrt((shares * (levels - mean[:, None]) ** 2).sum(1)).clip(min=1 / 255)  # never zero
    content = hashlib.sha256(json.dumps([train.shape, labels]).encode())
    for array in arrays.values():
        content.update(array.tobytes())
    remark = f"left out ({len(left_out)}): {', '.join(left_out[:5])}" if left_out else ""
    return DataSet(
        name=f"own-{content.hexdigest()[:12]}",
        title=title,
        source="upload",
        channels=train.shape[1],
        size=SIZE,
        labels=labels,
        train_images=len(train),
        test_images=len(arrays["test"]),
        mean=tuple(mean.round(4).tolist()),
        std=tuple(std.round(4).tolist()),
        credit="uploaded here",
        remark=remark + (", …" if len(left_out) > 5 else ""),
    )


def _keep(dataset: DataSet, arrays: dict[str, NDArray[Any]], store: Path) -> None:
    tensors, description = upload_files(dataset.name, store)
    try:
        tensors.parent.mkdir(parents=True, exist_ok=True)
        _write(tensors, save(arrays))
        _write(description, dataset.model_dump_json(indent=1).encode())  # last: now it is there
    except OSError as error:
        raise UploadError(
            f"the images could not be saved ({error.strerror}): nothing was changed; once that is mended, upload again"
        ) from error


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, even if two do it at a time or the power fails."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
