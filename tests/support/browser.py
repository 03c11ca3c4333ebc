"""A real browser and a real server as pytest fixtures: Playwright's Python package driving an installed Chromium."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import waiting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 1000 * waiting.PATIENCE  # milliseconds

Serve = Callable[..., str]
Profiles = Callable[[int, int, bool], "BrowserContext"]  # width, height, whether it has a touchscreen


@contextmanager
def server(
    script: Path, *options: str, log: Path, base: str = "", bound: str = "127.0.0.1", **environment: str
) -> Iterator[str]:
    """`streamlit run script` on a free port, until the block ends. Yields its address, without a final slash.

    `bound`: the address that it listens on; empty: as its configuration has it.
    """
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--browser.gatherUsageStats=false", *options]
    if bound:
        command.append(f"--server.address={bound}")
    if base:
        command.append(f"--server.baseUrlPath={base}")
    address = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + waiting.PATIENCE
            while not _answers(f"{address}/_stcore/health"):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(waiting.PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    """A TCP port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=2) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Start servers that live as long as the tests of one file: `serve(script, base="", VARIABLE="value")`.

    No longer: each has workers with torch in them, half a gigabyte each.
    """
    with ExitStack() as running:

        def start(script: Path, *options: str, base: str = "", **environment: str) -> str:
            log = tmp_path_factory.mktemp("server") / "log.txt"
            return running.enter_context(server(script, *options, log=log, base=base, **environment))

        yield start


@pytest.fixture(scope="session")
def driver() -> Iterator["Playwright"]:
    """Playwright, once for the whole session."""
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as driver:
        yield driver


def installed() -> str | None:
    """RESNET_EXPLORER_BROWSER, else a browser that is installed; None: Playwright's own."""
    return os.environ.get("RESNET_EXPLORER_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def chromium(driver: "Playwright") -> Iterator["Browser"]:
    """One browser for all those who have seen nothing yet: `another`."""
    browser = driver.chromium.launch(executable_path=installed(), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def profiles(driver: "Playwright", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Profiles]:
    """Browsers that have been here, one for each screen: Streamlit's compiled code is on their disk, and a page opens
    in half the time.
    """
    with ExitStack() as running:

        @cache
        def profile(width: int, height: int, has_touch: bool) -> "BrowserContext":
            context = driver.chromium.launch_persistent_context(
                tmp_path_factory.mktemp("profile"),
                executable_path=installed(),
                args=FLAGS,
                viewport={"width": width, "height": height},
                has_touch=has_touch,
                color_scheme="light",
            )
            running.callback(context.close)
            return context

        yield profile


@pytest.fixture
def page(profiles: Profiles) -> Iterator["Page"]:
    """A new visitor's page, 1440 × 900, light. An error in the page's own code fails the test."""
    with _visit(profiles(1440, 900, False)) as page:
        yield page


@pytest.fixture
def phone(profiles: Profiles) -> Iterator["Page"]:
    """The same on a phone."""
    with _visit(profiles(390, 844, True)) as phone:
        yield phone


@contextmanager
def _visit(context: "BrowserContext") -> Iterator["Page"]:
    context.clear_cookies()
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear()")
    page.close()
    assert not errors, errors


@contextmanager
def another(chromium: "Browser", **options: Any) -> Iterator["Page"]:
    """A browser that has seen nothing yet."""
    context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.set_default_timeout(PATIENCE)
    try:
        yield context.new_page()
    finally:
        context.close()
