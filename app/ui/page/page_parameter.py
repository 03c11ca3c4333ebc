"""What a page alone keeps in the address, where a widget's own binding would drop nonsense without a word."""

import re
from collections.abc import Collection, Iterable

import streamlit as st

from app.base.prose import literal

_NUMBERS = re.compile(r"\d{1,8}(,\d{1,8}){0,39}", re.ASCII)


def choice(name: str, options: Collection[str]) -> str | None:
    """The option that the address names; None where it names none, with a sentence if it says something else."""
    text = st.query_params.get(name, "")
    if text in options:
        return text
    if text:
        _left_out(name, text, f"it is written as {next(iter(options))}")
    return None


def numbers(name: str, known: Collection[int], what: str) -> frozenset[int]:
    """Whole numbers, `1,10`, as far as they are known; of the others, and of what is no number, a sentence."""
    text = st.query_params.get(name, "")
    if not text:
        return frozenset()
    if not _NUMBERS.fullmatch(text):
        _left_out(name, text, f"{what}s are written 1,10")
        return frozenset()
    named = frozenset(map(int, text.split(",")))
    if strangers := sorted(named.difference(known)):
        _left_out(name, ",".join(map(str, strangers)), f"there is no such {what} here")
    return named.intersection(known)


def write(name: str, values: Iterable[object]) -> None:
    """Say them in the address; nothing where there are none."""
    if text := ",".join(map(str, values)):
        st.query_params[name] = text
    elif name in st.query_params:
        del st.query_params[name]


def _left_out(name: str, text: str, why: str) -> None:
    st.warning(literal(f"The address's {name}={text[:40]} was left out: {why}."))
