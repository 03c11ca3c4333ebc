"""Zips of images, as people make them, and a store that takes them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from app.data.zip_safety import Limits
from app.data.zip_upload import ingest
from app.values.datasets import DataSet

Bytes = NDArray[np.uint8]


def noise(seed: int, *shape: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, shape or (32, 32, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(pixels: Bytes) -> bytes:
    return encoded(Image.fromarray(pixels))


def two_classes(each: int = 10, top: str = "", grey: bool = False) -> dict[str, bytes]:
    """Members of a good zip: `cat` and `dog`, noise, 32×32."""
    shape = (32, 32) if grey else (32, 32, 3)
    return {
        f"{top}{folder}/{n:03}.png": png(noise(1000 * k + n, *shape))
        for k, folder in enumerate(("cat", "dog"))
        for n in range(each)
    }


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class Uploads:
    """A store in a temporary folder, and zips to put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "store"

    def take(self, members: dict[str, bytes] | Path, limits: Limits | None = None, title: str = "") -> DataSet:
        """Upload these members, or that zip."""
        archive = members if isinstance(members, Path) else zipped(self.folder / "upload.zip", members)
        return ingest(archive, self.store, title, limits)

    def arrays(self, dataset: DataSet) -> dict[str, NDArray[Any]]:
        """The tensors that were kept of a data set."""
        arrays: dict[str, NDArray[Any]] = load_file(self.store / "data" / f"{dataset.name}.safetensors")
        return arrays

    def read(self, content: bytes) -> NDArray[Any]:
        """What one image among noise becomes: C×32×32. It is the first training image of the first class."""
        return self.arrays(self.take({**two_classes(), "cat/000.png": content}))["train"][0]

    @property
    def kept(self) -> list[str]:
        """Every file in the folder, uploads apart."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file() and path.name != "upload.zip")
