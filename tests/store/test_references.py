"""The reference runs: in every store, whole, and with the very weights whose errors their events tell."""

import gzip

import pytest
from scipy import stats

from app.base import settings
from app.base.settings import ASSETS
from app.data.images import load
from app.store.files.checkpoints import FIRST_MOMENTS, kept, weights_file
from app.store.files.references import REFERENCES
from app.store.store import Store
from app.training.evaluation import evaluate, load_weights
from app.values.datasets import BUNDLED, available
from app.values.events import EpochEvaluated, from_json
from app.values.evidence import CONFIDENCE
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


def runs(*weights: str) -> list[str]:
    """Ids of the reference runs: all, or those of which so many weights are kept."""
    return [reference.run for reference in REFERENCES if not weights or reference.weights in weights]


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
    first_and_last = {0, started.total_steps}
    wanted = {*FIRST_MOMENTS, *ends} if run in runs("moments") else first_and_last if run in runs("ends") else set()
    assert store.events.moments(run) == sorted(wanted)
    assert kept(store.weights.folder(run)) == store.events.moments(run)


@pytest.mark.slow
@pytest.mark.parametrize("run", runs("moments", "ends"))
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


def last_errors(store: Store, net: str) -> list[float]:
    """Training error over the last epoch, of each seed of a bundled net."""
    group = store.group(store.runs.get(f"reference-{net}"))
    errors = [store.events.history(run.id).train_error(run.epoch_steps) for run in group]
    return [error for error in errors if error is not None]


def test_the_story_of_the_first_page_holds_with_its_intervals(store: Store) -> None:
    """Deeper is worse without shortcuts, and is not with them: over five seeds, by SciPy's own test."""
    net = {name: last_errors(store, name) for name in ("plain-20", "plain-56", "preact-20", "preact-56")}
    assert {len(errors) for errors in net.values()} == {5}
    plain = stats.ttest_rel(net["plain-56"], net["plain-20"]).confidence_interval(CONFIDENCE)
    residual = stats.ttest_rel(net["preact-56"], net["preact-20"]).confidence_interval(CONFIDENCE)
    assert plain.low > 5
    assert residual.high < 1


def test_all_of_it_is_small_enough_to_be_cloned() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 25_000_000


def test_a_reference_run_is_never_deleted(store: Store) -> None:
    with pytest.raises(ValueError, match="comes with the program"):
        store.delete("reference-plain-20")
    assert weights_file(FOLDER / "reference-plain-20", 0).exists()
