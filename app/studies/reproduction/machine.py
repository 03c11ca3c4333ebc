"""What a verdict was measured on, in a few words."""

import platform
from contextlib import suppress
from pathlib import Path

from app.base.machine import share


def processor() -> str:
    """The processor's name and how many cores this process may use: `AMD EPYC, 2 cores`."""
    name = platform.processor() or platform.machine()
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    cores = share().cores
    return f"{name}, {cores} core{'' if cores == 1 else 's'}"
