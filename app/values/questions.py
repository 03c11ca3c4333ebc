"""What can be asked of a trained net: frozen, torch-free; its JSON is the key under which the answer is kept.

A study states its questions in its own `questions.py`, and what answers them in its `measurement.py`
(`app.analysis.answering.answers`). Forty students who ask the same are one question.
"""

from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.values.results import Result
from models.spec import NetSpec

Lane = Literal["ask", "study"]

KINDS: dict[str, type["Question"]] = {}  # every question of the studies that were imported, by its kind


class Question(BaseModel):
    """Asked of one run at one kept moment, or of none (`run` empty).

    `returns`: the kind of result that answers it. `edition`: another one when an analysis changes what it answers, so
    that answers kept before are asked anew. `lane`: a study takes long, and quick questions do not wait behind it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    run: str = ""
    step: int = Field(default=0, ge=0)
    returns: ClassVar[type[Result]]
    edition: ClassVar[int] = 1
    lane: ClassVar[Lane] = "ask"

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Enter the question under its kind; one that refines another of the same kind leaves that in its place."""
        if kind := cls.model_fields["kind"].default:
            KINDS.setdefault(kind, cls)

    @property
    def key(self) -> str:
        """A name for the question and its answer."""
        return f"{self.kind}-{blake2b(f'{self.edition}{self.model_dump_json()}'.encode(), digest_size=12).hexdigest()}"

    @property
    def needs_images(self) -> bool:
        """False for what is answered where the run's images are not: about its weights, or a person's own picture."""
        return not str(getattr(self, "picture", "")).startswith("own:")

    @property
    def shows_own_picture(self) -> bool:
        """True if a person's own picture is in it, in whichever field, and so in what is kept of it."""
        return '"own:' in self.model_dump_json()


Images = Annotated[int, Field(ge=1, le=20_000)]  # test images
Batch = Annotated[int, Field(ge=1, le=1024)]  # training images
# app.data.pictures.to_text's letters: up to 224×224 pixels in three colours.
Picture = Annotated[str, Field(pattern=r"^(test:\d{1,6}|own:[A-Za-z0-9+/=]{4,})$", max_length=200_708)]
At = Annotated[str, Field(pattern=r"^(image|stem|block:\d{1,4})$")]
Place = Annotated[
    str, Field(pattern=r"^(stem(\.conv)?|head\.fc[12]?|blocks\.\d{1,4}(\.[a-z]{2,8}(\.[a-z0-9]{2,7}){1,2})?)$")
]
NetName = Annotated[str, AfterValidator(lambda text: str(NetSpec.parse(text)))]
