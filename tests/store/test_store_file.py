"""The store's file: damaged, full, of another version; what was stored is kept, or said to be lost."""

import re
import sqlite3
from pathlib import Path

import pytest

from app.store.database import StoreError
from app.store.schema import SCHEMA
from app.store.store import Store
from tests.store.test_run_store import SPEC, begun, losses, started, steps


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_damaged_file_is_put_aside_and_said(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"store.sqlite{suffix}").write_bytes(b"this is not a database" * 1000)
    store = Store(tmp_path)
    assert "damaged" in store.notice
    assert "weights are untouched in the folder weights" in store.notice
    for suffix in ("-wal", "-shm"):  # of the new one, if there is one
        assert b"not a database" not in (tmp_path / f"store.sqlite{suffix}").read_bytes()
    assert len(list(tmp_path.glob("store.corrupt-*.sqlite"))) == 1
    assert store.runs.create(SPEC).status == "queued"


def test_damage_in_the_middle_of_the_file_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 500)])
    store.close()
    path = tmp_path / "store.sqlite"
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 12] = b"\xff" * (4096 * 10)
    path.write_bytes(content)
    assert "damaged" in Store(tmp_path).notice


def test_a_store_that_cannot_be_made_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="nothing was changed"):
        Store(tmp_path / "file" / "store")


def test_a_full_disk_loses_nothing_that_was_stored(store: Store) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 3)])
    pages = store._database._db.execute("PRAGMA page_count").fetchone()[0]
    store._database._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then answers as on a full disk
    with pytest.raises(StoreError, match="full"):
        store.events.record(run, 1, steps(3, 5000))
    store._database._db.execute("PRAGMA max_page_count = 1000000")
    assert store.runs.get(run).step == 3
    store.events.record(run, 1, steps(3, 5))
    assert losses(store, run) == [1.0] * 5


def test_steps_are_unique_in_the_file_itself(store: Store) -> None:
    run = begun(store)
    store.events.record(run, 1, [started(), *steps(0, 1)])
    with pytest.raises(sqlite3.IntegrityError):
        store._database._db.execute("INSERT INTO steps VALUES (?, 0, 1, 1, 1, 1, x'')", (run,))


def test_a_store_of_the_first_version_is_brought_up_to_date_and_keeps_its_runs(tmp_path: Path) -> None:
    without_owner, changed = re.subn(
        r",( *-- newest RunStarted.*)\n *owner .*\n *pinned .*\n *cut_asked .*\n", r"\1\n", SCHEMA
    )
    assert changed == 1
    db = sqlite3.connect(tmp_path / "store.sqlite")
    db.executescript(f"{without_owner} PRAGMA user_version = 1;")
    values = ("old", "old", SPEC.model_dump_json(), "finished", "trained", 1.0)
    db.execute("INSERT INTO runs (id, name, spec, status, origin, created) VALUES (?, ?, ?, ?, ?, ?)", values)
    db.commit()
    db.close()
    for _ in range(2):
        store = Store(tmp_path)
        assert (store.runs.get("old").owner, store.runs.get("old").pinned, store.runs.get("old").cut_asked) == (
            "",
            False,
            None,
        )
        assert store.runs.get(store.runs.create(SPEC, owner="someone").id).owner == "someone"
        assert store.notice == ""
        store.close()


def test_a_store_of_a_newer_version_is_left_as_it_is(tmp_path: Path) -> None:
    Store(tmp_path).close()
    db = sqlite3.connect(tmp_path / "store.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="a newer version of this program"):
        Store(tmp_path)
    assert [path.name for path in tmp_path.glob("store.corrupt*")] == []
