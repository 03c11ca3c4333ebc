"""Does the gradient vanish? Several ways to find out, each a study's section with measurements."""

import streamlit as st

from app.base.prose import prose
from app.ui.page.sections import sections_of

page = prose("gradients")
st.title(page["title"])
st.markdown(page["lead"])
ways = {one.title: one.draw for one in sections_of("gradients")}
usual = next(iter(ways))
view = st.segmented_control(
    "Way to ask",
    list(ways),
    default=usual,
    key="view",
    bind="query-params",
    required=True,
    label_visibility="collapsed",
)
ways[view or usual]()

with st.expander(page["why"], icon=":material/functions:"):
    st.markdown(page["why-words"])
    st.latex(
        r"\frac{\partial \mathcal{E}}{\partial x_l} = \frac{\partial \mathcal{E}}{\partial x_L}"
        r"\left(1 + \frac{\partial}{\partial x_l} \sum_{i=l}^{L-1} \mathcal{F}(x_i, \mathcal{W}_i)\right)"
        r"\qquad\text{plain:}\quad \frac{\partial \mathcal{E}}{\partial x_l} = "
        r"\frac{\partial \mathcal{E}}{\partial x_L} \prod_{i=l}^{L-1} \frac{\partial x_{i+1}}{\partial x_i}"
    )
    st.caption(f":violet-badge[paper] {page['why-source']}")
