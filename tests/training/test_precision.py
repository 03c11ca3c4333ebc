"""The faster precision: measured, not guessed; remembered; and the same for all workers of a machine."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import pytest
import torch

from app.base.settings import ROOT
from app.training import precision
from app.training.precision import Measured, _measured, faster
from app.training.remembered import remembered

Take = Callable[[float, float], list[bool]]


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Take]:
    """Let a step take so long in float32 and in bfloat16. Returns the steps that are made."""

    def take(in_float32: float, in_bfloat16: float) -> list[bool]:
        made: list[bool] = []

        def step(rounded: bool) -> float:
            made.append(rounded)
            return in_bfloat16 if rounded else in_float32

        monkeypatch.setattr(precision, "_step", step)
        _measured.cache_clear()
        return made

    yield take
    _measured.cache_clear()


@pytest.mark.parametrize(("exact", "rounded", "wanted"), [(2, 1, "bfloat16"), (1, 1, "float32"), (1, 8, "float32")])
def test_bfloat16_where_it_is_faster(seconds: Take, exact: float, rounded: float, wanted: str) -> None:
    seconds(exact, rounded)
    assert faster("cpu") == wanted


def test_it_is_measured_once_and_remembered(seconds: Take, tmp_path: Path) -> None:
    made = seconds(2, 1)
    assert faster("cpu", tmp_path) == "bfloat16"
    assert made
    made = seconds(1, 8)  # another process, on a busy day
    assert faster("cpu", tmp_path) == "bfloat16"
    assert not made
    [place] = tmp_path.glob("*.txt")
    assert torch.__version__ in place.read_text(), "another torch measures for itself"


def test_workers_that_begin_together_agree_and_one_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def slowly() -> str:
        made.append("here")
        time.sleep(0.2)
        return "bfloat16"

    monkeypatch.setattr(precision, "_measured", slowly)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: faster("cpu", tmp_path), range(8))) == {"bfloat16"}
    assert made == ["here"]
    assert len(list(tmp_path.glob("*.txt"))) == 1


@pytest.mark.parametrize("left", [b"", b"\xff", b"float16\nof another program\n"])
def test_what_cannot_be_read_is_measured_anew(seconds: Take, tmp_path: Path, left: bytes) -> None:
    seconds(2, 1)
    faster("cpu", tmp_path)
    [place] = tmp_path.glob("*.txt")
    place.write_bytes(left)
    seconds(1, 8)
    assert faster("cpu", tmp_path) == "float32"
    assert place.read_text("utf-8").startswith("float32\n")


MEASURES_FOR_EVER = """
import sys, time
from pathlib import Path
from app.training.remembered import remembered
def measure():
    print("measuring", flush=True)
    time.sleep(600)
remembered(Path(sys.argv[1]), "precision", "a machine", ("float32", "bfloat16"), measure)
"""


def test_one_who_is_killed_while_measuring_is_not_waited_for(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MEASURES_FOR_EVER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"measuring\n"
        process.kill()
    began = time.monotonic()
    assert remembered(tmp_path, "precision", "a machine", get_args(Measured), lambda: "float32") == "float32"
    assert time.monotonic() - began < 5


def test_a_folder_that_cannot_be_written_is_measured_for(seconds: Take, tmp_path: Path) -> None:
    seconds(2, 1)
    assert faster("cpu", tmp_path / "absent") == "bfloat16"


def test_a_step_is_really_made_in_both() -> None:
    assert precision._step(rounded=False) > 0
    assert precision._step(rounded=True) > 0
