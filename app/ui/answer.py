"""An answer on a page: drawn when it is there; until then, how far it is and a way to stop."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from app import jobs
from app.asking import Answer
from app.questions import Question
from app.ui.prose import literal

LOOK_SECONDS = 0.4
QUICK_SECONDS = 0.15  # while a hand waits


def answered(
    question: Question, draw: Callable[[Any], None], *, doing: str, on_stop: Callable[[], None] | None = None
) -> None:
    """Ask, and `draw` the result.

    `doing`: what is being done meanwhile, in a few words. `on_stop`: what makes the page ask no more; then it can be
    stopped.
    """
    answer = ask(question)
    if answer.pending:
        st.fragment(_wait, run_every=LOOK_SECONDS)(question, doing, on_stop)
    elif answer.trouble:
        st.error(literal(answer.trouble))
    else:
        draw(answer.result)


def answers(questions: Mapping[str, Question], *, on_stop: Callable[[], None] | None = None) -> dict[str, Any]:
    """Ask several, by name, and return what is there; of the others, draw how far they are, or what failed."""
    results = {}
    for name, question in questions.items():
        answer = ask(question)
        if answer.pending:
            st.fragment(_wait, run_every=LOOK_SECONDS)(question, name, on_stop)
        elif answer.trouble:
            st.info(literal(f"{name}: {answer.trouble}"))
        else:
            results[name] = answer.result
    return results


def arrive(*questions: Question) -> bool:
    """True once all are answered, or refused; until then the page is run again as soon as they are."""
    if not _pending(questions):
        return True
    st.fragment(_until_answered, run_every=QUICK_SECONDS)(questions)
    return False


def ask(question: Question) -> Answer:
    """The answer so far; what cannot be asked is an answer with trouble."""
    try:
        return jobs.engine().desk.ask(question)
    except (KeyError, ValueError) as error:
        return Answer(trouble=str(error).strip("'\""))


def _until_answered(questions: tuple[Question, ...]) -> None:
    if not _pending(questions):
        st.rerun()


def _pending(questions: tuple[Question, ...]) -> list[Question]:
    """Every one of them is asked: they are worked on together."""
    return [question for question in questions if ask(question).pending]


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
