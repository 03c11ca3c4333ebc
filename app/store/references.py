"""Reference runs: really trained with this engine, bundled, and in every store from the start.

`assets/reference/RUN/`: `run.json` (the spec), `events.json.gz` (its events) and a file of weights for each moment,
float16 where the error on the test set stays the same. Of CIFAR-10 the events tell everything that was measured; its
images are no part of the program, and have to be there for whatever is asked of the weights.
"""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

from app.values.datasets import BUNDLED
from app.values.events import from_json
from app.values.run_spec import RunSpec
from app.store.run_store import Store


@dataclass(frozen=True)
class Reference:
    """A net as the address writes it, and the data set it learned. `ends`: of its weights, the first and the last."""

    net: str
    data: str = BUNDLED
    ends: bool = False

    @property
    def run(self) -> str:
        """Its id in every store, and its folder's name."""
        data = "" if self.data == BUNDLED else f"{self.data}-"
        return f"reference-{data}{self.net.partition(':')[0]}"


REFERENCES = (
    *(Reference(f"{net}:width=8") for net in ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20")),
    *(Reference(net, "cifar-10", ends=True) for net in ("plain-20", "plain-56", "resnet-20", "resnet-56")),
)


def adopt(store: Store, folder: Path) -> None:
    """Enter every reference run that `store` does not have yet."""
    known = {run.id for run in store.runs()}
    for path in sorted(folder.glob("*/run.json")):
        run = path.parent.name
        if run not in known:
            about = json.loads(path.read_text())
            spec = RunSpec.model_validate(about["spec"])
            events = from_json(gzip.decompress((path.parent / "events.json.gz").read_bytes()))
            store.enter_reference(run, about["name"], spec, about["created"], events)
