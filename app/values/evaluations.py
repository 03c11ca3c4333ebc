"""How well a net does on images."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Evaluation:
    """Error (percent) and mean cross-entropy (nats) over so many test images."""

    error: float
    loss: float
    images: int
