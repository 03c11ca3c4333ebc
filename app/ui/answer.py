"""An answer on a page: drawn when it is there; until then, how far it is and a way to stop."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import jobs
from app.asking import Answer
from app.questions import Question
from app.ui.prose import literal

LOOK_SECONDS = 0.4


def answered(question: Question, draw: Callable[[Any], None], *, doing: str) -> None:
    """Ask, and `draw` the result. `doing`: what is being done meanwhile, in a few words."""
    answer = ask(question)
    if answer.pending:
        st.fragment(_wait, run_every=LOOK_SECONDS)(question, doing)
    elif answer.trouble:
        st.error(literal(answer.trouble))
    else:
        draw(answer.result)


def ask(question: Question) -> Answer:
    """The answer so far; what cannot be asked is an answer with trouble."""
    try:
        return jobs.engine().desk.ask(question)
    except (KeyError, ValueError) as error:
        return Answer(trouble=str(error).strip("'\""))


def _wait(question: Question, doing: str) -> None:
    answer = ask(question)
    if not answer.pending:
        st.rerun()
    left = answer.seconds_left
    share = answer.done / answer.total if answer.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(share, 1.0), text=doing + ("" if left is None else f" · {left:.0f} s left"))
        if question.lane == "study" and st.button("Stop", icon=":material/stop:", key=f"stop-{question.key}"):
            jobs.engine().desk.drop(question)
            st.info("Stopped. Ask again whenever you like.")
            st.stop()
