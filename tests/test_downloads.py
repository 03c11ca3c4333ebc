"""app/data.py: downloads, from a server in this process that has small files in the official formats."""

import contextlib
import gzip
import hashlib
import io
import pickle
import socket
import struct
import tarfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from numpy.typing import NDArray

from app import data
from app.data import download, load
from app.datasets import BUNDLED, DATASETS, FILES, DataError, DataUnavailable, available
from app.settings import Settings

Bytes = NDArray[np.uint8]
Parts = tuple[Bytes, Bytes, Bytes, Bytes]  # train, its labels, test, its labels

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


def small_set(name: str) -> Parts:
    info, rng = DATASETS[name], np.random.default_rng(len(name))
    shape = (info.channels, info.size, info.size)
    parts = [
        part
        for count in (50, 20)
        for part in (rng.integers(256, size=(count, *shape)), rng.integers(info.classes, size=count))
    ]
    train, train_labels, test, test_labels = (part.astype(np.uint8) for part in parts)
    return train, train_labels, test, test_labels


def idx(array: Bytes) -> bytes:
    """The format of http://yann.lecun.com/exdb/mnist: two zeros, type 8 (bytes), dimensions, sizes, data."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def tar_gz(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def official_files(name: str, parts: Parts) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """What is downloaded, and what is read, by file name."""
    train, train_labels, test, test_labels = parts
    if name.endswith("mnist"):
        arrays = (train[:, 0], train_labels, test[:, 0], test_labels)
        read = {Path(file).name: idx(array) for file, array in zip(FILES[name].files, arrays, strict=True)}
        return {f"{file}.gz": gzip.compress(content) for file, content in read.items()}, read
    labels = "labels" if name == "cifar-10" else "fine_labels"

    def batch(x: Bytes, y: Bytes) -> bytes:
        return pickle.dumps({"data": x.reshape(len(x), 3072), labels: y.tolist()})

    if name == "cifar-10":
        batches = {f"data_batch_{n + 1}": batch(train[n * 10 :][:10], train_labels[n * 10 :][:10]) for n in range(5)}
        meta = {"batches.meta": pickle.dumps({"label_names": list(DATASETS[name].labels)})}
        read = {**batches, "test_batch": batch(test, test_labels), **meta}
    else:
        meta = {"meta": pickle.dumps({"fine_label_names": list(DATASETS[name].labels)})}
        read = {"train": batch(train, train_labels), "test": batch(test, test_labels), **meta}
    (archive,), folder = FILES[name].archives, Path(FILES[name].files[0]).parent
    return {archive: tar_gz({f"{folder}/{file}": content for file, content in read.items()})}, read


class Source:
    """A server of small data sets on this machine, to which torchvision's own classes are pointed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.served: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.answer: Callable[[BaseHTTPRequestHandler, bytes], object] | None = None  # in place of the whole file
        source = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                source.asked[name] += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(source.served[name])))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # torchvision hangs up on its first request
                    (source.answer or type(self).send)(self, source.served[name])

            def send(self, content: bytes) -> None:
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.monkeypatch = monkeypatch

    def offer(self, name: str, address: str = "") -> Parts:
        """Serve a small set under that name, or say that it is served at `address`. Returns what is in it."""
        parts = small_set(name)
        archives, read = official_files(name, parts)
        self.served |= archives
        kind = getattr(torchvision.datasets, FILES[name].torchvision)
        address = address or f"http://127.0.0.1:{self.server.server_address[1]}/"
        if name.endswith("mnist"):
            self.monkeypatch.setattr(kind, "mirrors", [address])
            self.monkeypatch.setattr(kind, "resources", [(file, md5(content)) for file, content in archives.items()])
        else:
            ((archive, content),) = archives.items()
            *batches, (meta, meta_md5) = [(file, md5(content)) for file, content in read.items()]
            self.monkeypatch.setattr(kind, "url", address + archive)
            self.monkeypatch.setattr(kind, "tgz_md5", md5(content))
            self.monkeypatch.setattr(kind, "train_list", [[*batch] for batch in batches if "test" not in batch[0]])
            self.monkeypatch.setattr(kind, "test_list", [[*batch] for batch in batches if "test" in batch[0]])
            self.monkeypatch.setattr(kind, "meta", {**kind.meta, "filename": meta, "md5": meta_md5})
        return parts


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


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
                changed.wait_for(lambda: max(seen, default=(0, 0)) > reported[-1], timeout=10)

    monkeypatch.setattr(data, "WATCH_SECONDS", 0.01)
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
    monkeypatch.setattr(data, "SILENCE_SECONDS", 0.2)
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
    monkeypatch.setattr(data, "WATCH_SECONDS", 0.01)
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
