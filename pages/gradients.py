"""Does the gradient vanish? Five ways to find out, each with measurements."""

import streamlit as st

from app.base.prose import prose
from app.studies.gradients.sections import in_this_run
from app.studies.identity.section import identity_argument
from app.studies.shattered.section import shattered_gradients
from app.studies.signal.section import signal_forward
from app.studies.truth_test.section import truth_test

VIEWS = {
    "In this run": in_this_run,
    "The truth test": truth_test,
    "Signal forward": signal_forward,
    "Shattered gradients": shattered_gradients,
    "The identity argument": identity_argument,
}

page = prose("gradients")
st.title(page["title"])
st.markdown(page["lead"])
view = st.segmented_control(
    "Way to ask",
    list(VIEWS),
    default="In this run",
    key="view",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
VIEWS[view or "In this run"]()

with st.expander(page["why"], icon=":material/functions:"):
    st.markdown(page["why-words"])
    st.latex(
        r"\frac{\partial \mathcal{E}}{\partial x_l} = \frac{\partial \mathcal{E}}{\partial x_L}"
        r"\left(1 + \frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} \mathcal{F}(x_i, \mathcal{W}_i)\right)"
        r"\qquad\text{plain:}\quad \frac{\partial \mathcal{E}}{\partial x_l} = "
        r"\frac{\partial \mathcal{E}}{\partial x_L} \prod_{i=l}^{L-1} \frac{\partial x_{i+1}}{\partial x_i}"
    )
    st.caption(f":violet-badge[paper] {page['why-source']}")
