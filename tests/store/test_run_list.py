"""The list of runs, which one drawing of a page asks for many times: read when it has changed, and then at once."""

from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from app.base.settings import ASSETS
from app.store.run_group import seeds_in_words
from app.store.store import Store
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut, CheckpointSaved
from tests.store.test_run_store import SPEC, started, steps


def test_the_list_of_runs_is_read_again_when_anything_changed_whoever_changed_it(tmp_path: Path) -> None:
    here, there = Store(tmp_path), Store(tmp_path)
    run = here.runs.create(SPEC).id
    [first] = here.runs.all()
    assert here.runs.all()[0] is first, "nothing changed: nothing is read"
    there.runs.rename(run, "by another process")
    assert here.runs.all()[0].name == "by another process"
    here.runs.update(run, attempt=1)
    here.events.record(run, 1, [started(), *steps(0, 2)])
    assert [known.step for known in here.runs.all(["running"])] == [2]
    there.runs.create(SPEC)
    assert len(here.runs.all()) == 2


def test_what_is_undone_was_never_seen(tmp_path: Path) -> None:
    store = Store(tmp_path)
    run = store.runs.create(SPEC).id
    with suppress(KeyboardInterrupt), store.runs._database.transaction() as db:
        db.execute("UPDATE runs SET name = 'not yet' WHERE id = ?", (run,))
        assert store.runs.all()[0].name == "not yet"
        raise KeyboardInterrupt
    assert store.runs.all()[0].name != "not yet"


def trained(store: Store, seed: int, owner: str = "a", status: str = "finished", **changes: object) -> str:
    """A run's id."""
    run = store.runs.create(SPEC.model_copy(update={"seed": seed, **changes}), owner=owner).id
    store.runs.update(run, status=status, attempt=1)
    return run


def test_a_group_is_one_owner_s_runs_that_differ_in_the_seed_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = partial(trained, store)
    first, older, newer = made(4), made(2), made(2)
    more_threads = made(7, threads=4)
    made(1, status="failed"), made(3, status="cancelled"), made(5, owner="b"), made(6, images=640)
    cut = made(8)
    store.events.record(cut, 1, [started(), BlockCut(step=0, cut=CutSpec.parse("1"))])
    group = [run.id for run in store.group(store.runs.get(first))]
    assert group == [newer, first, more_threads]
    assert [run.id for run in store.group(store.runs.get(older))] == [older]
    assert [run.id for run in store.group(store.runs.get(cut))] == [cut]


def test_the_references_come_with_three_seeds_or_more(tmp_path: Path) -> None:
    store = Store(tmp_path, ASSETS / "reference")
    store.adopt_references()
    for net in ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20", "preact-56"):
        seeds = store.group(store.runs.get(f"reference-{net}"))
        assert [run.spec.seed for run in seeds[:3]] == [0, 1, 2]
        assert [run.has_weights for run in seeds] == [True, *(False for _ in seeds[1:])]


def test_every_run_is_in_one_group_and_a_seed_that_was_trained_again_in_two(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made = partial(trained, store)
    older, other = made(0), made(1)
    failed, theirs, fewer = made(2, status="failed"), made(1, owner="b"), made(1, images=640)
    cut = made(3)
    store.events.record(cut, 1, [started(), BlockCut(step=0, cut=CutSpec.parse("1"))])
    newer = made(0)
    groups = store.groups(store.runs.all())
    assert [group.ids for group in groups] == [(newer, other), (cut,), (fewer,), (theirs,), (failed,), (older,)]
    assert [run.id for run in store.group(store.runs.get(other))] == [newer, other]


@pytest.mark.parametrize(
    ("seeds", "said"),
    [([4], "4"), ([3, 0], "0, 3"), ([0, 1], "0, 1"), ([2, 0, 1, 3, 4], "0–4"), ([9, 0, 1, 2, 7], "0–2, 7, 9")],
)
def test_seeds_are_told_as_people_write_them(seeds: list[int], said: str) -> None:
    assert seeds_in_words(seeds) == said


def test_a_group_stands_by_its_first_seed_that_has_weights_and_tells_how_many_are_in_which_state(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    for seed, status in enumerate(("queued", "finished", "finished")):
        run = store.runs.create(SPEC.model_copy(update={"seed": seed})).id
        store.runs.update(run, status=status, attempt=1)
        if seed:
            store.events.record(run, 1, [started(), CheckpointSaved(step=0, moment=True)])
    [group] = store.groups(store.runs.all())
    assert group.first.spec.seed == 1
    assert group.status == "1 queued, 2 finished"
    assert group.mean(lambda run: [None, 10.0, 20.0][run.spec.seed]) == 15.0
