"""Which trained net a page is about, and at which moment: the first run of the address, the slider's step."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import streamlit as st

from app.engine import process
from app.store.run import Run
from app.ui.page import address, visitor
from app.ui.widgets.step_slider import step_slider
from app.values.datasets import find
from app.values.run_spec import net_title
from models.spec import NetSpec


@dataclass(frozen=True)
class Look:
    """A run, one of its kept moments, all of them, and the side of its images in pixels."""

    run: Run
    step: int
    moments: tuple[int, ...]
    size: int | None

    @property
    def net(self) -> NetSpec:
        """The spec of its net."""
        return self.run.spec.net


def subject(
    default: str, *, label: str = "Trained net", key: str = "subject", fits: Callable[[NetSpec], bool] | None = None
) -> Look | None:
    """A menu of the runs that have weights. None, and a sentence, where there is none."""
    runs = {run.id: run for run in visitor.runs() if run.has_weights}
    runs = {name: run for name, run in runs.items() if fits is None or fits(run.spec.net)}
    if not runs:
        st.info("No run has weights yet: train one first.")
        return None
    asked = [known for run in address.read().runs if (known := _with_weights(run, runs))]
    chosen = asked[0] if asked else default if default in runs else next(iter(runs))

    def choose() -> None:
        wanted = st.session_state.get(key, chosen)
        address.write(runs=(wanted, *(run for run in address.read().runs if run != wanted))[:5])

    st.session_state[key] = chosen
    st.selectbox(label, list(runs), format_func=lambda name: _title(runs[name]), key=key, on_change=choose, width=340)
    return look(runs[chosen])


def _with_weights(run: str, runs: Collection[str]) -> str | None:
    """The run, or the seed of its group that is among `runs`: of the other seeds events may be all that was kept."""
    if run in runs:
        return run
    store = process.engine().store
    try:
        group = store.group(store.runs.get(run))
    except KeyError:
        return None
    return next((other.id for other in group if other.id in runs), None)


def look(run: Run) -> Look | None:
    """The run at the kept moment nearest to the slider's step, from before it if there is one."""
    moments = tuple(process.engine().store.events.moments(run.id))
    if not moments:
        st.info(f"No weights of {run.name} are kept yet.")
        return None
    dataset = find(run.spec.data, process.engine().settings.store)
    return Look(run, nearest(moments, address.step()), moments, dataset.size if dataset else None)


def nearest(moments: Sequence[int], step: int | None) -> int:
    """The newest moment up to `step` (None: the newest of all), else the first."""
    return max((moment for moment in moments if step is None or moment <= step), default=moments[0])


def moment_slider(seen: Look, key: str = "moment") -> None:
    """The step slider, over kept moments only; none for weights from elsewhere, which have one moment."""
    if not seen.run.total:
        return
    step_slider(
        seen.step,
        newest=seen.moments[-1],
        total=max(seen.run.total, seen.moments[-1]),
        moments=seen.moments,
        epoch_steps=seen.run.epoch_steps,
        key=key,
        snap=True,
        on_change=address.go_to_step,
    )


def _title(run: Run) -> str:
    net = net_title(run.spec.net)
    name = run.name if net in run.name else f"{run.name} ({net})"
    return name if run.origin == "reference" else f"{name} · {run.spec.data} · {run.status}"
