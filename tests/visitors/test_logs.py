"""The log, read back: a run's events under its id, in both forms, and nothing of what people wrote or are called."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.base import logs
from app.base.settings import MODES, Settings
from app.data.pictures import to_text
from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from app.studies.features.questions import DepthQuestion
from tests.support.opening import spec, under_way
from tests.support.settings import sets

NET = "plain-8:width=2"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """No other test writes where these have said to."""
    yield
    logger = logging.getLogger(logs.ROOT)
    logger.handlers.clear()
    logger.propagate = True
    logger.setLevel(logging.NOTSET)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was written, each line by itself an object."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]


def test_a_runs_life_is_told_under_its_id_and_by_no_owner(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.queue, "_ask_to_stop", lambda *_: None)  # nobody is there to be asked
    logs.begin(Settings(mode="class", logs="json"))
    [run] = engine.runs.submit([spec(NET)], Visitor("owner of it"))
    under_way(engine, run, [50.0] * 10)
    engine.store.runs.rename(run.id, "my secret name")
    engine.queue._retry(run.id, 1)
    engine.runs.cancel(run.id, MACHINE)
    engine.runs.resume(run.id, MACHINE)
    engine.queue._fail(run.id, "the disk refused")
    sets(engine, max_steps=1)
    with pytest.raises(RefusedError):
        engine.runs.submit([spec(NET)], MACHINE)
    text = capsys.readouterr().err
    told = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in told] == ["submitted", "worker lost", "stopped", "resumed", "failed", "refused"]
    assert {line["run"] for line in told[:-1]} == {run.id}
    assert told[-1]["limit"] == "max_steps"
    assert {line["level"] for line in told} == {"info", "warning", "error"}
    assert told[2] == told[2] | {"attempt": 1, "status": "cancelled", "step": 10, "of": "run_queue"}
    assert not [said for said in ("owner of it", "secret name") if said in text]


def test_every_line_is_one_object_whatever_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings(logs="json"))
    log = logs.events("app.here")
    log.info("one", why='two\nlines "quoted" \u2028 名')
    try:
        raise ValueError("three\nlines")
    except ValueError:
        log.error("failed", with_traceback=True, run="r")
    first, second = lines(capsys)
    assert first["why"] == 'two\nlines "quoted" \u2028 名'
    assert second["run"] == "r"
    assert "ValueError: three" in second["traceback"]
    assert first["time"].endswith("Z")


def test_for_people_a_line_is_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.begin(Settings())
    logs.begin(Settings())  # twice: still one line each
    log = logs.events("app.here")
    log.info("submitted", run="plain-20-1a2b", step=3)
    log.warning("refused", why="too\nlong")
    first, second = capsys.readouterr().err.splitlines()
    assert first[9:] == "submitted run=plain-20-1a2b step=3"
    assert second[9:] == r'warning: refused why="too\nlong"'


def test_a_server_for_many_writes_json() -> None:
    assert {mode: Settings.model_validate({"mode": mode}).logs for mode in MODES} == {
        "local": "text",
        "class": "json",
        "demo": "json",
    }


def test_a_question_about_a_picture_of_ones_own_is_told_under_a_name_that_tells_nobody_whose(
    answering: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.begin(Settings(mode="class", logs="json"))
    owner = Visitor("owner of it")
    question = DepthQuestion(run="reference-resnet-20", step=312, picture=f"own:{to_text(np.zeros((1, 28, 28), 'u1'))}")
    answering.questions.ask(question, owner)
    asked = next(line for line in lines(capsys) if line["event"] == "answered")
    assert "owner of it" not in json.dumps(asked)
    assert asked["question"].startswith("depth-own-")
    assert answering.store.answers.has(asked["question"])
