"""The facts of a training run, in the past tense, in the order in which they happened.

A step's number counts the updates made before it: step 0 is measured on the initial weights, and the weights kept
at step s are those after s updates. Losses are cross-entropies in nats, errors are percentages.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.values.cut_spec import CutSpec


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int


class RunStarted(_Event):
    """Training began at `step`, or went on from the weights kept there. Events from `step` on are superseded."""

    kind: Literal["started"] = "started"
    layers: tuple[str, ...]  # the weight layers, in the order of `StepMeasured.norms`
    total_steps: int
    epoch_steps: int
    train_images: int
    device: str
    precision: Literal["float32", "bfloat16"]
    threads: int


class StepMeasured(_Event):
    """One update: loss and error of its batch before it, its learning rate, each layer's weight gradient's L2 norm.

    `norms` is empty where the run does not measure. `seconds`: wall time of the step.
    """

    kind: Literal["step"] = "step"
    loss: float
    error: float
    lr: float
    seconds: float
    norms: tuple[float, ...] = ()

    @property
    def finite(self) -> bool:
        """False where the loss or a norm is not a number any more: then the update was not made."""
        return math.isfinite(self.loss) and all(map(math.isfinite, self.norms))


class EpochEvaluated(_Event):
    """An epoch ended after `step` updates: the test set's error then.

    The training error over the epoch is not repeated here: it is the mean over its steps. Weights that were trained
    elsewhere are evaluated once, on arrival: epoch 0, and 0 images trained on in a second.
    """

    kind: Literal["epoch"] = "epoch"
    epoch: int
    test_error: float
    test_loss: float
    test_images: int
    images_per_second: float


class CheckpointSaved(_Event):
    """Weights and momentum after `step` updates are in the store. A `moment` is kept for analyses.

    `weights`, `momentum`: SHA-256 of their files; empty where there is none, or a program of before wrote it.
    """

    kind: Literal["checkpoint"] = "checkpoint"
    moment: bool
    weights: str = ""
    momentum: str = ""


class RunDiverged(_Event):
    """The loss or a gradient of `step` was not finite; `layer` is where it began. Training ended there."""

    kind: Literal["diverged"] = "diverged"
    layer: str
    what: Literal["activation", "gradient", "loss"]


class RunFinished(_Event):
    """All steps were made."""

    kind: Literal["finished"] = "finished"


class RunStopped(_Event):
    """Training was asked to stop, and kept its weights at `step`."""

    kind: Literal["stopped"] = "stopped"


class BlockCut(_Event):
    """From `step` on the net trains, and is evaluated, under `cut`; the empty one puts every block back.

    Never superseded by a `RunStarted`: a run that goes on from before `step` is cut there once more.
    """

    kind: Literal["cut"] = "cut"
    cut: CutSpec


Event = RunStarted | StepMeasured | EpochEvaluated | CheckpointSaved | RunDiverged | RunFinished | RunStopped | BlockCut

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(
    list[Annotated[Event, Field(discriminator="kind")]], config=ConfigDict(ser_json_inf_nan="constants")
)


def to_json(events: Sequence[Event]) -> str:
    """Events as one JSON list."""
    return _EVENTS.dump_json(list(events)).decode()


def from_json(text: str | bytes) -> list[Event]:
    """Read back what `to_json` wrote. Raises ValueError for anything else."""
    return _EVENTS.validate_json(text)
