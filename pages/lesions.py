"""Take a block out: what breaks when blocks of a trained net are cut, turned down or moved?"""

import streamlit as st

from app.ui.beside import beside
from app.ui.cut_live import cut_live
from app.ui.cut_outcome import outcome
from app.ui.cutting import cutting_table
from app.ui.prose import prose
from app.ui.studies import chosen_studies, flipping_first, studies, where_it_hurts
from app.ui.subject import moment_slider, subject
from app.ui.trained_to_be_cut import trained_to_be_cut

DEFAULT = "reference-resnet-20"

page = prose("lesions")
st.title(page["title"])
st.markdown(page["lead"])
which, when = st.columns([1, 2.4], gap="medium", vertical_alignment="bottom")
with which:
    seen = subject(DEFAULT)
if seen is None:
    st.stop()
with when:
    moment_slider(seen)
cut = cutting_table(seen)
outcome(seen, cut, flipping_first(seen))
with st.expander(page["why"], icon=":material/function:"):
    st.markdown(page["why-words"])
    st.latex(page["why-equation"])
    st.caption(f":violet-badge[paper] {page['why-source']}")

st.markdown(page["live"])
cut_live(seen, cut)

st.markdown(page["studies"])
left, right = st.columns([1, 1.4], gap="medium")
with left:
    chosen = chosen_studies(seen)
with right:
    looks = [seen, *beside(seen)]
studies(chosen, looks)

if "one by one" in chosen:
    st.markdown(page["where"])
    where_it_hurts(seen)

st.markdown(page["pair"])
trained_to_be_cut(looks)
