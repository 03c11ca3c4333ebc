"""The same wish is one run: who asks for what trains, or has trained, shares it; who changes it disturbs nobody."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE, Visitor
from app.store.files.checkpoints import momentum_file, weights_file
from app.store.run import Run
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut, CheckpointSaved
from tests.support.opening import spec, under_way
from tests.support.settings import sets

A, B, C = Visitor("a" * 16), Visitor("b" * 16), Visitor("c" * 16)
TEACHER = Visitor("e" * 16, "teacher")
WISH = spec("resnet-8:width=4")


@pytest.fixture
def school(engine: Engine) -> Engine:
    sets(engine, mode="class", others="see", session_runs=0)
    return engine


def trained(engine: Engine, run: Run, *, finished: bool = False) -> Run:
    """40 steps of it are measured, and weights are kept after 30."""
    under_way(engine, run, [50.0] * 40, finished=finished)
    engine.store.events.record(run.id, engine.store.runs.get(run.id).attempt, [CheckpointSaved(step=30, moment=True)])
    folder = engine.store.weights.folder(run.id)
    folder.mkdir(parents=True, exist_ok=True)
    for path in (weights_file(folder, 30), momentum_file(folder, 30)):
        path.write_bytes(b"weights")
    return engine.store.runs.get(run.id)


def test_who_asks_for_what_is_there_shares_it(school: Engine) -> None:
    [first] = school.runs.submit([WISH], A)
    assert school.runs.submit([WISH], B) == [first]
    assert school.runs.submit([WISH], A) == [first], "their own, once more"
    assert school.store.owners.sharers(first.id) == (B.owner,)
    trained(school, first, finished=True)
    [of_c, other] = school.runs.submit([WISH, WISH.model_copy(update={"seed": 7})], C)
    assert of_c.id == first.id
    assert other.id != first.id
    assert other.owner == C.owner
    assert school.store.owners.sharers(first.id) == (B.owner, C.owner)


def test_what_may_come_out_otherwise_is_shared_by_nobody(school: Engine) -> None:
    [first] = school.runs.submit([WISH], A)
    for changed in ({"cut_asked": "1"}, {"until": 5}, {"status": "paused"}, {"status": "failed"}):
        before = dict.fromkeys(changed) | ({"status": "queued"} if "status" in changed else {})
        school.store.runs.update(first.id, **changed)
        assert school.runs.submit([WISH], B)[0].id != first.id
        school.store.runs.update(first.id, **before)
        for run in school.store.runs.all(["queued"]):
            if run.id != first.id:
                school.store.runs.update(run.id, status="failed")
    under_way(school, first, [50.0] * 40)
    attempt = school.store.runs.get(first.id).attempt
    school.store.events.record(first.id, attempt, [BlockCut(step=10, cut=CutSpec.parse("1"))])
    assert school.runs.submit([WISH], B)[0].id != first.id
    assert school.runs.submit([WISH], MACHINE)[0].owner == "", "the command line asks to train, and does"


def test_where_others_are_hidden_nobody_learns_that_somebody_asked_before(school: Engine) -> None:
    sets(school, mode="demo", others="hide", session_runs=0)
    [first] = school.runs.submit([WISH], A)
    [second] = school.runs.submit([WISH], B)
    assert second.id != first.id
    [own] = school.runs.submit([WISH], A)
    assert own.id == first.id
    other = WISH.model_copy(update={"seed": 3})
    [machines] = school.runs.submit([other], MACHINE)
    assert school.runs.submit([other], B)[0].id == machines.id
    assert machines.id in [run.id for run in school.ownership.runs(B)]
    assert machines.id not in [run.id for run in school.ownership.runs(C)]


@pytest.mark.parametrize("verb", ["pause", "cancel"])
@pytest.mark.parametrize("by", [A, B], ids=["owner", "sharer"])
def test_who_stops_a_shared_run_gets_one_of_their_own_and_the_other_goes_on(
    school: Engine, verb: str, by: Visitor
) -> None:
    [first] = school.runs.submit([WISH], A)
    school.runs.submit([WISH], B)
    trained(school, first)
    own = getattr(school.runs, verb)(first.id, by)
    assert own.id != first.id
    status = {"pause": "paused", "cancel": "cancelled"}[verb]
    assert (own.owner, own.status, own.step, own.checkpoint) == (by.owner, status, 30, 30)
    left = school.store.runs.get(first.id)
    assert (left.status, left.step) == ("running", 40)
    assert left.owner == (B if by == A else A).owner
    assert school.store.owners.sharers(first.id) == ()
    folder = school.store.weights.folder(own.id)
    assert weights_file(folder, 30).read_bytes() == momentum_file(folder, 30).read_bytes() == b"weights"
    history = school.store.events.history(own.id)
    assert history.next_step == 30
    assert history.train_error(at=29) == school.store.events.history(first.id).train_error(at=29)
    assert school.store.events.moments(own.id) == [step for step in school.store.events.moments(first.id) if step <= 30]


def test_a_shared_run_is_cut_for_who_cuts_it_alone(school: Engine) -> None:
    [first] = school.runs.submit([WISH], A)
    school.runs.submit([WISH], B)
    trained(school, first)
    own = school.runs.cut(first.id, CutSpec.parse("1"), B)
    assert own.owner == B.owner
    assert (own.status, str(own.cut_asked)) == ("queued", "1")
    assert school.store.runs.get(first.id).cut_asked is None


def test_deleting_is_leaving_until_one_is_left(school: Engine) -> None:
    [first] = school.runs.submit([WISH], A)
    for by in (B, C):
        school.runs.submit([WISH], by)
    trained(school, first, finished=True)
    school.runs.delete(first.id, A)
    assert school.store.runs.get(first.id).owner == B.owner
    assert school.store.owners.sharers(first.id) == (C.owner,)
    school.runs.delete(first.id, C)
    school.runs.delete(first.id, B)
    with pytest.raises(KeyError):
        school.store.runs.get(first.id)


def test_the_teacher_s_word_holds_for_the_run_itself(school: Engine) -> None:
    [first] = school.runs.submit([WISH], A)
    school.runs.submit([WISH], B)
    trained(school, first)
    assert school.runs.pause(first.id, TEACHER).id == first.id


def test_a_run_is_forgotten_when_the_last_of_those_who_share_it_has_gone(
    school: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    [first] = school.runs.submit([WISH], A)
    school.runs.submit([WISH], B)
    trained(school, first, finished=True)
    sets(school, mode="class", others="see", forget_minutes=1)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3600)
    school.housekeeper.seen(B.owner)
    school.housekeeper.tidy()
    assert school.store.runs.get(first.id).owner == B.owner
    monkeypatch.setattr(time, "monotonic", lambda: now + 7200)
    school.housekeeper.tidy()
    with pytest.raises(KeyError):
        school.store.runs.get(first.id)


def test_a_run_that_never_reached_a_checkpoint_is_left_from_its_beginning(school: Engine, tmp_path: Path) -> None:
    [first] = school.runs.submit([WISH], A)
    school.runs.submit([WISH], B)
    own = school.runs.pause(first.id, B)
    assert (own.status, own.step, own.checkpoint) == ("paused", 0, None)
    assert school.store.runs.get(first.id).status == "queued"


def test_a_run_that_is_deleted_while_its_worker_stops_leaves_the_worker_free(school: Engine) -> None:
    [run] = school.runs.submit([WISH], A)
    task = SimpleNamespace(status="finished")
    school.queue._tasks[run.id], school.queue._at[run.id] = task, "tcp://worker"  # type: ignore[assignment]
    school.runs.cancel(run.id, A)
    school.runs.delete(run.id, A)
    school.queue._ended(run.id, 1, task)  # type: ignore[arg-type]
    assert not school.queue.busy(run.id)
    assert not school.queue._at
