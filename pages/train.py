"""Is learning better networks as easy as stacking more layers? A race of nets, live."""

import streamlit as st

from app import jobs
from app.limits import RefusedError
from app.races import RACES
from app.ui import address, visitor
from app.ui.bring import arrival
from app.ui.picker import chosen_runs
from app.ui.prose import prose
from app.ui.race import own_images, prediction, race_form
from app.ui.source_races import source_races
from app.ui.watch import watch

page = prose("train")
st.title(page["title"])
st.markdown(page["lead"])

specs, problem = race_form()
race = address.read().race
with st.container(horizontal=True, vertical_alignment="bottom", key="start-row"):
    guess = prediction(RACES[race].specs() if race else specs)
    started = st.button("Start the race", type="primary", icon=":material/play_arrow:", disabled=not specs)
    with st.popover("Races of the sources", type="tertiary"):
        source_races()
    with st.popover("Own images", type="tertiary"):
        own_images()
if problem:
    st.error(problem)
if started:
    try:
        begun = jobs.engine().submit(specs, visitor.owner())
        address.write(runs=tuple(run.id for run in begun), race=None, step=None)
    except RefusedError as refused:
        st.error(f"Not started: {refused}.")

store = jobs.engine().store
runs = [store.run(run) for run in chosen_runs()]
if runs and all(run.origin == "reference" for run in runs):
    st.caption(page["reference"])
for run in runs:
    if run.origin == "imported":
        st.markdown(arrival(store, run))
watch([run.id for run in runs if run.origin != "imported"], guess)
