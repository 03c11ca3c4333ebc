"""Reference runs: really trained with this engine, bundled, and in every store from the start.

`assets/reference/NAME/`: `run.json` (the spec), `events.json.gz` (its events) and a file of weights for each moment,
float16 where the error on the test set stays the same.
"""

import gzip
import json
from pathlib import Path

from app.events import from_json
from app.spec import RunSpec
from app.store import Store

NAMES = ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20")


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
