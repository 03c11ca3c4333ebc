"""With `others = hide` a guessed id tells nothing, by no door: it is answered as one that is not there."""

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from app.engine import question_desk
from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from app.engine.weight_downloads import BIG_NETS
from app.studies.cuts.questions import CutQuestion
from app.ui.runs.big_nets import arrived
from app.ui.widgets import feed
from app.values.questions import Question
from app.values.run_spec import imported
from models.spec import NetSpec
from tests.attack.grounds import TEACHER, A, B, of, upload
from tests.support.opening import opened, spec
from tests.support.settings import sets
from tests.visitors.test_live_feed import asked
from tests.visitors.test_sharing import looks


@pytest.fixture
def demo(engine: Engine, deaf: None) -> Engine:
    """An engine in the mode demo, to which questions may be put."""
    sets(engine, mode="demo", session_runs=0)
    return engine


DOORS: dict[str, Callable[[Engine, str, Visitor], object]] = {
    "ask": lambda engine, run, by: engine.questions.ask(about(run), by),
    "export": lambda engine, run, by: engine.runs.export(run, by),
    "look": lambda engine, run, by: engine.ownership.run(run, by),
}


def about(run: str) -> Question:
    """What costs a worker the least."""
    return CutQuestion(run=run, step=20)


@pytest.mark.parametrize("door", DOORS)
def test_a_guessed_id_is_answered_as_one_that_is_not_there(demo: Engine, door: str) -> None:
    run, absent = of(demo, A.owner).id, "resnet-8-00000000"
    said = []
    for one in (run, absent):
        with pytest.raises(KeyError) as unknown:
            DOORS[door](demo, one, B)
        said.append(str(unknown.value).replace(one, ""))
    assert said[0] == said[1]
    sets(demo, mode="class")
    assert demo.ownership.run(run, B).id == run


def test_what_was_answered_to_the_owner_is_answered_to_nobody_else(demo: Engine) -> None:
    question = about(of(demo, A.owner).id)
    assert demo.questions.ask(question, A).pending  # it is in memory now,
    demo.store.answers.keep(question.key, question.run, "{}", b"x")  # and in the store
    with pytest.raises(KeyError, match="there is no run"):
        demo.questions.ask(question, B)
    assert [demo.questions.has(question, by) for by in (A, B, TEACHER, MACHINE)] == [True, False, True, True]


def test_nobody_stops_a_study_that_somebody_else_waits_for(demo: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever stops asks no more: it stands still once nobody asks."""
    question = CutQuestion(run="reference-resnet-20", step=312)
    for by in (A, B):
        demo.questions.ask(question, by)
    monkeypatch.setattr(question_desk, "UNWATCHED_SECONDS", 0.2)
    time.sleep(0.3)
    demo.questions.ask(question, A)
    demo.questions.tidy()
    assert demo.questions.under_way == 1
    time.sleep(0.3)
    demo.questions.tidy()
    assert demo.questions.under_way == 0


def test_a_hidden_upload_is_trained_on_and_imported_onto_by_its_owner_alone(demo: Engine, tmp_path: Any) -> None:
    data = upload(demo, A.owner)
    net = NetSpec.parse("resnet-8:width=2").fitted(data.channels, data.classes)
    weights = tmp_path / "weights"
    weights.write_bytes(b"x")
    own = spec("resnet-8:width=2", steps=5).model_copy(update={"net": net, "data": data.name})
    absent = own.model_copy(update={"data": "own-000000000000"})
    said = []
    for asked_for in (own, absent):
        for act in (
            lambda: demo.runs.submit([asked_for], B),  # noqa: B023  called at once
            lambda: demo.arrivals.take_weights(weights, imported(net, asked_for.data, None), B),  # noqa: B023
        ):
            with pytest.raises(RefusedError) as refused:
                act()
            said.append(str(refused.value).replace(asked_for.data, ""))
    assert len(set(said)) == 1
    assert (list(demo.ownership.data_sets(A)), demo.ownership.data_sets(B)) == ([data.name], {})
    assert demo.runs.submit([own], A)


# ---- the feed of a live page ----------------------------------------------------------------------------------------


def test_a_feeds_key_holds_for_some_minutes_and_no_longer(demo: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    run, now = of(demo, A.owner).id, 10_000.0
    monkeypatch.setattr(feed, "time", SimpleNamespace(monotonic=lambda: now))
    found = feed.query([run])
    for passed, status in ((0.0, 200), (feed.TERMS * feed.A_TERM, 200), ((feed.TERMS + 1) * feed.A_TERM, 403)):
        now = 10_000.0 + passed
        assert asked(found, curves="").status_code == status
    now = -10_000.0
    assert asked(found, curves="").status_code == 403
    assert asked(urlencode({"run": run}), curves="").status_code == 403


# ---- what pages say -------------------------------------------------------------------------------------------------


def test_lesions_offers_none_but_what_one_may_cut(demo: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It linked to the runs of others, in a demo too."""
    runs = {by.owner: of(demo, by.owner).id for by in (A, B)}
    for mode in ("demo", "class"):
        sets(demo, mode=mode)
        for who, by, other in (("a", A, B), ("b", B, A)):
            looks(monkeypatch, who)
            links = "".join(str(link.proto.query_string) for link in opened("lesions").get("page_link"))
            assert runs[by.owner] in links
            assert runs[other.owner] not in links


def test_an_import_that_bears_a_big_nets_name_is_not_taken_for_it(demo: Engine) -> None:
    """A's weights would have been offered to all as torchvision's, under A's id."""
    net = BIG_NETS[0]
    theirs, ours = (
        demo.store.enter_import(demo.store.runs.new_id(net.spec), net.title, net.spec, [], owner)
        for owner in (A.owner, "")
    )
    assert arrived(net) == ours
    assert [run for run in demo.ownership.runs(B) if run.origin == "imported"] == [ours]
    assert theirs in demo.ownership.runs(A)
