"""What measured courses say: a sentence for each, and each source's claim beside the moments at which it held."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import prose
from app.studies.gradients.questions import Course
from app.studies.gradients.verdicts import MOMENTS, Claim, claims, heading, said, times
from models.spec import NetSpec, plain_pairs

_SIGNS = {"held": "✓ held", "did not hold": "✗ did not hold", "not claimed": "–", "not measured": "not measured"}


def claims_table(courses: Sequence[Course]) -> None:
    """A sentence a net; and where a plain net stands beside its twin, the sources against the two."""
    page = prose("gradients")
    for course in courses:
        st.markdown(f"- {said(course)} {page['by-step'].format(factors=_by_step(course))}")
    if pairs := plain_pairs([NetSpec.parse(course.net) for course in courses]):
        plain, residual = (courses[place] for place in pairs[0])
        name = NetSpec.parse(plain.net).name
        st.markdown(page["claims"].format(plain=name, residual=NetSpec.parse(residual.net).name))
        unfinished = plain if plain.going_on else residual
        st.markdown(_table(claims(plain, residual), [heading(moment, unfinished) for moment in MOMENTS]))
        st.caption(f":violet-badge[paper] :green-badge[measured] {page['claims-source']}")
    else:
        st.caption(page["no-twin"])


def _by_step(course: Course) -> str:
    return ", ".join(f"{step:,}: {times(factor)}" for step, factor in zip(course.steps, course.factors, strict=True))


def _table(made: Sequence[Claim], headings: Sequence[str]) -> str:
    head = f"| | {' | '.join(headings)} |\n|---|{'---|' * len(headings)}"
    rows = [
        f"| **{claim.source}**: {claim.words} | {' | '.join(_SIGNS[claim.held[moment]] for moment in MOMENTS)} |"
        for claim in made
    ]
    return "\n".join([head, *rows])
