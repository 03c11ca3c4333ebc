"""Small data sets in the official formats, served by this process to torchvision's own classes."""

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
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from numpy.typing import NDArray

from app.values.datasets import DATASETS, FILES

Bytes = NDArray[np.uint8]
Parts = tuple[Bytes, Bytes, Bytes, Bytes]  # train, its labels, test, its labels


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
