"""An engine for pages: on a temporary store with the reference runs, without workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app import jobs
from app.jobs import Engine
from app.settings import Settings
from tests.pages.opening import Answering, NoCluster


@contextmanager
def started(cluster: type[NoCluster], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    jobs.stop()
    monkeypatch.setattr(jobs, "Cluster", cluster)
    yield jobs.start(Settings(store=folder / "store", data=folder / "data", workers=1))
    jobs.stop()


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
