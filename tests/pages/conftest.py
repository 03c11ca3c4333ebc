"""An engine for pages: on a temporary store with the reference runs, without workers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import jobs
from app.jobs import Engine
from app.settings import Settings
from tests.pages.opening import Answering, NoCluster


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """This process's engine, as the pages find it."""
    jobs.stop()
    monkeypatch.setattr(jobs, "Cluster", NoCluster)
    yield jobs.start(Settings(store=tmp_path / "store", data=tmp_path / "data", workers=1))
    jobs.stop()


@pytest.fixture
def answering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The same; but what a page asks of a trained net is answered at once."""
    jobs.stop()
    monkeypatch.setattr(jobs, "Cluster", Answering)
    yield jobs.start(Settings(store=tmp_path / "store", data=tmp_path / "data", workers=1))
    jobs.stop()
