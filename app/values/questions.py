"""What can be asked of a trained net: frozen, torch-free; its JSON is the key under which the answer is kept.

Forty students who ask the same are one question.
"""

from hashlib import blake2b
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.values.cut_spec import WHOLE, CutSpec
from models.spec import NetSpec

EDITION = 1  # another one when an analysis changes what it answers: answers kept before are then asked anew


class Question(BaseModel):
    """Asked of one run at one kept moment, or of none (`run` empty)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    run: str = ""
    step: int = Field(default=0, ge=0)
    lane: ClassVar[Literal["ask", "study"]] = "ask"  # a study takes long: quick questions do not wait behind it

    @property
    def key(self) -> str:
        """A name for the question and its answer."""
        return f"{self.kind}-{blake2b(f'{EDITION}{self.model_dump_json()}'.encode(), digest_size=12).hexdigest()}"


Images = Annotated[int, Field(ge=1, le=20_000)]
# app.data.pictures.to_text's letters: up to 224×224 pixels in three colours.
Picture = Annotated[str, Field(pattern=r"^(test:\d{1,6}|own:[A-Za-z0-9+/=]{4,})$", max_length=200_708)]
At = Annotated[str, Field(pattern=r"^(image|stem|block:\d{1,4})$")]


class PathsQuestion(Question):
    """The exact gradient by length of path, over the first so many test images."""

    kind: Literal["paths"] = "paths"
    at: At = "stem"
    images: Images = 64


class DeepPathsQuestion(PathsQuestion):
    """The same question, and the same answer, of a net so deep that others should not have to wait for it."""

    lane: ClassVar[Literal["ask", "study"]] = "study"


class SampledPathsQuestion(Question):
    """Single paths drawn at random, so many of each length for each image."""

    kind: Literal["sampled-paths"] = "sampled-paths"
    at: At = "stem"
    images: Images = 64
    draws: int = Field(default=1, ge=1, le=100)
    seed: int = 0
    lane: ClassVar[Literal["ask", "study"]] = "study"


class SubNetworksQuestion(Question):
    """The errors of sub-networks: all of them where there are few blocks, else so many of each size."""

    kind: Literal["sub-networks"] = "sub-networks"
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Literal["ask", "study"]] = "study"


class CutQuestion(Question):
    """A net under one cut: error, loss, confusion."""

    kind: Literal["cut"] = "cut"
    cut: CutSpec = WHOLE
    images: Images = 1000


class CutPicturesQuestion(Question):
    """What the whole net and the cut one make of a few pictures."""

    kind: Literal["cut-pictures"] = "cut-pictures"
    cut: CutSpec = WHOLE
    pictures: tuple[Picture, ...] = Field(max_length=40)


class PicturesQuestion(Question):
    """A few test images themselves, by their places in the test set."""

    kind: Literal["pictures"] = "pictures"
    pictures: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=400)


class SingleLesionsQuestion(Question):
    """Every block cut alone."""

    kind: Literal["single-lesions"] = "single-lesions"
    images: Images = 1000
    lane: ClassVar[Literal["ask", "study"]] = "study"


class RandomLesionsQuestion(Question):
    """k blocks cut at random, so many draws for each k (none said: from one to all)."""

    kind: Literal["random-lesions"] = "random-lesions"
    k: tuple[int, ...] = ()
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Literal["ask", "study"]] = "study"


class ReorderingsQuestion(Question):
    """Blocks reordered by k swaps, so many draws for each k (none said: from one to the number of blocks)."""

    kind: Literal["reorderings"] = "reorderings"
    k: tuple[int, ...] = ()
    images: Images = 1000
    draws: int = Field(default=20, ge=1, le=200)
    seed: int = 0
    lane: ClassVar[Literal["ask", "study"]] = "study"


# ---- gradients -----------------------------------------------------------------------------------------------------

NetName = Annotated[str, AfterValidator(lambda text: str(NetSpec.parse(text)))]
Batch = Annotated[int, Field(ge=1, le=1024)]  # training images


class GradientsQuestion(Question):
    """Norm and RMS of the gradient at every layer and block, training mode."""

    kind: Literal["gradients"] = "gradients"
    images: Batch = 64


class DistributionQuestion(Question):
    """The weight gradient of one layer, number by number."""

    kind: Literal["distribution"] = "distribution"
    layer: str = Field(max_length=120)
    images: Batch = 64


class SignalQuestion(Question):
    """How strongly each layer responds, and how small the residuals are."""

    kind: Literal["signal"] = "signal"
    images: Batch = 64


class GridQuestion(Question):
    """The truth test: depth × shortcuts × normalisation × activation at initialisation, over several seeds."""

    kind: Literal["grid"] = "grid"
    seeds: tuple[int, ...] = Field(default=(0, 1, 2), min_length=1, max_length=10)
    images: Batch = 64
    lane: ClassVar[Literal["ask", "study"]] = "study"


class CourseQuestion(Question):
    """The first steps of one net, trained for the answer."""

    kind: Literal["course"] = "course"
    net: NetName
    steps: int = Field(default=100, ge=1, le=1000)
    seed: int = Field(default=0, ge=0)
    lane: ClassVar[Literal["ask", "study"]] = "study"


class ShatteredQuestion(Question):
    """The gradient along one input: one layer, a deep plain net, and its twin with shortcuts."""

    kind: Literal["shattered"] = "shattered"
    depth: int = Field(default=50, ge=2, le=100)
    beta: float = Field(default=0.1, ge=0, le=1)
    norm: bool = True
    seed: int = Field(default=0, ge=0)


class NeighboursQuestion(Question):
    """How alike the gradients of neighbouring images are, in nets at initialisation."""

    kind: Literal["neighbours"] = "neighbours"
    nets: tuple[NetName, ...] = Field(min_length=1, max_length=8)
    lane: ClassVar[Literal["ask", "study"]] = "study"


class DeepenedQuestion(Question):
    """The net of a run made deeper by identity blocks: the same error?"""

    kind: Literal["deepened"] = "deepened"
    depth: int = Field(default=56, ge=8, le=110)


class TrainedOnQuestion(Question):
    """That deeper net trained on, beside one of the same depth from scratch."""

    kind: Literal["trained-on"] = "trained-on"
    depth: int = Field(default=56, ge=8, le=110)
    rate: float = Field(default=0.1, gt=0, le=1)
    steps: int = Field(default=200, ge=1, le=1000)
    seed: int = Field(default=0, ge=0)
    lane: ClassVar[Literal["ask", "study"]] = "study"


class LessonQuestion(Question):
    """A stack of so many blocks asked to learn y = x, or y = 0, with and without shortcuts."""

    kind: Literal["lesson"] = "lesson"
    target: Literal["identity", "zero"] = "identity"
    blocks: int = Field(default=4, ge=1, le=16)
    seed: int = Field(default=0, ge=0)


# ---- pictures ------------------------------------------------------------------------------------------------------

Place = Annotated[
    str, Field(pattern=r"^(stem(\.conv)?|head\.fc[12]?|blocks\.\d{1,4}(\.[a-z]{2,8}(\.[a-z0-9]{2,7}){1,2})?)$")
]
Method = Literal["saliency", "input-x-gradient", "integrated-gradients", "grad-cam", "occlusion", "conductance"]


class ConfusedQuestion(Question):
    """The test images, among the first so many, on which the net errs with the greatest confidence."""

    kind: Literal["confused"] = "confused"
    images: Images = 1000


class KernelsQuestion(Question):
    """The weights of the first convolution."""

    kind: Literal["kernels"] = "kernels"


class FeaturesQuestion(Question):
    """All channels of a place, for one picture."""

    kind: Literal["features"] = "features"
    picture: Picture = "test:0"
    at: Place = "blocks.0"


class ExcitementQuestion(Question):
    """The test images that excite each channel of a place most, among the first so many."""

    kind: Literal["excitement"] = "excitement"
    at: Place = "blocks.0"
    part: Literal["shortcut", "branch", "sum", "output"] = "output"
    images: Images = 500


class DepthQuestion(Question):
    """The head read after every block: for one picture, or (none said) over the first so many test images."""

    kind: Literal["depth"] = "depth"
    picture: Picture | None = None
    images: Images = 500


class AttributionQuestion(Question):
    """How much each pixel speaks for a class (None: the predicted one)."""

    kind: Literal["attribution"] = "attribution"
    picture: Picture = "test:0"
    method: Method = "saliency"
    target: int | None = Field(default=None, ge=0, le=9999)
    at: Place | None = None


class RandomisedQuestion(AttributionQuestion):
    """The same, while the weights are randomised from the head down."""

    kind: Literal["randomised"] = "randomised"  # type: ignore[assignment]
    lane: ClassVar[Literal["ask", "study"]] = "study"


class MaximisedQuestion(Question):
    """A picture made to excite one channel."""

    kind: Literal["maximised"] = "maximised"
    at: Place = "blocks.0"
    channel: int = Field(default=0, ge=0, le=9999)
    steps: int = Field(default=160, ge=1, le=1000)
    seed: int = 0
    lane: ClassVar[Literal["ask", "study"]] = "study"
