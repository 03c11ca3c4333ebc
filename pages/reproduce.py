"""Does it hold here? One card for each claim of the literature: what would count, what was measured, the verdict."""

import streamlit as st

from app.base.prose import prose
from app.studies.reproduction.page import tables, tally
from app.values.comparing import about_intervals

page = prose("reproduce")
st.title(page["title"])
st.markdown(page["lead"])
tally()
st.caption(page["rule"].format(intervals=about_intervals("seeds")))
tables()
