"""The list of runs, which one drawing of a page asks for many times: read when it has changed, and then at once."""

from contextlib import suppress
from pathlib import Path

from app.base.settings import ASSETS
from app.store.store import Store
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut
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


def test_a_group_is_one_owner_s_runs_that_differ_in_the_seed_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)

    def made(seed: int, owner: str = "a", status: str = "finished", **changes: object) -> str:
        run = store.runs.create(SPEC.model_copy(update={"seed": seed, **changes}), owner=owner).id
        store.runs.update(run, status=status, attempt=1)
        return run

    first, older, newer = made(4), made(2), made(2)
    more_threads = made(7, threads=4)
    made(1, status="failed"), made(3, status="cancelled"), made(5, owner="b"), made(6, images=640)
    cut = made(8)
    store.events.record(cut, 1, [started(), BlockCut(step=0, cut=CutSpec.parse("1"))])
    group = [run.id for run in store.group(store.runs.get(first))]
    assert group == [newer, first, more_threads]
    assert [run.id for run in store.group(store.runs.get(older))] == [older, first, more_threads]
    assert [run.id for run in store.group(store.runs.get(cut))] == [cut]


def test_the_references_come_with_three_seeds_or_more(tmp_path: Path) -> None:
    store = Store(tmp_path, ASSETS / "reference")
    store.adopt_references()
    for net in ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20", "preact-56"):
        seeds = store.group(store.runs.get(f"reference-{net}"))
        assert [run.spec.seed for run in seeds[:3]] == [0, 1, 2]
        assert [run.has_weights for run in seeds] == [True, *(False for _ in seeds[1:])]
