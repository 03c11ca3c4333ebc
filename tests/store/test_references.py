"""The reference runs: in every store, whole, and with the very weights whose errors their events tell."""

import gzip

import pytest

from app.base import settings
from app.base.settings import ASSETS
from app.data.images import load
from app.store.files.checkpoints import FIRST_MOMENTS, kept, weights_file
from app.store.files.references import REFERENCES
from app.store.store import Store
from app.training.evaluation import evaluate, load_weights
from app.values.datasets import BUNDLED, available
from app.values.events import EpochEvaluated, from_json
from models.nets.net import build
from models.plan import plan

FOLDER = ASSETS / "reference"
# Images out of 2000 on which float32 here and the recording's own precision and rounding may disagree.
IMAGES = 2


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A new store, as an engine opens it."""
    store = Store(tmp_path_factory.mktemp("store"), FOLDER)
    store.adopt_references()
    return store


def runs(data: str = "") -> list[str]:
    """Ids of the reference runs, of all data sets or of one."""
    return [one.run for one in REFERENCES if data in ("", one.data)]


def test_a_new_store_has_every_reference_run_once(store: Store) -> None:
    assert sorted(run.id for run in store.runs.all()) == sorted(runs())
    store.adopt_references()
    assert len(store.runs.all()) == len(REFERENCES)


@pytest.mark.parametrize("run", runs())
def test_a_reference_run_is_finished_and_whole(store: Store, run: str) -> None:
    found = store.runs.get(run)
    assert (found.status, found.origin, found.message) == ("finished", "reference", "")
    assert found.started is not None
    assert found.step == found.total == found.started.total_steps
    assert (found.spec.net.width, found.spec.images) == (8 if found.spec.data == BUNDLED else 16, None)
    assert found.started.layers == tuple(layer.name for layer in plan(found.spec.net).layers)
    steps = store.events.steps(run, 0, found.total + 1)
    assert [one.step for one in steps] == list(range(found.total))
    assert {len(one.norms) for one in steps} == {len(found.started.layers)}
    assert len(store.events.history(run).series().test_error) == found.spec.recipe.epochs


@pytest.mark.parametrize("run", runs())
def test_every_moment_has_its_weights(store: Store, run: str) -> None:
    started = store.runs.get(run).started
    assert started is not None
    ends = range(started.epoch_steps, started.total_steps + 1, started.epoch_steps)
    wanted = {*FIRST_MOMENTS, *ends} if run in runs(BUNDLED) else {0, started.total_steps}
    assert store.events.moments(run) == sorted(wanted)
    assert kept(store.weights.folder(run)) == store.events.moments(run)


@pytest.mark.slow
@pytest.mark.parametrize("run", runs())
def test_the_weights_of_each_epoch_have_the_test_error_of_its_event(store: Store, run: str) -> None:
    found = store.runs.get(run)
    if not available(found.spec.data, settings.load().data):
        pytest.skip(f"{found.spec.data} is not on this machine")
    images = load(found.spec.data, settings.load())
    events = from_json(gzip.decompress((FOLDER / run / "events.json.gz").read_bytes()))
    net = build(found.spec.net)
    there = store.events.moments(run)
    epochs = [event for event in events if isinstance(event, EpochEvaluated) and event.step in there]
    assert epochs
    for event in epochs if found.spec.net.depth == 20 else epochs[::3]:  # of the slow ones the first and the last
        load_weights(net, weights_file(store.weights.folder(run), event.step))
        measured = evaluate(net, images)
        assert measured.images == event.test_images
        assert measured.error == pytest.approx(event.test_error, abs=100 * IMAGES / event.test_images)


def test_the_deep_plain_net_is_behind_its_twin_as_the_first_page_promises(store: Store) -> None:
    for place in ("", "cifar-10-"):
        plain, residual = (
            store.events.history(f"reference-{place}{net}-56").train_error() for net in ("plain", "resnet")
        )
        assert plain is not None
        assert residual is not None
        assert plain - residual >= 10


def test_all_of_it_is_small_enough_to_be_cloned() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 24_000_000


def test_a_reference_run_is_never_deleted(store: Store) -> None:
    with pytest.raises(ValueError, match="comes with the program"):
        store.delete("reference-plain-20")
    assert weights_file(FOLDER / "reference-plain-20", 0).exists()
