"""The address says what is shown, survives a change of page, and takes nonsense calmly."""

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.page.address import Address, parse
from models.spec import NetSpec


def test_an_address_and_its_query_are_the_same_thing() -> None:
    address = Address(
        nets=(NetSpec.parse("plain-56:width=8"), NetSpec.parse("resnet-56:shortcut=B")),
        data="cifar-10",
        recipe="quick",
        seed=3,
        seeds=5,
        runs=("a1b2", "c3d4"),
        step=0,
        layer="block:12",
    )
    query = address.query()
    assert query["net"] == ["plain-56:width=8", "resnet-56:shortcut=B"]
    assert query["step"] == ["0"]
    assert parse(query) == (address, [])
    assert Address().query() == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("net", "plain-57"),
        ("net", "resnet-56:width=nan"),
        ("net", "x" * 5000),
        ("data", "../../etc/passwd"),
        ("recipe", "long"),
        ("seed", "-1"),
        ("seeds", "2"),
        ("seeds", "1e1"),
        ("seed", "99999999999999999999"),
        ("seed", "٣"),
        ("step", "1e9"),
        ("step", "4.5"),
        ("run", "../secret"),
        ("run", "a b"),
        ("layer", "block:x"),
        ("lecture", "yes"),
        ("layer", "<script>alert(1)</script>"),
    ],
)
def test_nonsense_is_left_out_with_one_sentence(name: str, text: str) -> None:
    address, notices = parse({name: [text]})
    assert address == Address()
    assert len(notices) == 1
    assert notices[0].startswith(f"The address's {name}=")
    assert notices[0].endswith(".")
    assert "<" not in notices[0]
    assert len(notices[0]) < 320


def test_the_good_values_beside_a_bad_one_are_kept() -> None:
    address, notices = parse({"net": ["plain-20", "no-net", "plain-20", "resnet-20"], "step": ["7"]})
    assert [net.name for net in address.nets] == ["plain-20", "resnet-20"]
    assert address.step == 7
    assert len(notices) == 1


def test_five_nets_at_most() -> None:
    address, notices = parse({"net": [f"plain-{depth}" for depth in (20, 26, 32, 38, 44, 50)]})
    assert len(address.nets) == 5
    assert "first 5" in notices[0]


def page_script() -> None:
    import streamlit as st

    from app.ui.page import address

    here = address.read()
    st.text(f"{[net.name for net in here.nets]} {here.step} {here.layer}")
    st.button("step", on_click=address.go_to_step, args=(12,))
    st.button("newest", on_click=address.go_to_step, args=(None,))
    for notice in address.notices():
        st.warning(notice)


def page(**query: Any) -> AppTest:
    tested = AppTest.from_function(page_script)
    for name, value in query.items():
        tested.query_params[name] = value
    return tested.run()


def test_a_page_reads_the_address() -> None:
    tested = page(net=["plain-20", "resnet-20"], step="5", layer="block:2")
    assert tested.text[0].value == "['plain-20', 'resnet-20'] 5 block:2"
    assert not tested.warning


def test_a_change_is_written_and_other_parameters_stay() -> None:
    tested = page(net=["plain-20"], view="map")
    tested.button[0].click().run()
    assert tested.text[0].value == "['plain-20'] 12 None"
    assert tested.query_params["step"] in ("12", ["12"])
    assert tested.query_params["view"] in ("map", ["map"])
    tested.button[1].click().run()
    assert "step" not in tested.query_params
    assert not tested.exception


def test_a_link_followed_in_the_same_session_wins() -> None:
    tested = page(step="5")
    tested.query_params["step"] = "9"
    tested.run()
    assert tested.text[0].value == "[] 9 None"


def test_nonsense_never_raises_on_a_page() -> None:
    tested = page(step="soon", net="plain-57", layer="<b>")
    assert not tested.exception
    assert len(tested.warning) == 3


def test_another_page_begins_where_this_one_was(monkeypatch: pytest.MonkeyPatch) -> None:
    tested = page(step="5", layer="block:2")
    monkeypatch.setattr("app.ui.page.address._page", lambda: "http://localhost/other")
    tested.query_params.clear()  # as Streamlit does when a link in the menu is followed
    tested.query_params["step"] = "0"
    tested.run()
    assert tested.text[0].value == "[] 0 block:2"
    assert tested.query_params["layer"] in ("block:2", ["block:2"])


def test_a_browser_that_has_not_heard_of_a_click_does_not_undo_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of the page that looks for an answer asks with the query of before the click, on a busy day much later."""
    clock = [100.0]
    monkeypatch.setattr("app.ui.page.address.time", SimpleNamespace(monotonic=lambda: clock[0]))
    tested = page(step="5")
    tested.button[0].click().run()
    clock[0] += 60
    tested.query_params["step"] = "5"
    with monkeypatch.context() as within:
        within.setattr("app.ui.page.address.in_fragment", lambda: True)
        assert tested.run().text[0].value == "[] 12 None"
    assert tested.run().text[0].value == "[] 12 None", "the page that follows at once has the same old query"
    clock[0] += 60
    assert tested.run().text[0].value == "[] 5 None", "but somebody who goes back later, goes back"
