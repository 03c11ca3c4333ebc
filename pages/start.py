"""Why do deeper networks get worse? The question, the one-click race, the way on."""

import streamlit as st

from app.base.prose import prose
from app.ui.page import frame
from app.ui.runs.race_form import PAIR, default_race, prediction, with_own_seed
from app.ui.runs.submit import submitted
from app.ui.widgets.strip import StripNet, strip
from app.values.datasets import BUNDLED, DATASETS

ROOMS = (("train", "gradients", "paths"), ("lesions", "features", "architecture"))

page = prose("start")
st.title(page["title"])
st.markdown(page["lead"])

race = default_race()
st.markdown(page["pair"])
pair = [StripNet(spec.net, spec.net.name, DATASETS[BUNDLED].size) for spec in race[: len(PAIR)]]
strip(pair, key="pair", detail=False)

with st.container(border=True, key="predict"):
    st.markdown(page["predict"])
    prediction(race)  # stays in the address, for the page that shows the outcome
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        started = st.button("Start the race", type="primary", icon=":material/play_arrow:")
        race = with_own_seed(race)
    if started and (runs := submitted(race)):
        st.switch_page(frame.page("train"), query_params={"run": [run.id for run in runs]})

st.markdown(page["way"])
for row in ROOMS:
    for column, name in zip(st.columns(3, gap="medium"), row, strict=True):
        with column, st.container(gap=None):
            st.page_link(frame.page(name), label=f"**{name.capitalize()}**", icon=":material/arrow_forward:")
            st.markdown(prose(name)["title"])
            st.caption(page[name])
st.markdown(page["keep"])
st.caption(page["note"])
st.caption(f":violet-badge[paper] {page['source']}")
