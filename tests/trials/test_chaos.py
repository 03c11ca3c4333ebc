"""The short form of `make chaos`."""

import random
from pathlib import Path

from tests.trials.chaos import chaos
from tests.trials.undisturbed import Weights


def test_killed_workers_and_servers_cost_no_event_and_change_no_weight(tmp_path: Path, witness: Weights) -> None:
    attempts = chaos(tmp_path, ["worker", "server"], 2, witness, random.Random(0))
    assert attempts > 2
