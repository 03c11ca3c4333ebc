"""What of this machine the process may use: affinity and control groups give it less than there is.

A container, `taskset` and a unit of systemd's limit a process without `os.cpu_count` or /proc/meminfo saying so. Of
control groups the second version is read, which systems have had by default since 2021.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUP = Path("/proc/self/cgroup")
MEMORY = Path("/proc/meminfo")


class Share(NamedTuple):
    """Processors, at least one; bytes that could still be taken, None where the system does not say."""

    cores: int
    free_memory: int | None


def share() -> Share:
    """What this process may use right now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    free = _available()
    for group in _groups():
        quota, _, period = _read(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            cores = min(cores, int(quota) // int(period))  # one and a half are one: two workers would wait
        most, used = _read(group / "memory.max"), _read(group / "memory.current")
        if free is not None and most.isdigit() and used.isdigit():
            free = min(free, max(0, int(most) - int(used) + _given_back(group)))
    return Share(max(1, cores), free)


def _groups() -> Iterator[Path]:
    """The control group of this process and those around it: each limits it."""
    names = [line.removeprefix("0::/") for line in _read(OWN_GROUP).splitlines() if line.startswith("0::/")]
    for name in names:
        folder = GROUPS / name
        yield folder
        yield from (parent for parent in folder.parents if parent.is_relative_to(GROUPS))


def _available() -> int | None:
    lines = _read(MEMORY).splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")), None)


def _given_back(group: Path) -> int:
    """Bytes of files not looked at just now: they count as used, and go when others need them."""
    lines = [line.split() for line in _read(group / "memory.stat").splitlines()]
    return next((int(line[1]) for line in lines if line[0] == "inactive_file"), 0)


def _read(file: Path) -> str:
    """Empty where there is no such file."""
    try:
        return file.read_text("utf-8").strip()
    except OSError:
        return ""
