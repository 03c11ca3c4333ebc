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


def draw_refined(
    rough: Question,
    question: Question,
    draw: Callable[[Any], None],
    *,
    doing: str,
    on_stop: Callable[[], None] | None = None,
) -> None:
    """Draw `question`'s result; until it is there that of `rough`, the same asked of fewer images, which comes first.

    Its intervals are wider, and its words say so themselves.
    """
    if not is_answered(question):
        first = ask(rough)
        waits_for = rough if first.pending else question
        if first.pending or (first.result is not None and ask(question).pending):
            st.fragment(_wait, run_every=LOOK_SECONDS)((waits_for,), doing, on_stop)
            if first.result is not None:
                draw(first.result)
            return
    draw_answer(question, draw, doing=doing, on_stop=on_stop)


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
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(share, 1.0), text=f"{doing}{_wait_in_words(questions, answers)}")
        if on_stop is not None and st.button("Stop", icon=":material/stop:", key=f"stop-{questions[0].key}"):
            on_stop()  # this page asks no more: without others that do, the work stands still within seconds
            st.rerun()


def _wait_in_words(questions: Sequence[Question], answers: Sequence[Answer]) -> str:
    """How long it will take, or what it waits for; empty where nobody knows."""
    pending = [(question, answer) for question, answer in zip(questions, answers, strict=True) if answer.pending]
    if not any(answer.begun for _, answer in pending):
        ahead = min((process.engine().questions.ahead(question, visitor.here()) for question, _ in pending), default=0)
        return f" · waits: {ahead} other{'s' * (ahead > 1)} asked before" if ahead else ""
    left = pending[0][1].seconds_left if len(answers) == 1 else None
    return "" if left is None else f" · {left:.0f} s left"


def _share(answer: Answer) -> float:
    if not answer.pending:
        return 1.0
    return answer.done / answer.total if answer.total else 0.0
