"""Waiting for something to become true."""

import time
from collections.abc import Callable

PATIENCE = 600  # seconds: ten times what a quiet machine needs for anything here; it only ends what hangs


def until(true: Callable[[], object], what: str) -> None:
    """Look again and again; fail after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, f"waited {PATIENCE} s for {what}"
        time.sleep(0.02)
