"""The first convolution's kernels on the page: one sheet a net, and how many of them look for differences."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import literal
from app.figures.sheets import enlarged
from app.figures.sheets import kernels as drawn
from app.studies.features.questions import Kernels, KernelsQuestion
from app.ui.page.pending_answer import draw_answer
from app.ui.runs.subject import Look


def kernels(looks: Sequence[Look]) -> None:
    """Side by side, one net or two."""
    for column, look in zip(st.columns(2, gap="medium"), looks, strict=False):
        with column:
            question = KernelsQuestion(run=look.run.id, step=look.step)
            draw_answer(question, lambda found, look=look: _sheet(found, look), doing="fetching kernels")  # type: ignore[misc]


def _sheet(kernels: Kernels, look: Look) -> None:
    count, colours, side, _ = kernels.weights.shape
    st.markdown(f"**{literal(look.run.name)}** · {count} kernels of {side}×{side}")
    told = balance(kernels)
    st.image(
        enlarged(drawn(kernels.weights), 420), alt=f"{count} kernels of {side} by {side}, {colours} colours. {told}"
    )
    st.caption(f":green-badge[measured] weights of {literal(look.run.name)}, step {look.step:,}. {told}")


def balance(kernels: Kernels) -> str:
    """How many kernels weigh brightness, how many differences: most of their squared weights decide."""
    count = len(kernels.weights)
    differences = int((kernels.brightness < 0.5).sum())
    return (
        f"In {differences} of {count} most of the weight is in differences between places, edges among them; "
        f"in {count - differences} in the mean: brightness or colour."
    )
