"""Nothing is lost silently: flipped bytes, full disks, emptied and copied files; each is said, or made good."""

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import torch

from app.base.settings import Settings
from app.engine.disk_wait import DiskWait
from app.store.database import StoreError
from app.store.files.checkpoints import DamagedError, Digests, check, weights_file
from app.store.integrity import wal
from app.store.integrity.backup import backup, restore, salvage_file
from app.store.integrity.verification import findings
from app.store.store import Store, open_store
from app.training.evaluation import read_tensors, write_tensors
from app.values.events import CheckpointSaved, RunFinished
from tests.store.test_run_store import SPEC, begun, losses, started, steps
from tests.trials import flips


def filled(folder: Path, finished: bool = True) -> tuple[Store, list[str]]:
    """A store with three runs, their weights and an answer each."""
    store, runs = Store(folder), []
    for number in range(3):
        run = begun(store)
        place = store.weights.folder(run)
        digest = write_tensors(weights_file(place, 0), {"a": torch.full((50,), float(number))})
        events = [started(), CheckpointSaved(step=0, moment=True, weights=digest), *steps(0, 20)]
        store.events.record(run, 1, [*events, *([RunFinished(step=20)] if finished else [])])
        store.answers.keep(f"key-{number}", run, "{}", bytes(range(200)))
        runs.append(run)
    return store, runs


def test_of_a_flipped_byte_in_the_file_nothing_is_silent(tmp_path: Path) -> None:
    filled(tmp_path / "store")[0].close()
    came = dict(flips.in_file(tmp_path / "store", 60, random.Random(0)))
    assert [where for where, how in came.items() if how == "silent"] == []
    assert "said" in came.values()


def test_a_schema_whose_names_are_no_text_any_more_costs_no_run(tmp_path: Path) -> None:
    store, runs = filled(tmp_path)
    store.close()
    path = tmp_path / "store.sqlite"
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE nicknames", b"CREATE T\xe9BLE nicknames"))
    assert any(one.what == "file" for one in findings(tmp_path))
    opened = Store(tmp_path)
    assert "damaged" in opened.notice
    assert {run.id for run in opened.runs.all()} == set(runs)


def test_of_a_flipped_byte_in_the_log_nothing_is_silent(tmp_path: Path) -> None:
    store, _ = filled(tmp_path / "store")
    assert not wal.damaged(tmp_path / "store" / "store.sqlite-wal")
    came = dict(flips.in_file(tmp_path / "store", 15, random.Random(0), "store.sqlite-wal"))
    store.close()
    assert [where for where, how in came.items() if how == "silent"] == []


def test_of_a_flipped_byte_in_weights_nothing_is_silent(tmp_path: Path) -> None:
    store, _ = filled(tmp_path / "store")
    assert {how for _, how in flips.in_weights(store, tmp_path, 60, random.Random(0))} == {"said"}


@pytest.mark.parametrize("content", [b"", None])
def test_weights_that_were_emptied_or_are_gone_are_damaged_even_without_a_digest(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "0000001.safetensors"
    digest = write_tensors(path, {"a": torch.ones(3)})
    check(path, digest)
    path.unlink() if content is None else path.write_bytes(content)
    for known in (digest, ""):
        with pytest.raises(DamagedError, match="0000001"):
            read_tensors(path, known)


def test_a_run_falls_back_to_the_checkpoint_before_and_then_to_the_beginning_and_says_so(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = begun(store)
    folder = store.weights.folder(run)
    folder.mkdir(parents=True)
    events = [started()]
    for step in (3, 5, 7):
        for suffix in ("", ".momentum"):
            (folder / f"{step:07d}{suffix}.safetensors").write_bytes(b"x")
        events.append(CheckpointSaved(step=step, moment=False, weights="a" * 64, momentum="b" * 64))  # type: ignore[arg-type]
    store.events.record(run, 1, events)
    store.prune(run)
    assert sorted(path.name[:7] for path in folder.iterdir()) == ["0000005", "0000005", "0000007", "0000007"]
    store.fall_back(run, "its checksum is wrong")
    assert (store.runs.get(run).checkpoint, "step 7 were damaged" in store.runs.get(run).message) == (5, True)
    store.fall_back(run, "its checksum is wrong")
    assert store.runs.get(run).checkpoint is None
    assert "from step 0" in store.runs.get(run).message


def test_what_a_full_disk_does_not_take_waits_and_is_written_when_there_is_space(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = begun(store)
    store.events.record(run, 1, [started()])
    db = store._database._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    said: list[str] = []

    def tell(trouble: str) -> None:
        said.append(trouble)
        db.execute("PRAGMA max_page_count = 1000000")  # somebody makes room

    DiskWait(tell).until_written(lambda: store.events.record(run, 1, [*steps(0, 3000), RunFinished(step=3000)]))
    assert "waits in memory" in said[0]
    assert said[1:] == [""]
    assert (store.runs.get(run).status, store.runs.get(run).step) == ("finished", 3000)


def test_a_commit_that_fails_leaves_no_transaction_open(tmp_path: Path) -> None:
    store = Store(tmp_path)
    db = store._database._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreError, match="Free some space"):
        store.owners.set_nickname("someone", "x" * 1_000_000)
    db.execute("PRAGMA max_page_count = 1000000")
    assert store.runs.create(SPEC).status == "queued"


def test_one_spec_of_a_newer_version_hides_no_other_run(tmp_path: Path) -> None:
    store, runs = filled(tmp_path)
    with store._database.transaction() as db:
        db.execute('UPDATE runs SET spec = \'{"of": "tomorrow"}\' WHERE id = ?', (runs[1],))
    assert {run.id for run in store.runs.all()} == {runs[0], runs[2]}
    assert runs[1] in store.notice
    with pytest.raises(KeyError, match="cannot be read by this version"):
        store.runs.get(runs[1])


def test_a_copy_of_the_file_alone_has_everything(tmp_path: Path) -> None:
    store, runs = filled(tmp_path / "store")
    store.settle()
    (tmp_path / "copy").mkdir()
    shutil.copyfile(tmp_path / "store" / "store.sqlite", tmp_path / "copy" / "store.sqlite")
    assert {run.id for run in Store(tmp_path / "copy").runs.all()} == set(runs)


@pytest.mark.parametrize("change", ["emptied", "gone"])
def test_a_file_that_is_empty_beside_weights_is_said(tmp_path: Path, change: str) -> None:
    store, _ = filled(tmp_path / "store")
    store.close()
    path = tmp_path / "store" / "store.sqlite"
    path.unlink() if change == "gone" else path.write_bytes(b"")
    opened = open_store(Settings(store=tmp_path / "store", data=tmp_path))
    assert "3 runs whose weights lie beside it" in opened.notice
    assert ("0 bytes" in opened.notice) == (change == "emptied")


def test_a_damaged_page_costs_no_run_that_can_be_read(tmp_path: Path) -> None:
    store = Store(tmp_path)
    runs = [begun(store) for _ in range(4)]
    for run in runs:
        store.events.record(run, 1, [started(), *steps(0, 400), RunFinished(step=400)])
    store.close()
    content = bytearray((tmp_path / "store.sqlite").read_bytes())
    middle = len(content) // 4096 // 2
    content[4096 * middle : 4096 * (middle + 2)] = b"\xff" * 8192
    (tmp_path / "store.sqlite").write_bytes(content)
    salvaged = Store(tmp_path)
    assert "damaged" in salvaged.notice
    assert {run.id for run in salvaged.runs.all()} == set(runs)
    for one in map(salvaged.runs.get, runs):
        assert losses(salvaged, one.id) == [1.0] * one.step
        assert (one.step == 400) or ("could not be read" in one.message and one.status == "failed")
    assert sum(run.step == 400 for run in salvaged.runs.all()) >= 2
    assert Store(tmp_path).notice == ""


def test_verify_names_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    store, runs = filled(tmp_path / "store")
    store.close()
    assert list(findings(tmp_path / "store")) == []
    flips.flipped(weights_file(tmp_path / "store" / "weights" / runs[0], 0), random.Random(0))
    with closing(sqlite3.connect(tmp_path / "store" / "store.sqlite")) as db:
        db.execute("UPDATE answers SET result = x'00' WHERE run = ?", (runs[1],))
        db.execute("DELETE FROM steps WHERE run = ? AND step = 7", (runs[2],))
        db.commit()
    found = {(one.what, one.run) for one in findings(tmp_path / "store")}
    assert found == {("weights", runs[0]), ("answers", runs[1]), ("events", runs[2])}


@pytest.mark.parametrize("name", ["copy", "copy.zip"])
def test_a_backup_that_is_made_while_the_store_is_open_is_restored_whole(tmp_path: Path, name: str) -> None:
    store, _ = filled(tmp_path / "store", finished=False)
    truth = flips.rows(store)
    assert backup(tmp_path / "store", tmp_path / name) == []
    assert restore(tmp_path / name, tmp_path / "new") == []
    assert flips.rows(Store(tmp_path / "new")) == truth
    for path in (tmp_path / "store" / "weights").rglob("*.safetensors"):
        assert (tmp_path / "new" / path.relative_to(tmp_path / "store")).read_bytes() == path.read_bytes()
    with pytest.raises(FileExistsError, match="Nothing was changed"):
        restore(tmp_path / name, tmp_path / "store")
    with pytest.raises(FileExistsError, match="Nothing was changed"):
        backup(tmp_path / "store", tmp_path / name)


def test_what_can_be_read_of_a_file_without_its_first_bytes_is_read(tmp_path: Path) -> None:
    store, runs = filled(tmp_path / "store")
    store.close()
    damaged = tmp_path / "store" / "store.sqlite"
    damaged.write_bytes(b"\0" * 16 + damaged.read_bytes()[16:])
    (tmp_path / "new").mkdir()
    saved = salvage_file(damaged, tmp_path / "new" / "store.sqlite")
    assert (saved.runs, saved.told) == (3, "nothing")
    assert {run.id for run in Store(tmp_path / "new").runs.all()} == set(runs)


def test_reference_weights_have_the_digests_that_their_records_tell(tmp_path: Path) -> None:
    store = open_store(Settings(store=tmp_path, data=tmp_path))
    for run in store.runs.all():
        known = store.digests(run.id)
        assert sorted(known) == store.events.moments(run.id)
        for step, digests in known.items():
            check(weights_file(store.weights.folder(run.id), step), digests.weights)
    assert any(Digests("") != digests for run in store.runs.all() for digests in store.digests(run.id).values())
