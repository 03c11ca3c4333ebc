"""The data sets by name: what can be said of them without loading them."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

Source = Literal["bundled", "torchvision", "upload"]


class DataSet(BaseModel):
    """One data set. `mean` and `std` are per channel, of pixel values in 0…1, over its training images."""

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

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.labels)


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
            mean=(0.2860,),
            std=(0.3530,),
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

UPLOAD_NAME = re.compile(r"own-[0-9a-f]{12}")


def known_name(name: str) -> str:
    """`name`, if it names a data set or has the form of an uploaded one's. Raises ValueError otherwise."""
    if name in DATASETS or UPLOAD_NAME.fullmatch(name):
        return name
    raise ValueError(f"unknown data set {name[:60]!r}: {', '.join(DATASETS)}")
