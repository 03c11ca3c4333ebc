"""The lecture view, `?lecture=1`: only what is looked at; in a corner the pages beside this one, and the way back."""

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.base.settings import ASSETS
from app.ui.page import address


def hide_controls() -> None:
    """The way into it."""
    if st.button(
        "Hide controls",
        icon=":material/slideshow:",
        type="tertiary",
        help="For a lecture: pictures only, on every page. The address says `lecture=1`.",
    ):
        address.write(lecture=1)
        st.rerun()


def lecture(pages: Sequence[StreamlitPage], here: StreamlitPage) -> None:
    """Where the address asks for it, hide what is not looked at. Widgets are drawn as ever, and keep their values."""
    if not address.read().lecture:
        return
    st.html(f"<style>{(ASSETS / 'lecture.css').read_text('utf-8')}</style>")
    at = next((index for index, page in enumerate(pages) if page.title == here.title), 0)
    with st.container(key="lecture-corner", horizontal=True, vertical_alignment="center", gap="small"):
        for neighbour, arrow in ((at - 1, "back"), (at + 1, "forward")):
            if 0 <= neighbour < len(pages):
                page = pages[neighbour]
                st.page_link(page, label=page.title, icon=f":material/arrow_{arrow}:")
        if st.button("Show controls", icon=":material/tune:", type="tertiary"):
            address.write(lecture=None)
            st.rerun()
