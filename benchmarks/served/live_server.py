"""A real server in a process of its own, its store in a temporary folder, and what it costs the machine."""

import contextlib
import os
import shutil
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from app.base.settings import ROOT
from benchmarks.report.figures import CannotMeasureError
from tests.support.browser import FLAGS, server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MAIN = ROOT / "app" / "main.py"
QUIET_SHARE = 0.25  # of one core: Dask's heartbeats take some
QUIET_SECONDS = 2.0
QUIET_WITHIN = 120.0


@dataclass(frozen=True)
class LiveServer:
    """Its address, its process (workers are that one's children), and the folder of its store."""

    address: str
    process: psutil.Process
    store: Path

    def cpu_seconds(self) -> float:
        """Processor time used so far by the server and its workers."""
        used = 0.0
        for process in (self.process, *self.process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used += times.user + times.system
        return used

    def memory_mb(self) -> float:
        """Resident memory of the server process alone, in 10⁶ bytes."""
        return float(self.process.memory_info().rss) / 1e6

    def workers_mb(self) -> float:
        """Resident memory of its workers and what else it started, in 10⁶ bytes."""
        total = 0.0
        for process in self.process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += float(process.memory_info().rss) / 1e6
        return total

    def torch_files(self) -> int:
        """Files of torch and torchvision mapped into the server process: none, unless a module of theirs is loaded."""
        mapped = {Path(region.path) for region in self.process.memory_maps()}
        return sum(not {"torch", "torchvision", "functorch"}.isdisjoint(path.parts) for path in mapped)

    def wait_until_quiet(self) -> None:
        """Until its workers are warm, or have stopped training: nothing of it wants a core any more."""
        give_up = time.monotonic() + QUIET_WITHIN
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < QUIET_SECONDS:
            before, begun = self.cpu_seconds(), time.monotonic()
            time.sleep(0.5)
            if self.cpu_seconds() - before > QUIET_SHARE * (time.monotonic() - begun):
                quiet_since = time.monotonic()
            if time.monotonic() > give_up:
                raise RuntimeError(f"the server was still busy after {QUIET_WITHIN:.0f} s")


@contextmanager
def live_server(
    script: Path = MAIN, fill: Callable[[Path], object] = lambda _store: None, **environment: str
) -> Iterator[LiveServer]:
    """`streamlit run script` on a free port of this machine, with the app's configuration, until the block ends.

    `fill` is called with the store's folder before the server starts.
    """
    with TemporaryDirectory(prefix="resnet-explorer-") as folder:
        store = Path(folder) / "store"
        fill(store)
        environment |= {"RESNET_EXPLORER_STORE": str(store), "PYTHONPATH": str(ROOT)}
        with server(script, *_options(), log=Path(folder) / "log.txt", **environment) as address:
            port = address.rpartition(":")[2]
            started = psutil.Process().children()
            process = next(one for one in started if any(f"--server.port={port}" in part for part in one.cmdline()))
            yield LiveServer(address, process, store)


def _options() -> Iterator[str]:
    """The app's configuration, which Streamlit reads only from beside the app's own script. Colours cost nothing."""
    for section, values in tomllib.loads((MAIN.parent / ".streamlit" / "config.toml").read_text()).items():
        if section != "theme":
            yield from (f"--{section}.{name}={str(value).lower()}" for name, value in values.items())


@contextmanager
def browser() -> Iterator["Browser"]:
    """A Chromium: RESNET_EXPLORER_BROWSER, else one that is installed, else Playwright's own."""
    from playwright.sync_api import Error, sync_playwright

    found = os.environ.get("RESNET_EXPLORER_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as driver:
        try:
            started = driver.chromium.launch(executable_path=found, args=FLAGS)
        except Error as error:
            raise CannotMeasureError("no browser: install chromium") from error
        try:
            yield started
        finally:
            started.close()
