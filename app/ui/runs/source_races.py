"""The races of the sources, one click each: what was found, what the student expects, and then the measurement."""

import streamlit as st

from app.ui.page import address
from app.ui.runs.submit import submitted
from app.values.races import RACES
from app.values.run_spec import over_seeds


def source_races(seeds: int) -> None:
    """Choose a race, read what its source found, and start it with so many seeds."""
    name = st.selectbox("Race", list(RACES), format_func=lambda name: RACES[name].question, key="source-race")
    race = RACES[name]
    st.markdown(" · ".join(f"`{contestant.net}`" for contestant in race.contestants))
    what_the_source_found(name)
    pressed = st.button("Start this race", type="primary", icon=":material/play_arrow:", key="start-source-race")
    if pressed and (runs := submitted(over_seeds(race.specs(), seeds))):
        address.write(runs=tuple(run.id for run in runs[: len(race.contestants)]), race=name, step=None)
        st.rerun()


def what_the_source_found(name: str) -> None:
    """The claim, to be held against the measurement beside it."""
    st.markdown(f":violet-badge[paper] {RACES[name].found}")
    st.caption(RACES[name].source)
