"""What a question is about: a run's net at its moments, and the images that it learned."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from threading import get_ident

import torch
from torch import Tensor

from app.analysis.moment import kept_net, net_at
from app.base.settings import Settings
from app.data.images import Images, load, load_for, prepare
from app.data.pictures import from_text
from app.values.datasets import BUNDLED
from app.values.run_spec import RunSpec
from models.nets.net import Net


@dataclass(frozen=True)
class Subject:
    """What is asked about: a run's spec (None: no run), its folder of weights, its steps per epoch.

    `digests`: by step, the SHA-256 of each file of weights that has one.
    """

    spec: RunSpec | None
    folder: Path
    epoch_steps: int
    digests: tuple[tuple[int, str], ...]
    settings: Settings

    @cached_property
    def images(self) -> Images:
        """Its images; without a run, the bundled ones. Raises as `load` does."""
        return load_for(self.spec, self.settings) if self.spec else load(BUNDLED, self.settings)

    def test(self, count: int) -> tuple[Tensor, Tensor]:
        """The first `count` test images as the net takes them, N×C×H×W, and their labels."""
        return prepare(self.images.test[:count], self.images.info), self.images.test_labels[:count]

    def picture(self, said: str) -> tuple[Tensor, int]:
        """The picture that a question carries, C×H×W uint8, and its label; −1 for a person's own.

        Raises IndexError where the test set has no such picture.
        """
        kind, _, text = said.partition(":")
        if kind == "test":
            return self.images.test[int(text)], int(self.images.test_labels[int(text)])
        info = self.images.info
        return torch.from_numpy(from_text(text, info.channels, info.size)), -1

    def net(self, step: int) -> Net:
        """Its net at a moment, evaluation mode; the last few are kept, for the next question. Do not change it."""
        return _net(self, step, get_ident())

    def kept(self, step: int) -> Net:
        """The same for training mode: quicker, since no running statistics are made sound."""
        return kept_net(self.trained, self.folder, step, self.digest(step))

    def digest(self, step: int) -> str:
        """Of the weights at a moment; empty: not known."""
        return dict(self.digests).get(step, "")

    @property
    def trained(self) -> RunSpec:
        """The spec of its run. Raises ValueError where none was named."""
        if self.spec is None:
            raise ValueError("this is asked of a trained net: name its run")
        return self.spec


@lru_cache(maxsize=6)
def _net(subject: Subject, step: int, _thread: int) -> Net:
    """Of one thread: an analysis that gives way has its hooks, and its mode, on the net that it is in the middle of."""
    return net_at(subject.trained, subject.folder, step, subject.images, subject.epoch_steps, subject.digest(step))
