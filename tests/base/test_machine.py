"""What of the machine a process may use: the least of what affinity and its control groups leave it."""

import os
from pathlib import Path

import pytest

from app.base import machine
from app.base.machine import Share, share

GB = 1_000_000_000


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Eight processors, 16 GB free, and a process in the group a/b."""
    files = {"GROUPS": tmp_path / "groups", "OWN_GROUP": tmp_path / "own", "MEMORY": tmp_path / "meminfo"}
    for name, path in files.items():
        monkeypatch.setattr(machine, name, path)
    files["OWN_GROUP"].write_text("4:memory:/older\n0::/a/b\n")
    files["MEMORY"].write_text(f"MemTotal: 99 kB\nMemAvailable: {16 * GB // 1024} kB\n")
    (files["GROUPS"] / "a" / "b").mkdir(parents=True)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return files["GROUPS"]


def test_without_limits_it_is_what_the_system_says(groups: Path) -> None:
    (groups / "a" / "b" / "cpu.max").write_text("max 100000\n")
    (groups / "a" / "b" / "memory.max").write_text("max\n")
    assert share() == Share(8, 16 * GB // 1024 * 1024)


def test_affinity_counts_and_not_what_the_machine_has(groups: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert share().cores == 1


@pytest.mark.parametrize(("quota", "cores"), [("400000 100000", 4), ("150000 100000", 1), ("20000 100000", 1)])
@pytest.mark.parametrize("group", ["a/b", "a", ""])
def test_a_groups_processors_count_and_those_of_the_groups_around_it(
    groups: Path, group: str, quota: str, cores: int
) -> None:
    (groups / group / "cpu.max").write_text(quota)
    assert share().cores == cores


@pytest.mark.parametrize("group", ["a/b", "a", ""])
def test_a_groups_memory_counts_less_what_it_uses_but_for_files_that_can_go(groups: Path, group: str) -> None:
    (groups / group / "memory.max").write_text(str(3 * GB))
    (groups / group / "memory.current").write_text(str(2 * GB))
    assert share().free_memory == GB
    (groups / group / "memory.stat").write_text(f"anon 5\ninactive_file {GB // 2}\n")
    assert share().free_memory == GB + GB // 2
    (groups / group / "memory.current").write_text(str(5 * GB))
    assert share().free_memory == 0


def test_a_system_that_says_nothing_has_its_processors_and_memory_unknown(
    groups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (machine.OWN_GROUP, machine.MEMORY):
        file.unlink()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert share() == Share(1, None)
