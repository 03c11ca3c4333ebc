"""Reference runs: really trained with this engine, bundled, and in every store from the start.

`assets/reference/RUN/`: `run.json` (the spec, and the SHA-256 of each file of weights), `events.json.gz` (its events)
and, of a net's first seed, the weights of each moment, float16 where the error on the test set stays the same.
Of CIFAR-10 the events tell everything that was measured; its images are no part of the program, and have to be there
for whatever is asked of the weights.
"""

import gzip
import json
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.store.files.checkpoints import RECORD, Digests
from app.values.datasets import BUNDLED
from app.values.events import Event, from_json
from app.values.run_spec import RunSpec


@dataclass(frozen=True)
class Reference:
    """A net as the address writes it, and the data set it learned.

    `weights`: of all moments, of the first and the last, or none: of a net's other seeds the events are enough.
    """

    net: str
    data: str = BUNDLED
    weights: Literal["moments", "ends", "none"] = "moments"
    seed: int = 0

    @property
    def run(self) -> str:
        """Its id in every store, and its folder's name."""
        data = "" if self.data == BUNDLED else f"{self.data}-"
        seed = f"-seed-{self.seed}" if self.seed else ""
        return f"reference-{data}{self.net.partition(':')[0]}{seed}"


REFERENCES = (
    *(Reference(f"{net}:width=8") for net in ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20")),
    Reference("preact-56:width=8", weights="ends"),
    *(
        Reference(f"{family}-{depth}:width=8", weights="none", seed=seed)
        for family in ("plain", "resnet", "preact")
        for depth in (20, 56)
        for seed in (1, 2, 3, 4)
    ),
    *(Reference(net, "cifar-10", weights="ends") for net in ("plain-20", "plain-56", "resnet-20", "resnet-56")),
)


@dataclass(frozen=True)
class Recording:
    """What stands beside the weights of a reference run."""

    run: str
    name: str
    spec: RunSpec
    created: float
    events: list[Event]


def recordings(folder: Path, known: Collection[str]) -> Iterator[Recording | str]:
    """The reference runs of a folder, but for those that are known; of one that is damaged, its id alone."""
    for path in sorted(folder.glob(f"*/{RECORD}")):
        if (run := path.parent.name) not in known:
            try:
                told = json.loads(path.read_bytes())
                events = from_json(gzip.decompress((path.parent / "events.json.gz").read_bytes()))
                yield Recording(run, told["name"], RunSpec.model_validate(told["spec"]), told["created"], events)
            except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError):
                yield run


def digests(folder: Path) -> dict[int, Digests]:
    """Of the weights of one reference run, by step, as its record has them. None of a record that is damaged."""
    try:
        return {
            int(step): Digests(digest) for step, digest in json.loads((folder / RECORD).read_bytes())["weights"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
