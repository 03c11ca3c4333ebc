"""What can be asked of a trained net: frozen, torch-free; its JSON is the key under which the answer is kept.

Forty students who ask the same are one question.
"""

from hashlib import blake2b
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

EDITION = 1  # another one when an analysis changes what it answers: answers kept before are then asked anew


class Question(BaseModel):
    """Asked of one run at one kept moment, or of none (`run` empty)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    run: str = ""
    step: int = Field(0, ge=0)
    lane: ClassVar[Literal["ask", "study"]] = "ask"  # a study takes long: quick questions do not wait behind it

    @property
    def key(self) -> str:
        """A name for the question and its answer."""
        return f"{self.kind}-{blake2b(f'{EDITION}{self.model_dump_json()}'.encode(), digest_size=12).hexdigest()}"
