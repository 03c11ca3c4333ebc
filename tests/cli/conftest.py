"""The command line as a function: what a command prints, where, and with which status."""

import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from app.base import logs
from app.cli import shared
from app.cli.main import main

NARROW = 40  # columns: a line that is long would be broken

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all commands of a file."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def cli(store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """Run a command in this process, where torch and dask are loaded already: `cli("describe", "resnet-20")`."""
    for name in [name for name in os.environ if name.startswith("RESNET_EXPLORER_")]:
        monkeypatch.delenv(name)  # tools and pages may have set them
    monkeypatch.setenv("RESNET_EXPLORER_WORKERS", "1")
    for console in (shared.out, shared.err):
        monkeypatch.setattr(console, "width", NARROW)

    def run(*words: str, store: Path = store) -> CompletedProcess[str]:
        monkeypatch.setenv("RESNET_EXPLORER_STORE", str(store))
        monkeypatch.setattr(sys, "argv", ["app", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return CompletedProcess(words, int(str(ended.value.code)), printed.out, printed.err)

    yield run
    log = logging.getLogger(logs.ROOT)  # a command that trains has begun it
    log.handlers.clear()
    log.propagate = True
    log.setLevel(logging.NOTSET)


@pytest.fixture
def printed(cli: Command) -> Callable[..., Any]:
    """What a command that goes well prints with --json: one document, and nothing else."""

    def run(*words: str) -> Any:
        done = cli(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout, parse_constant=pytest.fail)

    return run
