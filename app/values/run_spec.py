"""What run is wanted: net, data, recipe and seed, as one frozen value that round-trips through JSON and the address."""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from app.values.datasets import BUNDLED, NAMED, known_name
from models.spec import NetSpec

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
Schedule = Literal["constant", "step", "linear"]
Normalisation = tuple[tuple[float, ...], tuple[float, ...]]  # mean and standard deviation of each channel, pixels 0…1


class Recipe(BaseModel):
    """How a net is trained: SGD with momentum. Lengths are in epochs or, where `steps` is given, in steps.

    `step`: the rate falls tenfold at each of `milestones` (steps); `linear`: it falls to zero at the end.
    The first `warmup_steps` steps go at `warmup_lr`. `augment`: pad by 4, crop at random, flip at random.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="own", pattern=r"^[a-z0-9-]{1,20}$")
    epochs: int = Field(default=4, ge=1, le=1000)
    steps: int | None = Field(default=None, ge=1, le=1_000_000)
    batch: int = Field(default=128, ge=2, le=4096)
    lr: float = Field(default=0.1, gt=0, le=10)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=1e-4, ge=0, le=1)
    schedule: Schedule = "linear"
    milestones: tuple[int, ...] = ()
    warmup_steps: int = Field(default=0, ge=0)
    warmup_lr: float = Field(default=0.01, gt=0, le=10)
    augment: bool = False

    def rate(self, step: int, total: int) -> float:
        """Learning rate of the update after `step` updates, of `total`."""
        if step < self.warmup_steps:
            return self.warmup_lr
        if self.schedule == "step":
            return self.lr * float(0.1 ** sum(step >= milestone for milestone in self.milestones))
        return self.lr * (1 - step / total) if self.schedule == "linear" else self.lr


SEEDS = (1, 3, 5, 10)  # with how many a race may be trained

RECIPES: dict[str, Recipe] = {
    # A minute on two cores for the default pair; the gap is 10 points of training error long before its end.
    "quick": Recipe(name="quick", epochs=4, schedule="linear"),
    # He 2015, section 4.2.
    "paper": Recipe(name="paper", steps=64_000, schedule="step", milestones=(32_000, 48_000), augment=True),
    # He 2015, section 4.2, on 110 layers: 0.01 until the training error is below 80%, "about 400" steps.
    "paper-warmup": Recipe(
        name="paper-warmup",
        steps=64_000,
        schedule="step",
        milestones=(32_000, 48_000),
        augment=True,
        warmup_steps=400,
    ),
}


class Length(NamedTuple):
    """How long a run is: training images, images a step, steps an epoch, and steps in all."""

    images: int
    batch: int
    epoch_steps: int
    steps: int

    @property
    def epochs(self) -> int:
        """Epochs, the last one begun among them."""
        return -(-self.steps // self.epoch_steps)


class RunSpec(BaseModel):
    """One run. The same spec gives the same events on the same machine and the same resolved settings, times aside.

    `images`: train on the first so many images only. `measure`: gradient norms of every weight layer at every step.
    `normalize`: what the images are normalised by; None: by the data set's own mean and deviation.
    Device, precision and threads are resolved by the worker that first starts the run, and stored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    net: NetSpec
    data: Annotated[str, AfterValidator(known_name)] = BUNDLED
    recipe: Recipe = RECIPES["quick"]
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    images: int | None = Field(default=None, ge=2, le=1_000_000)
    measure: bool = True
    normalize: Normalisation | None = None
    device: Device = "auto"
    precision: Precision = "auto"
    threads: int = Field(default=0, ge=0, le=256)

    @model_validator(mode="after")
    def _net_fits_data(self) -> Self:
        dataset, net = NAMED.get(self.data), self.net
        if dataset and (net.channels, net.classes) != (dataset.channels, dataset.classes):
            raise ValueError(
                f"{net.name} is for {net.channels} channels and {net.classes} classes, "
                f"{dataset.name} has {dataset.channels} and {dataset.classes}"
            )
        return self

    @model_validator(mode="after")
    def _normalisation_fits(self) -> Self:
        mean, std = self.normalize or ((), ())
        if self.normalize and not len(mean) == len(std) == self.net.channels:
            raise ValueError(f"a normalisation of {self.net.channels} channels needs as many means and deviations")
        if not (all(-10 <= value <= 10 for value in mean) and all(0.001 <= value <= 10 for value in std)):
            raise ValueError("a normalisation is for pixels in 0…1: means up to 10, deviations from 0.001 to 10")
        return self

    def length(self, there: int) -> "Length":
        """How long the run is on a data set of so many training images."""
        images = min(self.images or there, there)
        batch = min(self.recipe.batch, images)
        epoch_steps = max(1, images // batch) if batch else 1  # what has no images is refused where it is asked for
        return Length(images, batch, epoch_steps, self.recipe.steps or self.recipe.epochs * epoch_steps)

    def trained_like(self, other: "RunSpec") -> bool:
        """True if both learn the same images by the same recipe."""
        return (self.data, self.recipe) == (other.data, other.recipe)

    @property
    def but_for_seed(self) -> "RunSpec":
        """Equal for the runs of one group: they differ in the seed, and in the threads that were free, alone."""
        return self.model_copy(update={"seed": 0, "threads": 0})

    @property
    def title(self) -> str:
        """Net and data set, for people: `resnet-56 · width 8 · Fashion-MNIST, 10,000`."""
        return f"{net_title(self.net)} · {NAMED[self.data].title if self.data in NAMED else self.data}"


# torchvision's, for nets that were trained on ImageNet.
IMAGENET: Normalisation = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def read_normalisation(text: str, channels: int) -> Normalisation | None:
    """`imagenet`, `dataset` (None), `none`, or numbers, `0.49,0.48,0.45/0.25,0.24,0.26`: one, or one a channel.

    Raises ValueError with one sentence for anything else.
    """
    match text.strip().lower():
        case "dataset":
            return None
        case "none":
            return (0.0,) * channels, (1.0,) * channels
        case "imagenet" if channels == 3:
            return IMAGENET
        case "imagenet":
            raise ValueError(f"ImageNet's normalisation is for 3 channels, these images have {channels}: give numbers")
    try:
        mean, std = (tuple(float(number) for number in part.split(",")) for part in text.split("/"))
    except ValueError:
        raise ValueError(
            f"the normalisation {text[:60]!r} is none of imagenet, dataset, none, "
            "or numbers such as 0.49,0.48,0.45/0.25,0.24,0.26 (means/deviations)"
        ) from None
    mean, std = (part * channels if len(part) == 1 else part for part in (mean, std))
    if not len(mean) == len(std) == channels:
        raise ValueError(f"the normalisation {text[:60]!r} should have {channels} means and {channels} deviations")
    return mean, std


def over_seeds(specs: Sequence[RunSpec], count: int) -> list[RunSpec]:
    """Each spec with `count` seeds from its own on; all nets of one seed before the next, so that each begins early."""
    return [spec.model_copy(update={"seed": spec.seed + more}) for more in range(count) for spec in specs]


def imported(net: NetSpec, data: str, normalize: Normalisation | None) -> RunSpec:
    """The spec of a net that was trained elsewhere, nobody here knows how. Raises ValueError if it misfits."""
    return RunSpec(net=net, data=data, normalize=normalize, recipe=Recipe(name="imported"), measure=False)


def net_title(net: NetSpec) -> str:
    """Name and the settings that matter to a reader: `resnet-56 · width 8`. The data's own shape is left out."""
    name, *settings = net_address(net).split(":")
    return " · ".join([name, *(setting_words(setting) for setting in settings)])


def setting_words(setting: str) -> str:
    """`gate_bias=-4` for people: `gate bias -4`."""
    return setting.replace("=", " ").replace("_", " ")


def net_address(net: NetSpec) -> str:
    """The net as one URL value, without what the data set decides: `resnet-56:width=8`."""
    parts = str(net).split(":")
    return ":".join(part for part in parts if not part.startswith(("channels=", "classes=")))
