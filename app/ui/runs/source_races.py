"""The races of the sources, one click each: what was found, what the student expects, and then the measurement."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import prose
from app.ui.page import address
from app.ui.runs.standing import Standing, compare
from app.ui.runs.submit import submitted
from app.values.comparing import comparison
from app.values.evidence import Effect
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


def what_was_found_here(name: str, standings: Sequence[Standing]) -> None:
    """Each claim of the race's source against the nets as they ended; nothing of those that are not over."""
    page, race = prose("train"), RACES[name]
    here = {(standing.spec.net, standing.spec.recipe): standing for standing in standings}
    nets = [here.get((spec.net, spec.recipe)) for spec in race.specs()]
    for low, high in race.lower:
        first, second = nets[low], nets[high]
        seen = compare(first, second, None) if first and second else None
        if first and second and seen and seen.step is None:
            outcome = page[f"race-{_outcome(seen.effect)}"].format(source=race.claimed_by or page["race-source"])
            st.markdown(f"{outcome} {comparison(first.name, second.name, seen.effect)}")
    if race.remark:
        st.markdown(race.remark)


def _outcome(effect: Effect) -> str:
    """How a difference stands to a source that has it below zero."""
    if effect.verdict == "not shown":
        return "open"
    return "agrees" if effect.value < 0 else "contrary"


def what_the_source_found(name: str) -> None:
    """The claim, to be held against the measurement beside it."""
    st.markdown(f":violet-badge[paper] {RACES[name].found}")
    st.caption(RACES[name].source)
