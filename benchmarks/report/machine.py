"""The machine and the versions that figures belong to."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from app.base.machine import share
from app.training.precision import cpu_name

PACKAGES = ("torch", "torchvision", "streamlit", "plotly", "distributed")


def machine(device: str) -> dict[str, Any]:
    """Processor, cores this process may use, memory, and the GPU if `device` is one."""
    import psutil

    return {
        "cpu": cpu_name(),
        "cores": share().cores,
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "gpu": gpu_name() if device == "cuda" else None,
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str]:
    """Python and the packages whose speed is measured here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def gpu_name() -> str:
    """The first GPU's name."""
    import torch

    return torch.cuda.get_device_name(0)


def slug(name: str) -> str:
    """A name fit for a file: `AMD EPYC 9654` becomes `amd-epyc-9654`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "unknown"


def load() -> float:
    """Processes that wanted a core over the last minute: before a benchmark it should be near zero."""
    return round(os.getloadavg()[0], 2)
