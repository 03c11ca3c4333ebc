"""What a study adds to a page by itself, so that a new study edits no page: `@section` in its `section.py`.

On Gradients a section is one more way to ask; on Lesions and Paths it stands under its own heading at the end, and is
given the run and the moment that the page is about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st

from app.base import studies

Page = Literal["gradients", "lesions", "paths"]
Drawing = TypeVar("Drawing", bound=Callable[..., None])

LAST = 1000


@dataclass(frozen=True)
class Section:
    """A part of a page: its heading, and what draws it."""

    title: str
    place: int
    draw: Callable[..., None]


_SECTIONS: dict[tuple[Page, str], Section] = {}


def section(page: Page, *, title: str, place: int = LAST) -> Callable[[Drawing], Drawing]:
    """Let a function draw a section of that page; `place`: smaller ones first, equal ones by title.

    The title is also what an address of Gradients calls it. Raises ValueError where another study has the title.
    """

    def register(draw: Drawing) -> Drawing:
        other = _SECTIONS.get((page, title))
        if other is not None and other.draw.__module__ != draw.__module__:
            raise ValueError(f"two sections of {page} are called {title!r}")
        _SECTIONS[page, title] = Section(title, place, draw)
        return draw

    return register


def sections_of(page: Page) -> list[Section]:
    """The sections that the studies add to a page, in order."""
    list(studies.modules("section"))
    own = (entry for (where, _), entry in _SECTIONS.items() if where == page)
    return sorted(own, key=lambda entry: (entry.place, entry.title))


def further_sections(page: Page, *about: Any) -> None:
    """Draw them one under the other, each given what the page is about."""
    for entry in sections_of(page):
        st.markdown(f"### {entry.title}")
        entry.draw(*about)
