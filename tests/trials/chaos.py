"""Workers and the server are killed at random, over many runs: `python -m tests.trials.chaos [--kills 50] [--runs 20]`.

Nothing may be lost or doubled: every run ends with the events and the weights of an undisturbed one.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import psutil

from app.base.settings import ROOT
from app.store.store import Store
from tests.support.waiting import PATIENCE, until
from tests.trials.undisturbed import STEPS, Weights, ended_well, trained, undisturbed

BETWEEN = (15, 90)  # steps that are made, all runs together, between a kill and the next


class Server:
    """An engine and its workers, started again after each kill of it."""

    def __init__(self, store: Path, runs: int) -> None:
        self.command = [sys.executable, "-m", "tests.trials.engine_process", str(store), str(runs)]
        self.start()

    def start(self) -> None:
        """Start it; it goes on where the store is."""
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"})

    def kill(self) -> None:
        """Kill it as a power cut would, see its workers go, and start it again."""
        workers = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
        assert not alive, "workers outlived their server"
        self.start()

    def kill_worker(self, chance: random.Random) -> None:
        """Kill one of its workers, whatever it does."""
        workers = [
            one for one in psutil.Process(self.process.pid).children() if "spawn_main" in " ".join(one.cmdline())
        ]
        if workers:  # none in the first moments of a server
            chance.choice(workers).kill()


def chaos(folder: Path, kills: Sequence[str], runs: int, witness: Weights, chance: random.Random) -> int:
    """Train `runs` runs in a store in `folder` under the kills, each of "worker" or "server", and look at what is left.

    Returns the attempts that it took. Raises AssertionError where an event or a weight is not as it should be.
    """
    server = Server(folder, runs)
    until((folder / "store.sqlite").exists, "the store")
    store = Store(folder)
    for kill in kills:
        made = _made(store)
        due = min(made + chance.randint(*BETWEEN), STEPS * runs - 1)
        until(partial(_have_made, store, due), f"step {due} of all")
        server.kill() if kill == "server" else server.kill_worker(chance)
    end = time.monotonic() + PATIENCE * max(1, runs // 2)
    while server.process.poll() is None and time.monotonic() < end:
        time.sleep(0.2)
    assert server.process.poll() == 0, "the server did not end by itself"
    ended = trained(store)
    assert len(ended) == runs
    ended_well(store, [run.id for run in ended], witness)
    return sum(run.attempt for run in ended)


def _made(store: Store) -> int:
    return sum(run.step for run in trained(store))


def _have_made(store: Store, steps: int) -> bool:
    return _made(store) >= steps


def main() -> None:
    """Run it with random kills, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    kills = chance.choices(("worker", "server"), (3, 1), k=asked.kills)
    with tempfile.TemporaryDirectory() as folder:
        witness = undisturbed(asked.runs, Path(folder) / "witness")
        begun = time.monotonic()
        attempts = chaos(Path(folder) / "store", kills, asked.runs, witness, chance)
    killed = " and ".join(f"{kills.count(kind)} {kind}s" for kind in ("worker", "server"))
    print(
        f"{asked.runs} runs of {STEPS} steps, {killed} killed: all finished in {attempts} attempts and "
        f"{time.monotonic() - begun:.0f} s; no event lost or doubled, every weight as undisturbed"
    )


if __name__ == "__main__":
    main()
