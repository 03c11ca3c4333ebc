"""The list of runs, which one drawing of a page asks for many times: read when it has changed, and then at once."""

from contextlib import suppress
from pathlib import Path

from app.store.store import Store
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
