"""Who one is: whoever signed in owns their runs everywhere, a nickname is a plain name, else nobody is asked."""

from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app.base.settings import ROOT
from app.engine.engine import Engine
from app.engine.policy.visitor import Visitor
from app.studies.class_sweep.section import sweep_points
from app.ui.page import visitor
from app.ui.page.sign_in import LONGEST, plain_name
from tests.support.opening import HOSTILE, spec, under_way, well, words
from tests.support.settings import sets
from tests.support.waiting import PATIENCE
from tests.visitors.test_sharing import OWNERS, looks

AUTH: dict[str, Any] = {"auth": {"client_id": "us", "cookie_secret": "long and random"}}
ADA = {"is_logged_in": True, "iss": "https://id.example", "sub": "4711", "email": "ada@example.org", "name": "Ada"}
NET = "plain-8:width=2"


def opened(page: str, secrets: dict[str, Any] | None = None, **query: str) -> AppTest:
    """A first visit to a page of a server with these secrets."""
    session = AppTest.from_file(str(ROOT / "app" / "shell.py"), default_timeout=PATIENCE)
    session.secrets.update(secrets or {})
    session.query_params.update(query)
    session.switch_page(f"../pages/{page}.py")
    return session.run()


def labels(page: AppTest) -> set[str]:
    return {button.label for button in page.button}


def test_where_no_sign_in_is_configured_nothing_asks_for_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    looks(monkeypatch, "a")
    page = well(opened("train"))
    assert not [label for label in labels(page) if label.startswith("Sign")]
    assert not [field for field in page.text_input if field.label == "Nickname"]


def test_a_person_owns_their_runs_in_every_browser_and_the_store_knows_no_name(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets(engine, mode="demo", max_images=0)
    looks(monkeypatch, "a")
    assert "Sign in" in labels(well(opened("train", AUTH)))
    monkeypatch.setattr(st, "user", ADA)
    page = well(opened("train", AUTH, net="plain-8", width="4"))
    assert "Sign out" in labels(page)
    assert "Signed in: Ada" in words(page)
    next(button for button in page.button if button.label == "Start the race").click().run()
    [run] = engine.store.runs.all(["queued"])
    assert run.owner not in OWNERS.values()
    assert len(run.owner) == 16
    looks(monkeypatch, "b")
    assert "Stop" in labels(well(opened("train", AUTH, run=run.id)))
    monkeypatch.setattr(st, "user", ADA | {"sub": "4712"})
    assert "Stop" not in labels(well(opened("train", AUTH, run=run.id)))
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    assert "Stop" not in labels(well(opened("train", AUTH, run=run.id)))
    engine.store.close()
    stored = b"".join(path.read_bytes() for path in engine.settings.store.glob("store.sqlite*"))
    assert run.owner.encode() in stored
    assert not [said for said in (b"4711", b"ada@", b"Ada") if said in stored]


def test_a_persons_hash_needs_the_servers_secret_and_their_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    def hashed(secret: str, **changes: str) -> str:
        monkeypatch.setattr(st, "secrets", {"auth": {"cookie_secret": secret}})
        monkeypatch.setattr(st, "user", ADA | changes)
        return visitor.person()

    assert hashed("one") == hashed("one", email="other@example.org", name="Countess")
    assert len({hashed("one"), hashed("two"), hashed("one", iss="https://other"), hashed("one", sub="1")}) == 4
    assert hashed("") == ""


def test_several_providers_are_a_button_each() -> None:
    several = {"auth": {"cookie_secret": "x", "school": {"client_id": "a"}, "google": {"client_id": "b"}}}
    page = AppTest.from_string(
        "import streamlit as st\nfrom app.ui.page.visitor import providers\nst.text(providers())"
    )
    page.secrets.update(several)
    assert page.run().text[0].value == "['school', 'google']"


@pytest.mark.parametrize("text", [*HOSTILE.values(), "  Ada   L. ", "名前", "Zoë-Lou", "a\u202eb\u200bc"])
def test_a_nickname_is_a_short_plain_name_whatever_was_typed(text: str) -> None:
    name = plain_name(text)
    assert len(name) <= LONGEST
    assert all(one.isalnum() or one in " -.'" for one in name)
    assert plain_name(name) == name


def test_a_nickname_stands_beside_the_runs_of_its_owner_and_is_nobody_elses(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets(engine, mode="class")
    [run], [other] = (
        engine.runs.submit([spec(NET)], Visitor(OWNERS["a"])),
        engine.runs.submit([spec(NET)], Visitor(OWNERS["b"])),
    )
    under_way(engine, run, [50.0] * 40, finished=True)
    looks(monkeypatch, "a")
    page = well(opened("runs"))
    next(field for field in page.text_input if field.label == "Nickname").set_value("Ada <b>L</b>").run()
    assert engine.store.owners.nicknames() == {OWNERS["a"]: "Ada b L b"}
    assert set(well(opened("runs")).dataframe[0].value["by"]) == {"Ada b L b", OWNERS["b"][:4], ""}
    [point] = sweep_points([engine.store.runs.get(run.id)], "training")
    assert point.name == "plain-8 · width 2 · Ada b L b"
    looks(monkeypatch, "b")
    page = well(opened("runs"))
    next(field for field in page.text_input if field.label == "Nickname").set_value("ADA B l b").run()
    assert [one.value for one in page.error] == ["somebody else is called ADA B l b already\\: take another name"]
    assert visitor.nickname(other) == OWNERS["b"][:4]
