"""An engine in a process of its own, to be killed: `python -m tests.trials.engine_process STORE [RUNS [SCHEDULER]]`.

Submits so many runs where the store has none, and ends when every run has.
"""

import sys
import time
from pathlib import Path

from app.base.settings import Settings
from app.engine import process
from app.engine.policy.visitor import MACHINE
from tests.trials.undisturbed import specs, trained


def main(store: str, runs: str = "2", scheduler: str = "") -> None:
    """Run until everything has ended."""
    engine = process.start(Settings(store=Path(store), workers=2, scheduler=scheduler), lanes=["train"])
    if not trained(engine.store):
        engine.runs.submit(specs(int(runs)), MACHINE)
    while any(run.active for run in engine.store.runs.all()):
        time.sleep(0.1)
    process.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
