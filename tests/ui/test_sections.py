"""Sections that studies add to a page."""

import pytest
from streamlit.testing.v1 import AppTest

from app.ui.page import sections
from app.ui.page.sections import section, sections_of


@pytest.fixture(autouse=True)
def _own_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    sections_of("gradients")  # the studies' own are imported once, before these are put aside
    monkeypatch.setattr(sections, "_SECTIONS", dict(sections._SECTIONS))


def test_the_ways_to_ask_about_gradients_and_their_addresses() -> None:
    assert [one.title for one in sections_of("gradients")] == [
        "In this run",
        "The truth test",
        "Signal forward",
        "Shattered gradients",
        "The identity argument",
    ]


def test_a_new_one_comes_last_or_where_it_says() -> None:
    section("gradients", title="Without a place")(lambda: None)
    section("gradients", title="Between", place=25)(lambda: None)
    titles = [one.title for one in sections_of("gradients")]
    assert titles.index("Between") == titles.index("The truth test") + 1
    assert titles[-1] == "Without a place"
    assert "Between" not in [one.title for one in sections_of("lesions")]


def test_two_studies_cannot_have_one_title() -> None:
    def other() -> None: ...

    other.__module__ = "app.studies.other.section"
    with pytest.raises(ValueError, match="two sections of gradients are called 'In this run'"):
        section("gradients", title="In this run")(other)


def test_further_sections_stand_under_their_titles_and_are_given_what_the_page_is_about() -> None:
    def script() -> None:
        import streamlit as st

        from app.ui.page.sections import further_sections, section

        @section("paths", title="A toy")
        def toy(look: str) -> None:
            st.write(f"about {look}")

        further_sections("paths", "resnet-20")

    page = AppTest.from_function(script).run()
    assert [one.value for one in page.markdown][-2:] == ["### A toy", "about resnet-20"]
