"""The races of the sources, one click each: what was found, what the student expects, and then the measurement."""

import streamlit as st

from app.base.prose import literal
from app.engine import process
from app.engine.policy.limits import RefusedError
from app.ui.page import address, visitor
from app.values.races import RACES


def source_races() -> None:
    """Choose a race, read what its source found, and start it."""
    name = st.selectbox("Race", list(RACES), format_func=lambda name: RACES[name].question, key="source-race")
    race = RACES[name]
    st.markdown(" · ".join(f"`{one.net}`" for one in race.contestants))
    what_the_source_found(name)
    if st.button("Start this race", type="primary", icon=":material/play_arrow:", key="start-source-race"):
        try:
            runs = process.engine().runs.submit(race.specs(), visitor.owner())
        except RefusedError as refused:
            st.error(literal(f"Not started: {refused}."))
        else:
            address.write(runs=tuple(run.id for run in runs), race=name, step=None)
            st.rerun()


def what_the_source_found(name: str) -> None:
    """The claim, to be held against the measurement beside it."""
    st.markdown(f":violet-badge[paper] {RACES[name].found}")
    st.caption(RACES[name].source)
