"""An answer on a page: drawn when it is there; until then, how far it is and a way to stop."""

import time
from collections.abc import Callable
from typing import Any

import streamlit as st

from app import jobs
from app.asking import Answer
from app.questions import Question
from app.ui.prose import literal

LOOK_SECONDS = 0.4
AT_ONCE_SECONDS = 0.3  # a quick question is waited for so long before anything is said about it


def answered(
    question: Question, draw: Callable[[Any], None], *, doing: str, on_stop: Callable[[], None] | None = None
) -> None:
    """Ask, and `draw` the result.

    `doing`: what is being done meanwhile, in a few words. `on_stop`: what makes the page ask no more; then it can be
    stopped.
    """
    answer = ask(question)
    until = time.monotonic() + (AT_ONCE_SECONDS if question.lane == "ask" else 0)
    while answer.pending and time.monotonic() < until:
        time.sleep(0.02)
        answer = ask(question)
    if answer.pending:
        st.fragment(_wait, run_every=LOOK_SECONDS)(question, doing, on_stop)
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


def _wait(question: Question, doing: str, on_stop: Callable[[], None] | None) -> None:
    answer = ask(question)
    if not answer.pending:
        st.rerun()
    left = answer.seconds_left
    share = answer.done / answer.total if answer.total else 0.0
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(share, 1.0), text=doing + ("" if left is None else f" · {left:.0f} s left"))
        if on_stop is not None and st.button("Stop", icon=":material/stop:", key=f"stop-{question.key}"):
            on_stop()  # before the next look, which would ask again
            jobs.engine().desk.drop(question)
            st.rerun()
