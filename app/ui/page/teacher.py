"""The teacher's key, and what the teacher says to everyone."""

import streamlit as st

from app.base.prose import literal, prose
from app.engine import process
from app.engine.policy.limits import RefusedError
from app.ui.page import visitor

LONGEST = 300  # characters of a message


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
    try:
        right = visitor.let_in(str(given))
    except RefusedError as refused:
        st.error(literal(f"Not tried: {refused}."))
        return
    if right:
        st.rerun()
    st.error("That is not the key.")


def message_to_all() -> None:
    """Draw the field; what is written there is shown on every page, until it is taken away."""
    engine = process.engine()
    with st.form("message", border=False):
        text = st.text_input("Message", engine.message, max_chars=LONGEST, placeholder="Please stop at step 400.")
        if st.form_submit_button("Show to all", icon=":material/campaign:"):
            engine.say_to_all(" ".join(text.split())[:LONGEST], visitor.here())
            st.rerun()


@st.fragment(run_every=10)
def message() -> None:
    """What the teacher says now: as text, letter by letter."""
    if text := process.engine().message:
        st.info(literal(text), icon=":material/campaign:")
