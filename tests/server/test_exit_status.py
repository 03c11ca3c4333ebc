"""How the server ends, for what starts it again: systemd reads the status, and people the sentence."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.base.settings import ROOT
from app.store.files.lock import hold_store
from tests.support.browser import free_port
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.engine

UNIT = (ROOT / "deploy" / "resnet-explorer.service").read_text("utf-8")
IN_VAIN = [int(status) for status in re.findall(r"^RestartPreventExitStatus=(\d+)$", UNIT, re.M)]


@contextmanager
def started(folder: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`streamlit run app/main.py`; what it says is in log.txt."""
    own = {"RESNET_EXPLORER_STORE": str(folder / "store"), "RESNET_EXPLORER_WORKERS": "1", **environment}
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.headless=true"]
    command += [f"--server.port={free_port()}", "--server.address=127.0.0.1", "--browser.gatherUsageStats=false"]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def said(folder: Path) -> str:
    return (folder / "log.txt").read_text("utf-8", errors="replace")


def test_wrong_settings_end_with_the_status_that_is_not_tried_again(tmp_path: Path) -> None:
    with started(tmp_path, RESNET_EXPLORER_WORKERS="many") as process:
        assert [process.wait(PATIENCE)] == IN_VAIN
    assert "cannot start: RESNET_EXPLORER_WORKERS='many'" in said(tmp_path)


def test_a_store_in_use_ends_with_the_status_that_is_not_tried_again(tmp_path: Path) -> None:
    held = hold_store(tmp_path / "store")
    try:
        with started(tmp_path) as process:
            assert [process.wait(PATIENCE)] == IN_VAIN
    finally:
        held.release()
    assert "another server" in said(tmp_path)


@pytest.mark.slow
def test_a_scheduler_that_is_not_up_yet_is_tried_again_and_said_in_a_line(tmp_path: Path) -> None:
    with started(tmp_path, RESNET_EXPLORER_SCHEDULER=f"tcp://127.0.0.1:{free_port()}") as process:
        assert process.wait(PATIENCE) not in (0, *IN_VAIN)
    assert "cannot start: Timed out" in said(tmp_path)
    assert "Traceback" not in said(tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="a process there is ended without being asked")
def test_an_end_that_was_wished_for_is_no_failure(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        until(lambda: "engine begins" in said(tmp_path) or process.poll() is not None, "the engine")
        process.terminate()
        assert process.wait(PATIENCE) in (0, -signal.SIGTERM), (
            "by the signal that asked for it, which systemd takes for success"
        )
    assert "engine ends" in said(tmp_path)
