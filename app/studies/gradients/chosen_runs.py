"""The runs whose gradients are looked at: up to four of the address, their kept moments, and the slider's."""

from dataclasses import dataclass

import streamlit as st

from app.figures.theme import Style, styles
from app.ui.live.scene import Scene, scene
from app.ui.page import address, visitor
from app.ui.runs.run_picker import chosen_runs
from app.ui.runs.subject import Look, look
from app.ui.widgets.step_slider import step_slider
from app.ui.widgets.strip import strip

MOST = 4
_KEY = "measured-runs"
FIRST = (0, 1, 10)  # initialisation and the first steps


@dataclass(frozen=True)
class Seen:
    """Runs, drawn in these styles; those of which weights are kept are among `looks`, by place."""

    scene: Scene
    styles: tuple[Style, ...]
    looks: dict[int, Look]

    @property
    def moments(self) -> tuple[int, ...]:
        """Every moment that some run has kept."""
        return tuple(sorted({moment for look in self.looks.values() for moment in look.moments}))

    def telling(self, place: int) -> tuple[int, ...]:
        """Moments of one run that a verdict is made of, and the slider's."""
        look = self.looks[place]
        return tuple(sorted({*FIRST} & {*look.moments} | {look.moments[-1], look.step}))


def measured_runs() -> Seen | None:
    """Draw the choice. None, and a sentence, where there is no run at all."""
    known = {run.id: run for run in visitor.runs() if run.started is not None}
    chosen = [run for run in chosen_runs() if run in known][:MOST]
    if not chosen:
        st.info("No run has been trained yet: start one first.")
        return None

    def choose() -> None:
        if wanted := tuple(st.session_state[_KEY]):
            address.write(runs=wanted)

    st.session_state[_KEY] = chosen
    st.multiselect(
        "Runs, up to four",
        list(known),
        format_func=lambda run: known[run].name,
        key=_KEY,
        max_selections=MOST,
        on_change=choose,
    )
    seen = scene(tuple(chosen)).followed()
    looks = ((place, look(run)) for place, run in enumerate(seen.runs))
    return Seen(
        seen,
        tuple(styles([run.spec for run in seen.runs])),
        {place: look for place, look in looks if look is not None},
    )


def where_and_when(watched: Seen) -> None:
    """The strip and the step slider: which layer, which moment."""
    strip(
        watched.scene.nets,
        key="gradient-strip",
        selected=address.layer(),
        on_select=address.go_to_layer,
    )
    if watched.moments:
        step_slider(
            address.step(),
            newest=watched.moments[-1],
            total=max(watched.scene.total, watched.moments[-1]),
            moments=watched.moments,
            epoch_steps=watched.scene.runs[0].epoch_steps,
            key="gradient-moment",
            snap=True,
            on_change=address.go_to_step,
        )
