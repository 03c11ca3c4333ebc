"""Is learning better networks as easy as stacking more layers? A race of nets, live."""

import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.ui.live.watch import watch
from app.ui.page import address
from app.ui.runs.race_form import DEFAULT_NETS, own_images, prediction, race_form, seeds_chosen, with_own_seed
from app.ui.runs.run_picker import chosen_runs
from app.ui.runs.source_races import source_races
from app.ui.runs.submit import submitted
from app.ui.runs.weights_import import arrival
from app.values.races import RACES
from app.values.run_spec import over_seeds

page = prose("train")
st.title(page["title"])
st.markdown(page["lead"])

specs, problem = race_form()
race = address.read().race
with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="start-row"):
    guess = prediction(RACES[race].specs() if race else specs)
    seeds = seeds_chosen()
    specs = with_own_seed(specs)
    started = st.button("Start the race", type="primary", icon=":material/play_arrow:", disabled=not specs)
    with st.popover("Races of the sources", type="tertiary"):
        source_races(seeds)
    with st.popover("Own images", type="tertiary"):
        own_images()
if problem:
    st.error(problem)
if started and (begun := submitted(over_seeds(specs, seeds))):
    address.write(runs=tuple(run.id for run in begun[: len(specs)]), race=None, step=None)

store = process.engine().store
runs = [store.runs.get(run) for run in chosen_runs([f"reference-{net}" for net in DEFAULT_NETS])]
if runs and all(run.origin == "reference" for run in runs):
    st.caption(page["reference"])
for run in runs:
    if run.origin == "imported":
        st.markdown(arrival(store, run))
watch([run.id for run in runs if run.origin != "imported"], guess)
