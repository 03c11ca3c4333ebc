"""What is asked about the signal on its way forward, and what comes back."""

from typing import ClassVar, Literal

from app.values.arrays import Floats
from app.values.questions import Batch, Question
from app.values.results import Result, result


@result
class Signal:
    """The forward signal of one net in evaluation mode: L layers, A activations, B blocks, from input to output."""

    layers: tuple[str, ...]  # L, the stem and the branches' convolutions
    response_std: Floats  # L, after BN, before σ and the addition
    activations: tuple[str, ...]  # A
    means: Floats  # A
    zeros: Floats  # A, share of outputs that are zero
    dead: Floats  # A, share of channels that are zero for every image, everywhere
    blocks: tuple[str, ...]  # B
    residual: Floats  # B, ‖F(x)‖ ÷ ‖what the shortcut passes‖, mean over the images; NaN without a shortcut
    images: int


class SignalQuestion(Question):
    """How strongly each layer responds, and how small the residuals are."""

    returns: ClassVar[type[Result]] = Signal
    kind: Literal["signal"] = "signal"
    edition: ClassVar[int] = 2  # residuals over what the shortcut passes; over the block's input before
    images: Batch = 64
