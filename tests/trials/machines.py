"""Machines for tests: processes apart and, where the system allows it, each in a network of its own."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil

from app.base.settings import ROOT
from tests.support.browser import free_port


def networks_allowed() -> bool:
    """True if this process may make network namespaces: root's right, and not everywhere root's."""
    may = os.geteuid() == 0 and shutil.which("ip")
    return bool(may) and subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


class Machine:
    """Another machine, on which one command runs. `number`: one of its own. Without networks it shares this one's."""

    def __init__(self, number: int, apart: bool) -> None:
        self.apart, self.name = apart, f"machine-{secrets.token_hex(3)}"
        self.link, self.here = f"veth-{self.name[-6:]}", f"10.213.{number}.1" if apart else "127.0.0.1"
        if apart:
            self._ip(f"netns add {self.name}")
            self._ip(f"link add {self.link} type veth peer name eth0 netns {self.name}")
            self._ip(f"addr add {self.here}/24 dev {self.link}")
            self._ip(f"link set {self.link} up")
            self._ip(f"addr add 10.213.{number}.2/24 dev eth0", within=True)
            self._ip("link set eth0 up", within=True)
            self._ip("link set lo up", within=True)

    def run(self, *words: str) -> None:
        """Start `python -m app …` on it. `self.here` is this machine's address as that one sees it."""
        before = ["ip", "netns", "exec", self.name] if self.apart else []
        self.process = subprocess.Popen(
            [*before, sys.executable, "-m", "app", *words], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )

    def kill(self) -> None:
        """Kill everything that runs on it."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def cut_off(self) -> None:
        """Let nothing through between it and the others any more; without networks, let it freeze."""
        if self.apart:
            self._ip(f"link set {self.link} down")
        else:
            for process in self._processes():
                process.send_signal(signal.SIGSTOP)

    def remove(self) -> None:
        """Leave nothing of it."""
        self.kill()
        if self.apart:
            self._ip(f"netns delete {self.name}")

    def _processes(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self.process.pid)
            return [*root.children(recursive=True), root]
        except psutil.NoSuchProcess:
            return []

    def _ip(self, words: str, *, within: bool = False) -> None:
        where = ["-netns", self.name] if within else []
        subprocess.run(["ip", *where, *words.split()], check=True, capture_output=True)


class Scheduler:
    """A scheduler that every machine reaches, at one port however often it is killed and started again."""

    def __init__(self, patience: int) -> None:
        self.port, self.patience = free_port(), str(patience)
        self.start()

    def start(self) -> None:
        """Serve."""
        command = [sys.executable, "-m", "app", "scheduler", "--host", "0.0.0.0", "--port", str(self.port)]
        self.process = subprocess.Popen([*command, "--patience", self.patience], cwd=ROOT, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """As when its machine fails."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def scheduler(patience: int) -> Iterator[Scheduler]:
    """One until the block ends."""
    served = Scheduler(patience)
    try:
        yield served
    finally:
        served.kill()
