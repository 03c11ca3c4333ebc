"""Take a block out: what breaks when blocks of a trained net are cut, turned down or moved?"""

import streamlit as st

from app.base.prose import prose
from app.studies.cuts.live_cut import cut_live
from app.studies.cuts.outcome import outcome
from app.studies.cuts.table import cutting_table
from app.studies.lesions.controls import beside
from app.studies.lesions.section import chosen_studies, flipping_first, studies, where_it_hurts
from app.studies.lesions.trained_to_be_cut import trained_to_be_cut
from app.ui.page.sections import further_sections
from app.ui.runs.subject import moment_slider, subject

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

further_sections("lesions", seen)
