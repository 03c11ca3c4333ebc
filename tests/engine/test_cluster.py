"""The cluster of this machine: its processes, beside this one."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.base.settings import Settings
from app.engine.cluster import Cluster
from tests.support.waiting import until

pytestmark = pytest.mark.engine

BLOCKED = "SigBlk:"  # in /proc/PID/status: a mask in hexadecimal, the first signal its lowest bit
INTERRUPT = 1 << (signal.SIGINT - 1)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """With one worker."""
    cluster = Cluster(Settings(store=tmp_path), lanes=["ask"])
    yield cluster
    cluster.close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="masks are read from /proc")
def test_ctrl_c_is_heard_here_alone(cluster: Cluster) -> None:
    """A terminal interrupts all processes of a command, those that still import PyTorch too."""
    until(lambda: cluster.workers("ask"), "the worker")
    before = cluster.client.submit(os.getpid, pure=False).result(timeout=60)
    assert _masked(before), "from its first instruction on: a mask is inherited"
    assert not _masked(os.getpid())
    os.kill(before, signal.SIGINT)
    assert cluster.client.submit(os.getpid, pure=False).result(timeout=60) == before

    os.kill(before, signal.SIGKILL)
    until(lambda: cluster.workers("ask") and _pid(cluster) not in (0, before), "another worker in its place")
    assert _masked(_pid(cluster))


def _masked(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith(BLOCKED)]
    return bool(int(mask, 16) & INTERRUPT)


def _pid(cluster: Cluster) -> int:
    return next(iter(cluster.client.run(os.getpid, on_error="ignore").values()), 0)
