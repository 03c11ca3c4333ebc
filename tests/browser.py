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
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
STARTS_WITHIN = 60.0  # seconds
PATIENCE = 120_000  # milliseconds; for machines under load

Serve = Callable[..., str]


@contextmanager
def server(script: Path, *options: str, log: Path, base: str = "", **environment: str) -> Iterator[str]:
    """`streamlit run script` on a free port, until the block ends. Yields its address, without a final slash."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false", *options]
    if base:
        command.append(f"--server.baseUrlPath={base}")
    address = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            until = time.monotonic() + STARTS_WITHIN
            while not _answers(f"{address}/_stcore/health"):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
                time.sleep(0.1)
            yield address
        finally:
            process.terminate()
            try:
                process.wait(20)
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
def chromium() -> Iterator["Browser"]:
    """One browser for the whole session: RESNET_EXPLORER_BROWSER, else one that is installed, else Playwright's own."""
    playwright = pytest.importorskip("playwright.sync_api")
    found = os.environ.get("RESNET_EXPLORER_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """A fresh browser page, 1440 × 900, light. An error in the page's own code fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light")
    context.set_default_timeout(20_000)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


@contextmanager
def another(chromium: "Browser", **options: Any) -> Iterator["Page"]:
    """A browser that has seen nothing yet."""
    context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()
