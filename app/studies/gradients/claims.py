"""What measured courses say: a sentence for each, and each source's claim beside the moments at which it held."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import prose
from app.studies.gradients.questions import Course
from app.studies.gradients.verdicts import MOMENTS, Claim, claims, heading, said, times
from models.spec import NetSpec

_SIGNS = {"held": "✓ held", "did not hold": "✗ did not hold", "not claimed": "–", "not measured": "not measured"}


def claims_table(courses: Sequence[Course]) -> None:
    """A sentence a net; and where a plain net stands beside its twin, the sources against the two."""
    page = prose("gradients")
    for course in courses:
        st.markdown(f"- {said(course)} {page['by-step'].format(factors=_by_step(course))}")
    if pair := _twins(courses):
        plain, residual = pair
        name = NetSpec.parse(plain.net).name
        st.markdown(page["claims"].format(plain=name, residual=NetSpec.parse(residual.net).name))
        unfinished = plain if plain.going_on else residual
        st.markdown(_table(claims(plain, residual), [heading(moment, unfinished) for moment in MOMENTS]))
        st.caption(f":violet-badge[paper] :green-badge[measured] {page['claims-source']}")
    else:
        st.caption(page["no-twin"])


def _by_step(course: Course) -> str:
    return ", ".join(f"{step:,}: {times(factor)}" for step, factor in zip(course.steps, course.factors, strict=True))


def _twins(courses: Sequence[Course]) -> tuple[Course, Course] | None:
    """The deepest plain net here that has its residual twin beside it."""
    nets = {NetSpec.parse(course.net): course for course in courses}
    pairs = [
        (nets[twin], course)
        for net, course in nets.items()
        if net.family != "plain" and (twin := net.plain_twin()) in nets
    ]
    return max(pairs, key=lambda pair: NetSpec.parse(pair[0].net).depth, default=None)


def _table(made: Sequence[Claim], headings: Sequence[str]) -> str:
    head = f"| | {' | '.join(headings)} |\n|---|{'---|' * len(headings)}"
    rows = [
        f"| **{one.source}**: {one.words} | {' | '.join(_SIGNS[one.held[moment]] for moment in MOMENTS)} |"
        for one in made
    ]
    return "\n".join([head, *rows])
