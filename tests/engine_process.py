"""An engine in a process of its own, to be killed by `test_jobs`: `python -m tests.engine_process STORE`.

Submits two runs where the store has none, and ends when every run has.
"""

import sys
import time
from pathlib import Path

from app import jobs
from app.settings import Settings
from app.spec import Recipe, RunSpec
from models.spec import NetSpec

STEPS = 250


def specs() -> list[RunSpec]:
    """A plain net and its twin, a few seconds long."""
    recipe = Recipe(steps=STEPS, batch=64, augment=True)
    return [
        RunSpec(net=NetSpec.parse(f"{family}-8:width=4").fitted(1, 10), recipe=recipe, images=3200, threads=1)
        for family in ("plain", "resnet")
    ]


def main() -> None:
    """Run until everything has ended."""
    engine = jobs.start(Settings(store=Path(sys.argv[1]), workers=2))
    if not [run for run in engine.store.runs() if run.origin == "trained"]:
        engine.submit(specs())
    while any(run.active for run in engine.store.runs()):
        time.sleep(0.1)
    jobs.stop()


if __name__ == "__main__":
    main()
