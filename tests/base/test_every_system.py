"""The program starts on Windows and macOS too: nothing that only some systems have is taken for granted."""

import ast
import ctypes
import signal

import pytest

from app.base import memory
from tests.support.source import SOURCE

POSIX_MODULES = set("fcntl grp posix pty pwd resource spwd syslog termios tty".split())
POSIX_NAMES = set(
    "os.fork os.getloadavg os.getpgid os.getuid os.killpg os.nice os.sched_getaffinity os.setsid os.uname "
    "signal.SIGALRM signal.SIGHUP signal.SIGKILL signal.SIGUSR1 signal.SIGUSR2 time.tzset".split()
)


def test_no_module_needs_what_only_posix_has() -> None:
    needing = [
        f"{module}: {name}" for module, path in SOURCE.items() for name in needed(ast.parse(path.read_text("utf-8")))
    ]
    assert needing == []


def needed(tree: ast.AST) -> set[str]:
    """Modules and names of POSIX alone that are used without `hasattr` or `getattr` having been asked for them."""
    asked, used = set[str](), set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                used |= {alias.name for alias in aliases} & POSIX_MODULES
            case ast.ImportFrom(module=str(module), names=aliases):
                used |= {module} & POSIX_MODULES
                used |= {f"{module}.{alias.name}" for alias in aliases} & POSIX_NAMES
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                used |= {f"{module}.{name}"} & POSIX_NAMES
            case ast.Call(
                func=ast.Name(id="hasattr" | "getattr"), args=[ast.Name(id=module), ast.Constant(value=str(name)), *_]
            ):
                asked.add(f"{module}.{name}")
    return used - asked


def test_what_is_asked_for_first_is_not_needed() -> None:
    assert needed(ast.parse("import os\nif hasattr(os, 'nice'):\n    os.nice(3)")) == set()
    assert needed(ast.parse("import os\nos.nice(3)")) == {"os.nice"}
    assert needed(ast.parse("def f():\n    from signal import SIGKILL")) == {"signal.SIGKILL"}


def test_memory_is_left_to_a_system_without_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_windows(name: str | None) -> None:
        raise TypeError(f"argument of type '{type(name).__name__}' is not iterable")  # what ctypes says of None there

    monkeypatch.setattr(ctypes, "CDLL", on_windows)
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "")
    memory.give_back_large_blocks()
    memory.keep_freed_memory()
    memory.return_freed_memory()


def test_workers_are_ended_by_a_signal_that_there_is() -> None:
    from app.engine import cluster

    assert cluster.KILL in (signal.SIGTERM, getattr(signal, "SIGKILL", None))
