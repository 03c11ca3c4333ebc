"""The floor of a worker process: one question at a time, whoever is new first, the others in turn."""

import threading
from collections.abc import Callable
from functools import partial

from app.engine.floor import Floor
from tests.support.waiting import until


def begun(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_questions_take_turns_and_never_two_at_once() -> None:
    floor, order, inside = Floor(), list[str](), list[str]()

    def ask(name: str) -> None:
        with floor.held():
            for _ in range(4):
                inside.append(name)
                assert len(inside) == 1
                order.append(name)
                inside.remove(name)
                floor.give_way()

    with floor.held():
        threads = [begun(partial(ask, name)) for name in "abc"]
        until(lambda: len(floor._new) == 3, "all to wait")
    for thread in threads:
        thread.join(timeout=10)
    assert len(order) == 12
    assert set(order[:3]) == {"a", "b", "c"}
    assert order == order[:3] * 4


def test_who_is_new_goes_before_those_that_had_it_already() -> None:
    floor, order = Floor(), list[str]()
    has_it, go_on = threading.Event(), threading.Event()

    def study(name: str) -> None:
        with floor.held():
            if name == "first":
                has_it.set()
                go_on.wait(10)
            floor.give_way()
            order.append(name)

    first = begun(lambda: study("first"))
    assert has_it.wait(10)
    others = [begun(lambda: study("second"))]
    until(lambda: len(floor._new) == 1, "the second to wait")
    others.append(begun(partial(click, floor, order)))
    until(lambda: len(floor._new) == 2, "the click to wait")
    go_on.set()
    for thread in (first, *others):
        thread.join(timeout=10)
    assert order == ["click", "first", "second"], "both gave way"


def click(floor: Floor, order: list[str]) -> None:
    with floor.held():
        order.append("click")


def test_one_that_stands_still_is_in_nobodys_way_and_its_place_is_kept() -> None:
    floor, order = Floor(), list[str]()
    still, back = threading.Event(), threading.Event()

    def study() -> None:
        with floor.held():
            floor.leave()
            still.set()
            back.wait(10)
            floor.come_back()
            order.append("study")

    thread = begun(study)
    assert still.wait(10)
    with floor.held():
        order.append("click")
        back.set()
        until(lambda: len(floor._others) == 1, "the study to wait")
        assert order == ["click"]
    thread.join(timeout=10)
    assert order == ["click", "study"]
