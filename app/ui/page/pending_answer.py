"""An answer on a page: drawn when it is there; until then, how far it is and a way to stop."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.base.prose import literal
from app.engine import process
from app.engine.question_desk import Answer
from app.ui.page import visitor
from app.values.questions import Question

LOOK_SECONDS = 0.4
QUICK_SECONDS = 0.15  # while a hand waits
AT_ONCE_SECONDS = 0.3  # quick questions are waited for so long before anything is said about them


def draw_answer(
    question: Question, draw: Callable[[Any], None], *, doing: str, on_stop: Callable[[], None] | None = None
) -> None:
    """Ask, and `draw` the result.

    `doing`: what is being done meanwhile, in a few words. `on_stop`: what makes the page ask no more; then it can be
    stopped.
    """
    draw_answers([question], lambda results: draw(results[0]), doing=doing, on_stop=on_stop)


def draw_answers(
    questions: Sequence[Question],
    draw: Callable[[list[Any]], None],
    *,
    doing: str,
    on_stop: Callable[[], None] | None = None,
) -> None:
    """The same for several questions at once: `draw` is given their results, in order, when all are there."""
    answers = _at_once(questions)
    troubles = dict.fromkeys(answer.trouble for answer in answers if answer.trouble)
    for trouble in troubles:
        st.error(literal(trouble))
    if any(answer.pending for answer in answers):
        st.fragment(_wait, run_every=LOOK_SECONDS)(tuple(questions), doing, on_stop)
    elif not troubles:
        draw([answer.result for answer in answers])


def answers_there(questions: Mapping[str, Question], *, on_stop: Callable[[], None] | None = None) -> dict[str, Any]:
    """Ask several, by name, and return what is there; of the others, draw how far they are, or what failed."""
    results = {}
    for name, question in questions.items():
        answer = ask(question)
        if answer.pending:
            st.fragment(_wait, run_every=LOOK_SECONDS)((question,), name, on_stop)
        elif answer.trouble:
            st.info(literal(f"{name}: {answer.trouble}"))
        else:
            results[name] = answer.result
    return results


def ask_all(*questions: Question) -> list[Answer]:
    """The answers so far, to draw with; while one is pending, the page is run again as soon as none is."""
    answers = [ask(question) for question in questions]
    if any(answer.pending for answer in answers):
        st.fragment(_until_answered, run_every=QUICK_SECONDS)(questions)
    return answers


def ask(question: Question) -> Answer:
    """The answer so far; what cannot be asked is an answer with trouble."""
    try:
        return process.engine().questions.ask(question, visitor.here())
    except (KeyError, ValueError) as error:
        return Answer(trouble=str(error).strip("'\""))


def _at_once(questions: Sequence[Question]) -> list[Answer]:
    """The answers so far; quick ones are waited for a moment, so that a page does not flicker."""
    quick = all(question.lane == "ask" for question in questions)
    until = time.monotonic() + AT_ONCE_SECONDS * quick
    answers = [ask(question) for question in questions]
    while any(answer.pending for answer in answers) and time.monotonic() < until:
        time.sleep(0.02)
        answers = [ask(question) for question in questions]
    return answers


def is_answered(question: Question) -> bool:
    """True where the answer is kept already: then nobody need press a button for it."""
    return process.engine().questions.has(question, visitor.here())


def _until_answered(questions: tuple[Question, ...]) -> None:
    answers = [ask(question) for question in questions]  # every one: they are worked on together
    if not any(answer.pending for answer in answers):
        st.rerun()


def _wait(questions: tuple[Question, ...], doing: str, on_stop: Callable[[], None] | None) -> None:
    answers = [ask(question) for question in questions]
    if not any(answer.pending for answer in answers):
        st.rerun()
    share = sum(_share(answer) for answer in answers) / len(answers)
    left = answers[0].seconds_left if len(answers) == 1 else None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(share, 1.0), text=doing + ("" if left is None else f" · {left:.0f} s left"))
        if on_stop is not None and st.button("Stop", icon=":material/stop:", key=f"stop-{questions[0].key}"):
            on_stop()  # before the next look, which would ask again
            for question in questions:
                process.engine().questions.drop(question, visitor.here())
            st.rerun()


def _share(answer: Answer) -> float:
    if not answer.pending:
        return 1.0
    return answer.done / answer.total if answer.total else 0.0
