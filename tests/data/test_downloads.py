"""app/data/downloads.py, from a server in this process."""

import pickle
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest

from app.base.settings import Settings
from app.data import downloads
from app.data import images as data
from app.data.downloads import download
from app.data.images import load
from app.values.datasets import BUNDLED, DATASETS, FILES, DataError, DataUnavailable, available
from tests.support.served_data import Parts, Source, closed_port, official_files
from tests.support.waiting import PATIENCE

TORCHVISION = tuple(FILES)


@pytest.fixture(autouse=True)
def _own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No data sets kept from another test, and the sockets' time-out as it was."""
    timeout = socket.getdefaulttimeout()
    monkeypatch.setattr(data, "_cache", type(data._cache)())
    yield
    socket.setdefaulttimeout(timeout)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", store=tmp_path / "store")


def assert_holds(images: data.Images, parts: Parts) -> None:
    for tensor, array in zip((images.train, images.train_labels, images.test, images.test_labels), parts, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), array)


def left_behind(settings: Settings) -> list[str]:
    """Files under the data folder; an empty lock is no data."""
    return sorted(path.name for path in settings.data.rglob("*") if path.is_file() and path.suffix != ".lock")


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    source = Source(monkeypatch)
    yield source
    source.server.shutdown()
    source.server.server_close()


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_set_that_is_not_here_is_downloaded_and_is_what_was_served(
    settings: Settings, source: Source, name: str
) -> None:
    parts = source.offer(name)
    assert not available(name, settings.data)
    assert_holds(load(name, settings), parts)
    assert available(name, settings.data)


@pytest.mark.parametrize("name", TORCHVISION)
def test_a_set_that_is_here_is_used_where_it_lies(settings: Settings, source: Source, name: str) -> None:
    parts = source.offer(name, closed_port())
    for file, content in zip(FILES[name].files, official_files(name, parts)[1].values(), strict=True):
        (settings.data / file).parent.mkdir(parents=True, exist_ok=True)
        (settings.data / file).write_bytes(content)
    assert available(name, settings.data)
    assert_holds(load(name, settings), parts)
    assert left_behind(settings) == sorted(Path(file).name for file in FILES[name].files)


@pytest.mark.parametrize("name", TORCHVISION)
def test_archives_put_there_by_hand_do_without_a_network(settings: Settings, source: Source, name: str) -> None:
    parts = source.offer(name, closed_port())
    for archive in FILES[name].archives:
        (settings.data / archive).parent.mkdir(parents=True, exist_ok=True)
        (settings.data / archive).write_bytes(source.served[Path(archive).name])
    assert_holds(load(name, settings), parts)


@pytest.mark.parametrize("name", TORCHVISION)
def test_offline_says_what_is_bundled_and_where_files_go_and_a_retry_works(
    settings: Settings, source: Source, name: str
) -> None:
    source.offer(name, closed_port())
    with pytest.raises(DataUnavailable) as offline:
        load(name, settings)
    for expected in (
        "Connection refused",
        "Nothing was lost",
        BUNDLED,
        str(settings.data),
        Path(FILES[name].archives[0]).name,
    ):
        assert expected in str(offline.value)
    assert "\n" not in str(offline.value)
    assert left_behind(settings) == []
    parts = source.offer(name)
    assert_holds(load(name, settings), parts)


def test_progress_grows_to_the_whole(settings: Settings, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    reported: list[tuple[int, int]] = []
    changed = threading.Condition()

    def progress(done: int, total: int) -> None:
        with changed:
            seen.append((done, total))
            changed.notify_all()

    def in_quarters(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        if source.asked["cifar-10-python.tar.gz"] == 1:
            return  # torchvision only asks whether the file has moved
        quarter = len(content) // 4 + 1
        for begin in range(0, len(content), quarter):
            with changed:
                handler.wfile.write(content[begin : begin + quarter])
                reported.append(max(seen, default=(0, 0)))
                # the next quarter, once something of this one has been reported
                changed.wait_for(lambda: max(seen, default=(0, 0)) > reported[-1], timeout=PATIENCE)

    monkeypatch.setattr(downloads, "WATCH_SECONDS", 0.01)
    source.offer("cifar-10")
    source.answer = in_quarters
    download("cifar-10", settings.data, progress)
    total = DATASETS["cifar-10"].download_bytes
    assert seen == sorted(seen)
    assert seen[-1] == (total, total)
    assert len({done for done, _ in seen}) >= 4


def test_however_many_ask_it_is_downloaded_once(settings: Settings, source: Source) -> None:
    parts = source.offer("mnist")
    with ThreadPoolExecutor(8) as askers:
        for images in askers.map(lambda _: load("mnist", settings), range(8)):
            assert_holds(images, parts)
    assert set(source.asked.values()) == {2}  # torchvision asks once for where it is, and once for the file


def test_a_download_that_breaks_off_leaves_nothing_and_can_be_repeated(settings: Settings, source: Source) -> None:
    def half(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True

    parts, source.answer = source.offer("fashion-mnist"), half
    with pytest.raises(DataUnavailable, match="not found or corrupted"):
        load("fashion-mnist", settings)
    assert left_behind(settings) == []
    source.answer = None
    assert_holds(load("fashion-mnist", settings), parts)


def test_a_server_that_falls_silent_is_given_up(
    settings: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(downloads, "SILENCE_SECONDS", 0.2)
    socket.setdefaulttimeout(None)
    source.offer("cifar-10")
    source.answer = lambda *_: over.wait(20)
    with pytest.raises(DataUnavailable, match="timed out"):
        load("cifar-10", settings)
    over.set()


def test_what_was_served_but_is_not_the_official_file_is_not_kept(settings: Settings, source: Source) -> None:
    source.offer("cifar-100")
    source.served["cifar-100-python.tar.gz"] += b"?"
    with pytest.raises(DataUnavailable, match="corrupted"):
        load("cifar-100", settings)
    assert left_behind(settings) == []


def test_giving_up_waiting_does_not_give_up_the_download(
    settings: Settings, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StoppedError

    go_on = threading.Event()
    monkeypatch.setattr(downloads, "WATCH_SECONDS", 0.01)
    parts = source.offer("cifar-10")
    source.answer = lambda handler, content: go_on.wait(20) and handler.wfile.write(content)
    with pytest.raises(StoppedError):
        download("cifar-10", settings.data, stop)
    go_on.set()
    assert_holds(load("cifar-10", settings), parts)
    assert source.asked["cifar-10-python.tar.gz"] == 2


def test_a_folder_that_cannot_be_written_is_said(settings: Settings, source: Source) -> None:
    source.offer("mnist")
    settings.data.write_text("a file where the folder should be")
    with pytest.raises(DataUnavailable, match="File exists"):
        load("mnist", settings)


def test_a_half_unpacked_file_does_not_count_and_is_replaced(settings: Settings, source: Source) -> None:
    parts = source.offer("mnist")
    download("mnist", settings.data)
    file = settings.data / FILES["mnist"].files[0]
    file.write_bytes(file.read_bytes()[:-1])
    assert not available("mnist", settings.data)
    assert_holds(load("mnist", settings), parts)


def test_a_damaged_pickle_is_refused_before_it_is_read(settings: Settings, source: Source) -> None:
    source.offer("cifar-10")
    download("cifar-10", settings.data)
    (settings.data / "cifar-10-batches-py" / "test_batch").write_bytes(pickle.dumps({"data": 0}))
    with pytest.raises(DataError, match="is damaged: remove that folder"):
        load("cifar-10", settings)


def test_only_the_last_few_sets_are_kept(settings: Settings, source: Source) -> None:
    first = load(BUNDLED, settings)
    for name in TORCHVISION[: data.CACHED]:
        source.offer(name)
        load(name, settings)
    assert load(BUNDLED, settings) is not first


def test_bundled_and_uploaded_sets_are_never_downloaded(settings: Settings) -> None:
    assert available(BUNDLED, settings.data)
    assert available("own-0123456789ab", settings.data)
    with pytest.raises(DataError, match="not downloaded"):
        download(BUNDLED, settings.data)
