"""The teacher's key, and what the teacher says to everyone."""

import threading
import time

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.ui.page import visitor

LONGEST = 300  # characters of a message
WAIT_SECONDS = 0.5  # between two wrong keys, whoever gives them

_turn = threading.Lock()


def entrance() -> None:
    """Ask for the key, and open the page where it is right."""
    page, settings = prose("class"), process.engine().settings
    if settings.mode != "class" or settings.teacher_key is None:
        st.info(page["shut"])
        return
    with st.form("key", border=False, width=420):
        given = st.text_input("The teacher's key", type="password", autocomplete="off", max_chars=200)
        sent = st.form_submit_button("Open", type="primary", icon=":material/key:")
    if not sent:
        return
    if visitor.let_in(given, settings):
        st.rerun()
    with _turn:  # guesses, however many pages make them, are made one after another
        time.sleep(WAIT_SECONDS)
    st.error("That is not the key.")


def message_to_all() -> None:
    """Draw the field; what is written there is shown on every page, until it is taken away."""
    engine = process.engine()
    with st.form("message", border=False):
        text = st.text_input("Message", engine.message, max_chars=LONGEST, placeholder="Please stop at step 400.")
        if st.form_submit_button("Show to all", icon=":material/campaign:"):
            engine.message = " ".join(text.split())[:LONGEST]
            st.rerun()


@st.fragment(run_every=10)
def message() -> None:
    """What the teacher says now: as text, letter by letter."""
    if text := process.engine().message:
        st.info(literal(text), icon=":material/campaign:")
