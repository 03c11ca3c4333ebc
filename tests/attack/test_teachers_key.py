"""Guesses at the teacher's key: each waits for its turn before it is compared, and few may wait."""

import hmac
import threading

import pytest

from app.base.settings import Settings
from app.engine.policy import teachers_door
from app.engine.policy.limits import Refusals, RefusedError
from app.engine.policy.teachers_door import MOST_WAITING, TeachersDoor
from tests.support.waiting import until

KEY = "open sesame"


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> TeachersDoor:
    """One that opens at once."""
    monkeypatch.setattr(teachers_door, "WAIT_SECONDS", 0)
    return TeachersDoor(Settings.model_validate({"mode": "class", "teacher_key": KEY}), Refusals())


def test_no_guess_is_compared_before_its_turn_and_those_beyond_the_few_are_refused_at_once(
    door: TeachersDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """14.7 guesses a second were compared, and 286 threads held."""
    compared: list[bytes] = []

    def compare(given: bytes, right: bytes) -> bool:
        assert door._turn.locked()
        compared.append(given)
        return given == right

    monkeypatch.setattr(hmac, "compare_digest", compare)
    found: list[bool] = []
    with door._turn:  # somebody's guess takes its time
        threads = [threading.Thread(target=lambda: found.append(door.opens(KEY))) for _ in range(MOST_WAITING)]
        for thread in threads:
            thread.start()
        until(lambda: door._room._value == 0, "all of them to wait")
        for _ in range(300):
            with pytest.raises(RefusedError, match="many keys are being tried just now; wait some seconds"):
                door.opens("x")
        assert compared == []
        assert door._refusals == {"teacher_key": 300}, "/metrics says that somebody guesses"
    for thread in threads:
        thread.join()
    assert found == [True] * MOST_WAITING
    assert len(compared) == MOST_WAITING
    assert not door.opens("x"), "there is room again"


def test_the_right_key_takes_as_long_as_a_wrong_one(door: TeachersDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("app.engine.policy.teachers_door.time.sleep", waits.append)
    assert [door.opens(given) for given in (KEY, "wrong", "", "é" * 20)] == [True, False, False, False]
    assert waits == [teachers_door.WAIT_SECONDS] * 4


@pytest.mark.parametrize("changes", [{"mode": "demo"}, {"mode": "local"}, {"teacher_key": None}])
def test_there_is_no_door_where_there_is_no_class_or_no_key(door: TeachersDoor, changes: dict[str, object]) -> None:
    door.settings = door.settings.model_copy(update=changes)
    assert not door.opens(KEY)
    assert not door.opens("")
