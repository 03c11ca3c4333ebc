"""The signal on its way forward: He et al. 2015, figure 7, of the runs that are looked at."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from app.base.prose import prose
from app.figures.theme import Figure
from app.studies.gradients.chosen_runs import Seen, measured_runs, where_and_when
from app.studies.signal.figures import activations, residuals, responses
from app.studies.signal.questions import Signal, SignalQuestion
from app.ui.page.chart_clicks import to_layer
from app.ui.page.pending_answer import draw_answers
from app.ui.page.sections import section
from app.ui.widgets.live_chart import live_chart
from models.families import PLAIN


@section("gradients", title="Signal forward", place=30)
def signal_forward() -> None:
    """Responses at the slider's moment; then one net's residuals over its moments."""
    page = prose("gradients")
    st.markdown(page["forward"])
    seen = measured_runs()
    if seen is None:
        return
    charts = st.container()
    where_and_when(seen)
    with charts:
        draw_answers(
            [SignalQuestion(run=look.run.id, step=look.step) for look in seen.looks.values()],
            partial(_signals, seen),
            doing=page["measuring"],
        )
    st.markdown(f"#### {page['small']}")
    residual = [place for place, look in seen.looks.items() if look.net.family not in PLAIN]
    if not residual:
        st.info(page["no-shortcut"])
        return
    place = residual[-1]
    look, steps = seen.looks[place], seen.telling(place)
    draw_answers(
        [SignalQuestion(run=look.run.id, step=step) for step in steps],
        lambda signals: _residuals(seen, place, steps, signals),
        doing=page["measuring"],
    )


def _signals(watched: Seen, signals: Sequence[Signal]) -> None:
    pairs = [(look.run.spec, signal) for look, signal in zip(watched.looks.values(), signals, strict=True)]
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        by_size = st.toggle("Responses sorted by size, as in the paper", key="sorted", bind="query-params")
        what = st.segmented_control(
            "Of each activation",
            ("dead channels", "mean"),
            default="dead channels",
            key="activation",
            bind="query-params",
            required=True,
            label_visibility="collapsed",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        _draw(responses(pairs, "size" if by_size else "layer"), "responses")
        st.markdown(_compared(watched, signals))
    with right:
        _draw(activations(pairs, "means" if what == "mean" else "dead"), "activations")


def _compared(watched: Seen, signals: Sequence[Signal]) -> str:
    """The mean response of each net, smallest first: in words computed from it."""
    page = prose("gradients")
    names = [watched.scene.names[place] for place in watched.looks]
    means = sorted((float(signal.response_std.mean()), name) for name, signal in zip(names, signals, strict=True))
    listed = ", ".join(f"**{name}** {mean:.2g}" for mean, name in means)
    return page["responses"].format(listed=listed)


def _residuals(watched: Seen, place: int, steps: Sequence[int], signals: Sequence[Signal]) -> None:
    spec = watched.scene.runs[place].spec
    figure = residuals([(spec, signal) for signal in signals], steps)
    _draw(figure, "residuals")
    last = signals[-1].residual
    below = int((last < 1).sum())
    st.markdown(
        prose("gradients")["residuals"].format(
            name=watched.scene.names[place], step=f"{steps[-1]:,}", below=below, blocks=last.size
        )
    )


def _draw(figure: Figure, key: str) -> None:
    live_chart(figure, key=key, rev=figure.alt, on_click=to_layer)
    st.caption(figure.caption)
