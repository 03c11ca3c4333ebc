"""The data sets by name: what can be said of them without loading them."""

import math
import re
import struct
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

Source = Literal["bundled", "torchvision", "upload", "none"]  # none: its images cannot be had


class DataError(ValueError):
    """A data set cannot be used. The message is for people: what happened, and what to do."""


class DataUnavailable(DataError):  # noqa: N818 (it names a state of the world, as the page shows it)
    """A data set is not here and could not be fetched. Nothing was changed: asking again is safe."""


class UploadError(DataError):
    """An upload was refused, and nothing kept of it."""


class DataSet(BaseModel):
    """One data set. `mean` and `std` are per channel, of pixel values in 0…1, over its training images.

    `remark`: what a reader of an uploaded set should know, for example which of its files were left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    source: Source
    channels: int
    size: int
    labels: tuple[str, ...]
    train_images: int
    test_images: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    download_bytes: int = 0
    credit: str = ""
    remark: str = ""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.labels)

    @property
    def mean_pixel(self) -> tuple[int, ...]:
        """The pixel value of each channel, 0…255, that normalisation takes to zero (within half a grey level)."""
        return tuple(round(255 * mean) for mean in self.mean)


_DIGITS = tuple("0123456789")
_CLOTHES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
_CIFAR_10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_CIFAR_100 = tuple(
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle "
    "caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant "
    "flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man "
    "maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree "
    "plain plate poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper "
    "snail snake spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train "
    "trout tulip turtle wardrobe whale willow_tree wolf woman worm".split()
)

BUNDLED = "fashion-mnist-mini"

DATASETS: dict[str, DataSet] = {
    dataset.name: dataset
    for dataset in (
        DataSet(
            name=BUNDLED,
            title="Fashion-MNIST, 10,000",
            source="bundled",
            channels=1,
            size=28,
            labels=_CLOTHES,
            train_images=10_000,
            test_images=2_000,
            mean=(0.2867,),
            std=(0.3540,),
            credit="Xiao, Rasul and Vollgraf 2017, Zalando SE, MIT licence: a class-balanced subset",
        ),
        DataSet(
            name="fashion-mnist",
            title="Fashion-MNIST",
            source="torchvision",
            channels=1,
            size=28,
            labels=_CLOTHES,
            train_images=60_000,
            test_images=10_000,
            mean=(0.2860,),
            std=(0.3530,),
            download_bytes=30_878_645,
            credit="Xiao, Rasul and Vollgraf 2017, Zalando SE, MIT licence",
        ),
        DataSet(
            name="mnist",
            title="MNIST",
            source="torchvision",
            channels=1,
            size=28,
            labels=_DIGITS,
            train_images=60_000,
            test_images=10_000,
            mean=(0.1307,),
            std=(0.3081,),
            download_bytes=11_594_722,
            credit="LeCun, Cortes and Burges 1998",
        ),
        DataSet(
            name="cifar-10",
            title="CIFAR-10",
            source="torchvision",
            channels=3,
            size=32,
            labels=_CIFAR_10,
            train_images=50_000,
            test_images=10_000,
            mean=(0.4914, 0.4822, 0.4465),
            std=(0.2470, 0.2435, 0.2616),
            download_bytes=170_498_071,
            credit="Krizhevsky 2009",
        ),
        DataSet(
            name="cifar-100",
            title="CIFAR-100",
            source="torchvision",
            channels=3,
            size=32,
            labels=_CIFAR_100,
            train_images=50_000,
            test_images=10_000,
            mean=(0.5071, 0.4865, 0.4409),
            std=(0.2673, 0.2564, 0.2762),
            download_bytes=169_001_437,
            credit="Krizhevsky 2009",
        ),
    )
}


# What nets of torchvision's were trained on. Its images may not be passed on; of it are here the names alone.
IMAGENET = DataSet(
    name="imagenet",
    title="ImageNet",
    source="none",
    channels=3,
    size=224,
    labels=tuple((Path(__file__).parents[2] / "assets" / "imagenet_classes.txt").read_text("utf-8").splitlines()),
    train_images=0,
    test_images=0,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    credit="Russakovsky et al. 2015; the classes' names after torchvision, BSD licence",
)
NAMED = {**DATASETS, IMAGENET.name: IMAGENET}  # menus offer `DATASETS`


def check_images(dataset: DataSet) -> None:
    """Raises DataError where the images of a set cannot be had."""
    if not dataset.test_images:
        raise DataError(
            f"This needs test images with their classes, and {dataset.title}'s may not be passed on. The Features page "
            "looks into the same net with a picture of your own; nets trained on the other data sets can be asked here"
        )


class Files(NamedTuple):
    """Where a torchvision data set lies under the data folder, as torchvision names it."""

    torchvision: str  # the name of its class
    archives: tuple[str, ...]  # what is downloaded
    files: tuple[str, ...]  # what is read


_IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
_BATCHES = (*(f"data_batch_{n}" for n in range(1, 6)), "test_batch", "batches.meta")


def _idx(name: str) -> Files:
    files = tuple(f"{name}/raw/{file}" for file in _IDX)
    return Files(name, tuple(f"{file}.gz" for file in files), files)


def _pickles(name: str, archive: str, folder: str, files: tuple[str, ...]) -> Files:
    return Files(name, (archive,), tuple(f"{folder}/{file}" for file in files))


FILES: dict[str, Files] = {
    "mnist": _idx("MNIST"),
    "fashion-mnist": _idx("FashionMNIST"),
    "cifar-10": _pickles("CIFAR10", "cifar-10-python.tar.gz", "cifar-10-batches-py", _BATCHES),
    "cifar-100": _pickles("CIFAR100", "cifar-100-python.tar.gz", "cifar-100-python", ("train", "test", "meta")),
}

UPLOAD_NAME = re.compile(r"own-[0-9a-f]{12}")


def known_name(name: str) -> str:
    """`name`, if it names a data set or has the form of an uploaded one's. Raises ValueError otherwise."""
    if name in NAMED or UPLOAD_NAME.fullmatch(name):
        return name
    raise ValueError(f"unknown data set {name[:60]!r}: {', '.join(DATASETS)}")


def available(name: str, root: Path) -> bool:
    """True if nothing has to be downloaded before `name` is loaded, `root` being the data folder.

    Cheap: looks at sizes and headers, not at checksums. Bundled and uploaded sets are never downloaded.
    """
    return name not in FILES or all(_is_whole(root / file) for file in FILES[name].files)


def _is_whole(path: Path) -> bool:
    """True for a file that is there and, if it is in the idx format (whose header tells its size), complete."""
    try:
        size = path.stat().st_size
        if "-ubyte" not in path.name:
            return size > 0
        with path.open("rb") as file:
            magic = file.read(4)
            dimensions = struct.unpack(f">{magic[3]}I", file.read(4 * magic[3]))
    except (OSError, IndexError, struct.error):
        return False
    return size == 4 + 4 * len(dimensions) + math.prod(dimensions)


def upload_files(name: str, store: Path) -> tuple[Path, Path]:
    """Where an uploaded data set lies in the store: its tensors, and what is said of them."""
    return store / "data" / f"{name}.safetensors", store / "data" / f"{name}.json"


def find(name: str, store: Path) -> DataSet | None:
    """The data set of that name: one of `NAMED`, or an uploaded one that is whole in the store folder; else None."""
    if name in NAMED:
        return NAMED[name]
    if not UPLOAD_NAME.fullmatch(name):
        return None
    tensors, description = upload_files(name, store)
    try:
        dataset = DataSet.model_validate_json(description.read_bytes())
    except (OSError, ValidationError):
        return None
    return dataset if dataset.name == name and tensors.is_file() else None


def uploaded(store: Path) -> list[DataSet]:
    """The uploaded data sets of a store folder, by title."""
    whole = (find(path.stem, store) for path in (store / "data").glob("own-*.json"))
    return sorted((dataset for dataset in whole if dataset), key=lambda dataset: (dataset.title, dataset.name))
