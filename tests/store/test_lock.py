"""One engine a store: the second is refused in a sentence, and a killed one leaves the store free."""

import errno
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from app.base.settings import ROOT
from app.store.database import StoreError
from app.store.files.lock import hold_store

HOLD = "import sys, time; from app.store.files.lock import hold_store; from pathlib import Path\n"
HOLD += "held = hold_store(Path(sys.argv[1])); print('held', flush=True); time.sleep(600)"


def test_a_held_store_is_refused_and_a_released_one_is_not(tmp_path: Path) -> None:
    held = hold_store(tmp_path / "store")
    with pytest.raises(StoreError, match="Nothing was changed"):
        hold_store(tmp_path / "store")
    held.release()
    hold_store(tmp_path / "store").release()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(StoreError, match="another server"):
            hold_store(tmp_path)
        process.kill()
    hold_store(tmp_path).release()


def test_any_thread_may_let_it_go(tmp_path: Path) -> None:
    # By filelock's default a lock is its thread's: released on another one, it stayed held.
    held = hold_store(tmp_path)
    letting_go = threading.Thread(target=held.release)
    letting_go.start()
    letting_go.join()
    hold_store(tmp_path).release()


def test_a_folder_that_cannot_be_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be held"):
        hold_store(tmp_path / "file" / "store")


def test_where_the_system_has_no_locks_none_is_pretended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A marker file would outlive a process that is killed, and keep every later server out.
    fcntl = pytest.importorskip("fcntl")

    def absent(_file: int, _what: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", absent)
    with pytest.raises(StoreError, match="not implemented"):
        hold_store(tmp_path)
