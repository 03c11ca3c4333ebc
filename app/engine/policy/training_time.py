"""How long a study that trains will take, said before it is begun."""

from models.plan import plan
from models.spec import NetSpec

SECONDS = 1.3e-10  # forward and backward for one multiply-add of one image, float32, one core of an AMD EPYC: measured


def training_seconds(net: NetSpec, steps: int, batch: int = 128, size: int | None = None) -> float:
    """For so many steps on one free core; `size`: the side of the images in pixels (None: the form's own)."""
    return SECONDS * plan(net, size).macs * batch * steps


def in_words(seconds: float) -> str:
    """`40 s`, `3 minutes`: no more exact than it is known."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 5):.0f} s"
    return f"{seconds / 60:.0f} minutes"
