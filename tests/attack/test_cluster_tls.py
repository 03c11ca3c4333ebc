"""Another account of this machine at the embedded cluster's ports, and at what the workers' processes tell."""

import asyncio
import multiprocessing
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed.comm.core import connect
from distributed.security import Security

from app.base.settings import Settings
from app.engine.cluster import Cluster
from tests.support.waiting import until

pytestmark = pytest.mark.engine

KEYS = {
    "RESNET_EXPLORER_TEACHER_KEY": "of the teacher's own making",
    "RESNET_EXPLORER_METRICS_KEY": "for the collector alone",
    "STREAMLIT_SERVER_COOKIE_SECRET": "whoever knows it signs in as anybody",
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """With one worker, of a server that was given keys in its environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        cluster = Cluster(Settings(store=tmp_path_factory.mktemp("store")), lanes=["ask"])
        until(lambda: cluster.workers("ask"), "the worker")
        yield cluster
        cluster.close()


@pytest.fixture
def ports(cluster: Cluster) -> list[int]:
    """All that this process's cluster listens on."""
    del cluster
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    found = [door.laddr for process in processes for door in process.net_connections("tcp") if door.status == "LISTEN"]
    assert all(address.ip == "127.0.0.1" for address in found)
    return [address.port for address in found]


@pytest.mark.parametrize(
    ("scheme", "stranger"), [("tcp", Security()), ("tls", Security.temporary())], ids=["in the clear", "own key"]
)
def test_who_has_not_the_cluster_s_own_key_is_told_nothing(cluster: Cluster, scheme: str, stranger: Security) -> None:
    own = cluster.client.security
    for address in _of_dask(cluster):
        assert asyncio.run(_who(address, own))["id"], "whoever has it is told"
        with pytest.raises((OSError, TimeoutError)):
            asyncio.run(_who(f"{scheme}://{address.partition('://')[2]}", stranger))


def test_its_http_ports_tell_nothing(ports: list[int]) -> None:
    told = []
    for port in ports:
        for path in ("health", "metrics", "info/main/workers.html", "api/v1/retire_workers"):
            answer = _asked(port, path)
            if answer.startswith(b"HTTP/") and b" 404 " not in answer.partition(b"\r\n")[0]:
                told.append((port, path, answer[:80]))
    assert not told


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="environments are read from /proc")
def test_no_worker_was_given_a_key(cluster: Cluster) -> None:
    assert cluster.client.run(dict.fromkeys, list(KEYS)), "a worker is there"
    children = psutil.Process().children(recursive=True)
    assert len(children) >= len(multiprocessing.active_children())
    for child in children:
        environment = Path(f"/proc/{child.pid}/environ").read_text(errors="replace")
        assert "PATH=" in environment
        assert not [name for name, value in KEYS.items() if name in environment or value in environment]


def _of_dask(cluster: Cluster) -> list[str]:
    """Where the scheduler, the worker and its nanny are spoken to."""
    about = cluster.client.scheduler_info(n_workers=-1)
    nannies = [worker["nanny"] for worker in about["workers"].values()]
    return [about["address"], *about["workers"], *nannies]


async def _who(address: str, security: Security) -> dict[str, Any]:
    """What is there, as it says itself; with the same words it would be told to run code."""
    comm = await connect(address, timeout=2, **security.get_connection_args("client"))
    try:
        async with asyncio.timeout(2):
            await comm.write({"op": "identity", "reply": True})
            return dict(await comm.read())
    finally:
        comm.abort()


def _asked(port: int, path: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as there:
        there.settimeout(2)
        try:
            there.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
            return there.recv(4096)
        except OSError:
            return b""
