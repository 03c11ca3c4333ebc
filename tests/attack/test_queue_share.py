"""Browsers that are new with every run: one client, who would have the whole queue."""

import pytest

from app.base.settings import MODES
from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from tests.visitors.test_sharing import wish


@pytest.fixture
def demo(engine: Engine) -> Engine:
    """As a demo has its limits."""
    changed = engine.settings.model_copy(update={"mode": "demo", **MODES["demo"]})
    engine.settings = engine.runs._settings = changed
    return engine


def test_fresh_browsers_of_one_address_have_their_share_of_the_queue_and_others_the_rest(demo: Engine) -> None:
    share = 24 * 20 // 60
    for browser in range(share):
        demo.runs.submit([wish()], Visitor(f"fresh-{browser}", address="192.0.2.1"))
    with pytest.raises(RefusedError, match="from your address") as refused:
        demo.runs.submit([wish()], Visitor("fresh-too", address="192.0.2.1"))
    assert refused.value.limit == "queue_runs"
    [run] = demo.runs.submit([wish()], Visitor("another", address="198.51.100.7"))
    demo.runs.cancel(run.id, Visitor("another"))


def test_an_address_has_room_again_when_its_runs_have_ended(demo: Engine) -> None:
    runs = [demo.runs.submit([wish()], Visitor(f"fresh-{browser}", address="192.0.2.1"))[0] for browser in range(8)]
    by = Visitor("fresh-0", address="192.0.2.1")
    demo.runs.cancel(runs[0].id, by)
    demo.runs.submit([wish()], Visitor("fresh-8", address="192.0.2.1"))
    with pytest.raises(RefusedError, match="from your address"):
        demo.runs.resume(runs[0].id, by)


def test_the_queue_of_all_ends_somewhere_and_the_machine_may_ask_all_the_same(demo: Engine) -> None:
    for browser in range(24):
        demo.runs.submit([wish()], Visitor(f"fresh-{browser}", address=f"192.0.2.{browser}"))
    with pytest.raises(RefusedError, match="24 runs wait or train, and this server takes up to 24"):
        demo.runs.submit([wish()], Visitor("another", address="198.51.100.7"))
    assert demo.refusals["queue_runs"] == 1
    demo.runs.submit([wish()], MACHINE)


def test_for_one_person_there_is_no_end(engine: Engine) -> None:
    for _ in range(30):
        engine.runs.submit([wish()], Visitor("me", address="192.0.2.1"))
