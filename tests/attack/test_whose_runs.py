"""A verb, a mode, whose the run is, and the way in: who may, does; who may not, changes nothing at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.base.settings import MODES
from app.cli.main import main
from app.engine.engine import Engine
from app.engine.policy import teachers_door
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import MACHINE, Visitor
from app.ui.page.frame import NAMES
from tests.attack.grounds import NAME, REFERENCE, TEACHER, VERBS, A, B, of, sent, state, upload, with_weights
from tests.support.opening import opened, press
from tests.support.settings import sets
from tests.visitors.test_sharing import looks

KEY = "open sesame"

# Of each mode: what a visitor may do with a run of their own, of another's, with a pinned one of their own, with the
# command line's, and with one that comes with the program. "unseen": as if it were not there.
TABLE = {
    "local": "yes yes no yes no",
    "class": "yes no no no no",
    "demo": "yes unseen no unseen no",
}
RELATIONS = ("own", "another's", "pinned", "the machine's", "reference")
ALL_BUT_REFERENCES = "yes yes yes yes no"
MAY: dict[tuple[str, Visitor], str] = {
    **{(mode, B): row for mode, row in TABLE.items()},
    ("class", TEACHER): ALL_BUT_REFERENCES,
    **{(mode, MACHINE): ALL_BUT_REFERENCES for mode in MODES},
}
CASES = [
    (mode, by, relation, answer)
    for (mode, by), row in MAY.items()
    for relation, answer in zip(RELATIONS, row.split(), strict=True)
]


def related(engine: Engine, relation: str, status: str) -> str:
    """A run that stands so to B."""
    if relation == "reference":
        return REFERENCE
    owner = {"another's": A.owner, "the machine's": ""}.get(relation, B.owner)
    return of(engine, owner, status, pinned=relation == "pinned").id


def expected(verb: str, by: Visitor, mode: str, relation: str, answer: str) -> str:
    """The table's answer, but for the two verbs that differ: the teacher pins, and references bear a name of choice."""
    if verb == "pin" and not by.keeps_order and answer == "yes":
        return "no"
    if verb == "rename" and relation == "reference":
        return "yes" if by.keeps_order or mode == "local" else "no"
    return answer


@pytest.mark.parametrize(("mode", "by", "relation", "answer"), CASES)
def test_at_the_door(engine: Engine, mode: str, by: Visitor, relation: str, answer: str) -> None:
    sets(engine, mode=mode, session_runs=0)
    for verb, attempt in VERBS.items():
        run = related(engine, relation, attempt.status)
        before, may = state(engine, run), expected(verb, by, mode, relation, answer)
        if may == "yes":
            attempt.act(engine, run, by)
            assert state(engine, run) != before, verb
            continue
        with pytest.raises(KeyError if may == "unseen" else RefusedError) as refused:
            attempt.act(engine, run, by)
        assert state(engine, run) == before, verb
        if may == "unseen":
            with pytest.raises(KeyError) as missing:
                attempt.act(engine, run[::-1], by)
            assert str(refused.value).replace(run, "") == str(missing.value).replace(run[::-1], ""), verb
        else:
            assert engine.refusals["others"] > 0
            assert len(str(refused.value).split()) > 4, "a sentence"


def test_nobody_is_taken_for_the_machine() -> None:
    """The command line's runs have no owner, and whoever had none would own them."""
    for wrong in ({"owner": ""}, {"owner": "", "role": "teacher"}, {"owner": "x", "role": "machine"}):
        with pytest.raises(ValueError, match="known by an owner"):
            Visitor(**wrong)  # type: ignore[arg-type]


# ---- by a page and by an address -----------------------------------------------------------------------------------


def aimed(page: str, run: str) -> AppTest:
    """The page at an address that names A's run, and a cut to bring to it."""
    return opened(page, run=run, cut="1")


def pressed_all(open_page: Callable[[], AppTest]) -> list[str]:
    """Press every button that the page has, disabled ones too, each on a fresh visit. Returns their labels."""
    labels = [button.label for button in open_page().button]
    for nth in range(len(labels)):
        page = open_page()
        if nth < len(page.button):
            page.button[nth]._value = True  # as a browser without scruples would
            page.run()
    return labels


@pytest.mark.parametrize("mode", ["class", "demo"])
@pytest.mark.parametrize("status", ["running", "paused"])
@pytest.mark.parametrize("page", ["train", "lesions", "runs"])
def test_every_button_of_a_page_that_is_aimed_at_anothers_run(
    engine: Engine, deaf: None, monkeypatch: pytest.MonkeyPatch, page: str, status: str, mode: str
) -> None:
    sets(engine, mode=mode, session_runs=0)
    run = of(engine, A.owner, status).id
    before = state(engine, run)
    looks(monkeypatch, "b")
    assert pressed_all(lambda: aimed(page, run))
    assert state(engine, run) == before


def test_the_attack_that_was_found(engine: Engine, deaf: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a class B opened Lesions at A's run with a cut, and pressed *Train it without …*: it was cut for good."""
    sets(engine, mode="class")
    run = of(engine, A.owner).id
    for who, may in (("a", True), ("b", False)):
        looks(monkeypatch, who)
        page = opened("lesions", run=run, cut="1")
        assert [button.label for button in page.button if button.label.startswith("Train it")] == may * [
            "Train it without block 1"
        ]
        assert any("not yours to cut" in one.value for one in page.caption) == (not may)


def chosen(page: AppTest) -> AppTest:
    """The page with the first row of its table selected."""
    page.session_state[str(page.dataframe[0].key)] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    return page.run()


@pytest.mark.parametrize("mode", ["local", "class"])
def test_on_runs_anothers_run_is_chosen_and_neither_renamed_nor_deleted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    sets(engine, mode=mode)
    run = of(engine, A.owner, "finished").id
    before = state(engine, run)
    looks(monkeypatch, "b")
    own = chosen(opened("runs", find=run))
    assert bool([field for field in own.text_input if field.label == "Name"]) == (mode == "local")
    looks(monkeypatch, "a")
    theirs = chosen(opened("runs", find=run))
    next(field for field in theirs.text_input if field.label == "Name").set_value("another name")
    states = theirs._tree.get_widget_states()
    looks(monkeypatch, "b")
    chosen(opened("runs", find=run))._run(states)
    assert (state(engine, run) == before) == (mode == "class")
    page = chosen(opened("runs", find=run))
    next(button for button in page.button if button.label == "Yes, delete")._value = True
    page.run()
    assert (state(engine, run) is None) == (mode == "local")


# ---- by a message --------------------------------------------------------------------------------------------------


def message_of(page: AppTest, label: str) -> Callable[[AppTest], AppTest]:
    """What A's browser would send for a press of that button, to be sent by another's."""
    next(button for button in page.button if button.label.startswith(label)).click()
    states = page._tree.get_widget_states()
    return lambda other: other._run(states)


@pytest.mark.parametrize(
    ("page", "status", "label"),
    [
        ("train", "running", "Pause"),
        ("train", "running", "Stop"),
        ("train", "paused", "Go on"),
        ("train", "paused", "Step"),
        ("lesions", "running", "Train it without"),
    ],
)
@pytest.mark.parametrize("mode", ["local", "class", "demo"])
def test_a_message_that_only_the_owners_page_sends(
    engine: Engine, deaf: None, monkeypatch: pytest.MonkeyPatch, mode: str, page: str, status: str, label: str
) -> None:
    sets(engine, mode=mode)
    run = of(engine, A.owner, status).id
    before = state(engine, run)
    looks(monkeypatch, "a")
    send = message_of(aimed(page, run), label)
    looks(monkeypatch, "b")
    send(aimed(page, run))
    assert (state(engine, run) == before) == (mode != "local")
    if mode != "local":
        looks(monkeypatch, "a")
        send(aimed(page, run))
        assert state(engine, run) != before, "it is the right message"


def test_a_button_that_was_drawn_while_one_might_is_refused_once_one_may_not(
    engine: Engine, deaf: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page can be older than what it says: the engine is asked, and its sentence is shown."""
    sets(engine, mode="class")
    run = of(engine, A.owner).id
    looks(monkeypatch, "a")
    page = opened("train", run=run)
    monkeypatch.setattr("app.ui.page.visitor.may", lambda *_: True)
    engine.store.runs.update(run, pinned=True)
    page = press(page, "Stop")
    assert [one.value for one in page.error] == [f"Not stopped\\: {NAME} is pinned\\: only the teacher changes it."]
    assert engine.store.runs.get(run).status == "running"


def test_what_the_teachers_page_sends_does_nothing_without_the_key(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets(engine, mode="class", teacher_key=KEY)
    monkeypatch.setattr(teachers_door, "WAIT_SECONDS", 0)
    run = of(engine, A.owner).id
    looks(monkeypatch, "b")
    page = opened("class")
    page.main.text_input[0].set_value(KEY)
    page = press(page, "Open")
    page.session_state[str(page.dataframe[0].key)] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page = page.run()
    before = state(engine, run)
    for label in ("Stop", "Pin", "Show to all"):
        page.main.text_input[-1].set_value("from anybody")
        message_of(page, label)(opened("class"))
    assert (state(engine, run), engine.message) == (before, "")
    with pytest.raises(RefusedError, match="that is for the teacher"):
        engine.say_to_all("from anybody", B)


# ---- by the command line -------------------------------------------------------------------------------------------


def test_the_command_line_takes_away_what_pages_hide(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whoever has it owns the files."""
    sets(engine, mode="demo")
    run = of(engine, A.owner, "finished").id
    with_weights(engine, run)
    assert run in {one.id for one in engine.ownership.runs(MACHINE)}
    assert engine.runs.export(run, MACHINE).read(2) == b"PK"
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(engine.settings.store))
    monkeypatch.setenv("RESNET_EXPLORER_MODE", "demo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app", "export", run])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert (tmp_path / f"{run}.zip").stat().st_size > 1000


# ---- what may be read ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("page", NAMES)
def test_a_demos_pages_say_nothing_of_anothers_runs(
    engine: Engine, deaf: None, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    sets(engine, mode="demo", session_runs=0)
    runs = [of(engine, A.owner, status).id for status in ("running", "paused", "finished")]
    engine.store.owners.set_nickname(A.owner, "nickname of A")
    data, own = upload(engine, A.owner), of(engine, B.owner, "finished").id
    engine.store.runs.update(own, name="B's")
    looks(monkeypatch, "b")
    said = sent(opened(page))
    assert said
    secrets = (NAME, "nickname of A", A.owner, data.name, data.title, data.labels[0])
    for secret in (*runs, *secrets):
        assert secret.encode() not in said
    for run in runs:  # a guessed id is not a secret, but nothing is told under it
        said = sent(aimed(page, run))
        assert not [secret for secret in secrets if secret.encode() in said]
    assert not [secret for secret in secrets if secret.encode() in sent(opened(page, data=data.name, run=own))]
