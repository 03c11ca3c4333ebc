"""Who one is, in the sidebar: a sign-in where the server has one, and in a class a nickname."""

import re
import unicodedata

import streamlit as st
from streamlit.errors import StreamlitAuthError

from app.base.prose import literal
from app.engine import process
from app.ui.page import visitor

LONGEST = 20  # characters of a nickname


def identity() -> None:
    """Draw what this server asks for; on one person's own, nothing."""
    if providers := visitor.providers():
        _sign_in(providers)
    if process.engine().settings.mode == "class":
        _nickname()


def plain_name(text: str) -> str:
    """A nickname of what was typed: letters, digits and a few marks, so that no page takes it for more than a name."""
    kept = "".join(
        letter if letter.isalnum() or letter in "-.'" else " " for letter in unicodedata.normalize("NFKC", text)
    )
    return re.sub(r"\s+", " ", kept).strip(" -.'")[:LONGEST].strip()


def _sign_in(providers: list[str]) -> None:
    if visitor.person():
        st.caption(f"Signed in: {literal(visitor.shown_name())}")
        if st.button("Sign out", icon=":material/logout:"):
            st.logout()
        return
    for provider in providers:
        label = f"Sign in: {provider}" if provider else "Sign in"
        if st.button(label, icon=":material/login:", help="Your runs are then yours in every browser."):
            try:
                st.login(provider or None)
            except StreamlitAuthError as error:
                st.error(f"Signing in does not work on this server: {literal(str(error))}")


def _nickname() -> None:
    store, owner = process.engine().store, visitor.here().owner
    known = store.owners.nicknames().get(owner, "")
    typed = st.text_input(
        "Nickname",
        known,
        max_chars=LONGEST,
        key=f"nickname-{known}",
        help="Shown to the class beside your runs. Not your full name, please: everyone here sees it.",
    )
    wanted = plain_name(str(typed or ""))  # a browser may send anything
    if wanted != known:
        try:
            store.owners.set_nickname(owner, wanted)
        except ValueError as error:
            st.error(literal(str(error)))
            return
        st.rerun()
