"""A scheduler, a server and workers on machines of their own: each dies, one is cut off, and every run ends right."""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from app.base.settings import ROOT
from app.store.store import Store
from tests.support.waiting import PATIENCE, until
from tests.trials.machines import Machine, networks_allowed, scheduler
from tests.trials.undisturbed import Weights, all_beyond, ended_well, trained


@pytest.fixture
def machines() -> Iterator[list[Machine]]:
    """Three of them, with nothing running yet."""
    apart = networks_allowed()
    made = [Machine(number, apart) for number in (1, 2, 3)]
    yield made
    for machine in made:
        machine.remove()


def test_every_run_ends_right_whichever_machine_fails(
    machines: list[Machine], tmp_path: Path, witness: Weights
) -> None:
    with scheduler(patience=30) as served:
        port = served.port

        def work(machine: Machine) -> None:
            machine.run("workers", f"tcp://{machine.here}:{port}", "--ask", "0", "--study", "0")

        def serve() -> subprocess.Popen[bytes]:
            command = [
                sys.executable,
                "-m",
                "tests.trials.engine_process",
                str(tmp_path),
                "2",
                f"tcp://127.0.0.1:{port}",
            ]
            return subprocess.Popen(command, cwd=ROOT)

        killed, cut_off, sound = machines
        work(killed)
        work(cut_off)
        server = serve()
        until((tmp_path / "store.sqlite").exists, "the store")
        store = Store(tmp_path)
        until(partial(all_beyond, store, 10), "steps on both machines")
        server.kill()  # the runs go on without it, until the next one says who has them
        server.wait()
        server = serve()
        until(lambda: all(run.attempt >= 2 for run in trained(store)), "both runs to be taken up again")
        until(partial(all_beyond, store, 20), "steps for the new server")
        served.kill()  # workers leave, and look for it; the server keeps what was measured
        served.start()
        until(lambda: all(run.attempt >= 3 for run in trained(store)), "both runs to go on with the new scheduler")
        until(partial(all_beyond, store, 40), "steps that the new scheduler brings")
        killed.kill()
        cut_off.cut_off()
        work(sound)
        assert server.wait(timeout=PATIENCE) == 0
    assert all(run.attempt >= 4 for run in trained(store))
    ended_well(store, [run.id for run in trained(store)], witness)
