"""What browsers leave behind: paused, dropped, forgotten by setting; and what others own stays."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engine.engine import Engine
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from app.store.files.staging import arriving
from app.values import datasets
from tests.support.engines import started
from tests.support.opening import NoCluster, opened, spec, under_way, well
from tests.support.settings import sets
from tests.visitors.test_sharing import OWNERS, looks

NET = "plain-8:width=2"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let so many minutes go by, for the housekeeper."""
    gone = 0.0
    clock = time.monotonic
    monkeypatch.setattr("app.engine.retention.time.monotonic", lambda: clock() + gone)

    def pass_by(minutes: int) -> None:
        nonlocal gone
        gone += 60.0 * minutes

    return pass_by


def test_a_run_pauses_when_its_browser_has_gone_for_so_long(engine: Engine, later: Callable[[int], None]) -> None:
    sets(engine, abandoned_minutes=5)
    [left] = engine.runs.submit([spec(NET)], Visitor("left"))
    [stays] = engine.runs.submit([spec(NET)], Visitor("stays"))
    [pinned] = engine.runs.submit([spec(NET)], Visitor("left"))
    [of_the_command_line] = engine.runs.submit([spec(NET)], MACHINE)
    engine.store.runs.update(pinned.id, pinned=True)
    under_way(engine, left, [50.0] * 10)
    later(4)
    engine.housekeeper.seen("stays")
    engine.housekeeper.tidy()
    assert engine.store.runs.get(left.id).status == "running"
    later(2)
    engine.housekeeper.tidy()
    paused = engine.store.runs.get(left.id)
    assert (paused.status, paused.step) == ("paused", 10)
    assert paused.message.startswith("its browser was away for 5 minutes")
    assert {engine.store.runs.get(run.id).status for run in (stays, pinned, of_the_command_line)} == {"queued"}
    engine.runs.resume(left.id, MACHINE)  # by whoever comes back
    assert engine.store.runs.get(left.id).status == "queued"


def test_all_that_a_gone_browser_left_is_forgotten_and_no_more(
    engine: Engine, later: Callable[[int], None], tmp_path: Path
) -> None:
    sets(engine, forget_minutes=60)
    [_, pinned] = engine.runs.submit([spec(NET)] * 2, Visitor("left"))
    [stays] = engine.runs.submit([spec(NET)], Visitor("stays"))
    engine.store.runs.update(pinned.id, pinned=True)
    sent = {name: f"own-{index:012x}" for index, name in enumerate(("alone", "shared"))}
    for name in sent.values():
        for file in datasets.upload_files(name, engine.store.folder):
            file.parent.mkdir(exist_ok=True)
            file.write_text("{}")
        engine.store.owners.own_upload(name, "left")
    engine.store.owners.own_upload(sent["shared"], "stays")
    references = [run.id for run in engine.store.runs.all() if run.origin == "reference"]
    later(61)
    engine.housekeeper.seen("stays")
    for _ in range(2):  # what trains is stopped first
        engine.housekeeper.tidy()
    assert [run.id for run in engine.store.runs.all() if run.origin == "trained"] == [stays.id, pinned.id]
    assert references == [run.id for run in engine.store.runs.all() if run.origin == "reference"]
    there = {name: [file.exists() for file in datasets.upload_files(sent[name], engine.store.folder)] for name in sent}
    assert there == {"alone": [False, False], "shared": [True, True]}
    assert engine.store.owners.uploads() == [(sent["shared"], "stays")]


def test_a_page_that_is_open_says_so(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks(monkeypatch, "a")
    well(opened("start"))
    assert OWNERS["a"] in engine.housekeeper._seen


def test_a_full_store_takes_nothing_new_and_says_what_to_do(engine: Engine, tmp_path: Path) -> None:
    archive = tmp_path / "sent.zip"
    archive.write_bytes(b"x")
    before = engine.store.size()
    (engine.store.folder / "weights").mkdir(exist_ok=True)
    (engine.store.folder / "weights" / "large").write_bytes(bytes(3_000_000))
    assert engine.store.size() == before + 3_000_000
    sets(engine, max_disk_mb=2)
    with pytest.raises(RefusedError, match=r"keeps up to 2 MB and holds \d+; this needs about .* more. Delete runs"):
        engine.runs.submit([spec(NET)], Visitor("one"))
    with pytest.raises(RefusedError, match="keeps up to 2 MB"):
        engine.arrivals.take_images(archive, "sent", MACHINE)
    assert engine.refusals["max_disk_mb"] == 2
    sets(engine, max_disk_mb=50)
    assert engine.runs.submit([spec(NET)], Visitor("one"))


def test_what_was_arriving_when_a_server_was_killed_is_swept_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started(NoCluster, tmp_path, monkeypatch) as engine:
        folder = engine.settings.store
        with arriving(folder) as whole:
            (whole / "upload.zip").write_bytes(b"x" * 1000)
            killed = shutil.copytree(whole, whole.with_name(f"{whole.name}-left"))
        assert not whole.exists()
        [run] = engine.runs.submit([spec(NET)], MACHINE)
    with started(NoCluster, tmp_path, monkeypatch) as engine:
        assert not killed.exists()
        assert engine.store.runs.get(run.id).id == run.id
