"""`python -m app reproduce`: the cards, and one of them put to the test."""

from collections.abc import Callable
from typing import Any

import pytest

from app.values.reproduction import kept
from tests.cli.conftest import Command

KEYS = ["card", "claim", "source", "paper", "tolerance", "seconds", "verdict"]


def test_all_cards_are_listed_with_their_cost_and_verdict(printed: Callable[..., Any]) -> None:
    rows = printed("reproduce")
    assert all(list(row) == KEYS for row in rows)
    by_name = {row["card"]: row for row in rows}
    assert by_name["plain-depth"]["seconds"] == 0
    assert by_name["table-6"]["seconds"] > 10_000
    assert by_name["table-6"]["verdict"] == "not tried"
    assert {row["verdict"] for row in rows} <= {"reproduced", "contrary", "underpowered", "not tried"}


def test_one_card_is_measured_from_the_bundled_runs(printed: Callable[..., Any]) -> None:
    found = printed("reproduce", "plain-depth")
    assert list(found) == ["card", "verdict", "measured", "low", "high", "seeds"]
    assert (found["card"], found["verdict"], found["seeds"]) == ("plain-depth", "reproduced", 5)
    assert 0 < found["low"] < found["measured"] < found["high"]
    assert printed("reproduce", "plain-depth", "--seeds", "1") | {"measured": 0} == {
        "card": "plain-depth",
        "verdict": "underpowered",
        "measured": 0,
        "low": None,
        "high": None,
        "seeds": 1,
    }


def test_bad_input_is_one_line_and_a_verdict_is_bundled_by_the_command_alone(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for words, said in (
        (("reproduce", "nonsense"), "there is no card 'nonsense'"),
        (("reproduce", "effective-paths"), "fixed number of blocks"),
    ):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert done.stderr.count("\n") == 1
    before = kept.BUNDLED_VERDICTS.read_bytes()
    assert "98.0" in cli("reproduce", "path-lengths").stdout
    assert kept.BUNDLED_VERDICTS.read_bytes() == before
