"""What pages are tested on, a temporary store with the reference runs: an engine without workers, or a whole server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.base.settings import ROOT, Settings
from app.engine import engine as engine_module
from app.engine import process
from app.engine.engine import Engine
from tests.support.browser import server
from tests.support.opening import Answering, NoCluster


@contextmanager
def started(cluster: type[NoCluster], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    process.stop()
    monkeypatch.setattr(engine_module, "Cluster", cluster)
    yield process.start(Settings(store=folder / "store", data=folder / "data", workers=1))
    process.stop()


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """This process's engine, as the pages find it."""
    with started(NoCluster, tmp_path, monkeypatch) as engine:
        yield engine


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The same; but what a page asks of a trained net is answered at once."""
    with started(Answering, tmp_path, monkeypatch) as engine:
        yield engine


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app, served with one worker for all the files that leave it as they found it: a server takes seconds."""
    folder = tmp_path_factory.mktemp("served")
    settings = {"RESNET_EXPLORER_STORE": str(folder / "store"), "RESNET_EXPLORER_WORKERS": "1"}
    with server(ROOT / "app" / "main.py", log=folder / "log.txt", **settings) as address:
        yield address
