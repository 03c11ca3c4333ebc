"""A study that is begun by a button: its question's key in the address, so that a copied link shows its answer."""

from functools import partial

import streamlit as st

from app.ui.page.pending_answer import is_answered
from app.values.questions import Question

_STUDY = "study"


def begun_by_button(question: Question, label: str) -> bool:
    """True once the button was pressed for just this question, or its answer is there; else draws the button."""
    if begun(question) or is_answered(question):
        return True
    begin = partial(_write, question, (question.key,))
    st.button(label, key=f"ask-{question.kind}", type="primary", icon=":material/play_arrow:", on_click=begin)
    return False


def begun(question: Question) -> bool:
    """True once its button was pressed, or the address says so."""
    return question.key in st.query_params.get_all(_STUDY)


def forget(question: Question) -> None:
    """Ask it no more."""
    _write(question, ())


def _write(question: Question, keys: tuple[str, ...]) -> None:
    """In place of the keys of this kind of question."""
    others = [key for key in st.query_params.get_all(_STUDY) if not key.startswith(f"{question.kind}-")]
    if wanted := [*others[:2], *keys]:
        st.query_params[_STUDY] = wanted
    elif _STUDY in st.query_params:
        del st.query_params[_STUDY]
