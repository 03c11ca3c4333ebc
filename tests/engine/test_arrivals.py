"""What comes from elsewhere is read where studies are, a part at a time and within the mode's budget of pixels."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.base.settings import Settings
from app.data import pictures, zip_upload
from app.data.zip_safety import Limits
from app.data.zip_upload import ingest
from app.engine import arrivals, worker
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE, Visitor
from app.store.files.staging import arriving
from app.values.datasets import UploadError
from tests.support.engines import started
from tests.support.opening import NoCluster, spec
from tests.support.settings import sets
from tests.support.zips import png, two_classes, zipped

BY = Visitor("who sends")


class Inline(NoCluster):
    """A cluster that does everything at once, here, and writes down in which lane it was to be done."""

    lanes: list[tuple[str, str]]

    def submit(self, lane: str, work: Callable[..., Any], *given: Any, **_options: Any) -> "Done":
        """As the cluster would, without Dask."""
        self.lanes.append((lane, work.__name__))
        return Done(work, given)


class Done:
    """Work that is done when somebody waits for it."""

    def __init__(self, work: Callable[..., Any], given: tuple[Any, ...]) -> None:
        self._work, self._given, self.cancelled = work, given, False

    def result(self, timeout: float) -> Any:
        """What came of it, or its error."""
        return self._work(*self._given)

    def cancel(self) -> None:
        """It is not to be done any more."""
        self.cancelled = True

    def add_done_callback(self, _call: object) -> None:
        """Nobody is told."""


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """One whose workers are here."""
    monkeypatch.setattr(Inline, "lanes", [], raising=False)
    with started(Inline, tmp_path, monkeypatch) as engine:
        yield engine


def test_a_zip_is_read_a_part_at_a_time_and_becomes_what_it_would_in_one_go(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 white pictures of 49 megapixels let the quick answers of all others wait for 67 s."""
    monkeypatch.setattr(zip_upload, "PART_SECONDS", 0.0)
    members = {**two_classes(), "cat/damaged.png": b"no picture"}
    with arriving(engine.store.folder) as folder:
        data = engine.arrivals.take_images(zipped(folder / "upload.zip", members), "mine", BY)
        parts = len(list(folder.glob("upload.zip.*.npz")))
    assert parts == len(members), "one file a part: between two of them it is others' turn"
    assert Inline.lanes == [("study", "read_images")] * parts + [("study", "keep_images")]
    whole = ingest(zipped(tmp_path / "again.zip", members), tmp_path / "elsewhere", "mine")
    assert data == whole
    assert "damaged.png" in data.remark
    first, second = (
        folder / "data" / f"{data.name}.safetensors" for folder in (engine.store.folder, tmp_path / "elsewhere")
    )
    assert first.read_bytes() == second.read_bytes()
    assert engine.store.owners.uploads() == [(data.name, BY.owner)]


def test_a_zip_of_too_many_pixels_is_refused_as_soon_as_they_are_too_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets(engine, mode="demo", upload_megapixels=1)
    monkeypatch.setattr(zip_upload, "PART_SECONDS", 0.0)  # what was spent is carried from part to part
    opened = 0
    small = pictures._small

    def counted(*given: Any) -> Any:
        nonlocal opened
        opened += 1
        return small(*given)

    monkeypatch.setattr(pictures, "_small", counted)
    white = png(np.full((500, 500, 3), 255, np.uint8))
    members = {f"{folder}/{nth:02}.png": white for folder in ("cat", "dog") for nth in range(30)}
    with arriving(engine.store.folder) as folder, pytest.raises(UploadError, match="more than 1 million pixels in all"):
        engine.arrivals.take_images(zipped(folder / "upload.zip", members), "white", BY)
    assert opened == 4, "of 60"
    assert not (engine.store.folder / "data").exists()
    assert engine.store.owners.uploads() == []


@pytest.mark.parametrize(("mode", "megapixels"), [("local", 5000), ("class", 1000), ("demo", 200)])
def test_the_budget_is_the_modes(mode: str, megapixels: int) -> None:
    limits = worker._limits(Settings.model_validate({"mode": mode}))
    assert isinstance(limits, Limits)
    assert limits.total_pixels == megapixels * 1_000_000


def test_weights_and_data_sets_are_fetched_and_read_where_nobody_waits_for_a_quick_answer(
    engine: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "weights"
    file.write_bytes(b"x")
    with pytest.raises(ValueError, match="neither safetensors nor"):
        engine.arrivals.take_weights(file, spec("resnet-8:width=2"), MACHINE)
    [run] = engine.runs.submit([spec("resnet-8:width=2").model_copy(update={"data": "fashion-mnist"})], MACHINE)
    assert not engine.queue._data_ready(run)
    assert Inline.lanes == [("study", "take_weights"), ("study", "fetch_data")]


def test_work_that_is_not_done_in_time_is_given_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    never = Done(lambda: None, ())

    def late(timeout: float) -> None:
        assert timeout == arrivals.READ_SECONDS
        raise TimeoutError

    monkeypatch.setattr(never, "result", late)
    monkeypatch.setattr(Inline, "submit", lambda *_: never)
    with pytest.raises(TimeoutError):
        engine.arrivals._work("study", worker.keep_images)
    assert never.cancelled
