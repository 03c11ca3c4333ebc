"""The truth test: 48 nets at initialisation, then any of them trained for its first steps beside its twin."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.engine.policy.training_time import in_words, training_seconds
from app.figures import theme
from app.studies.gradients.figures import Backward, block_lines, grid_ratios, in_all, verdict_map
from app.studies.gradients.questions import Course, Grid
from app.studies.gradients.truth_table import truth_table
from app.studies.gradients.verdicts import Trained
from app.studies.truth_test.questions import CourseQuestion, GridQuestion
from app.ui.page import page_parameter as own_parameter
from app.ui.page.pending_answer import draw_answer, draw_answers, is_answered
from app.ui.page.sections import section
from app.ui.widgets.live_chart import Click, live_chart
from models.spec import NetSpec

DEPTHS = (8, 20, 56, 110)
ACTIVATIONS = ("ReLU", "ELU", "SELU")
NORMS = {"BN": "batch", "no BN": "none"}
CELLS = {  # by what the address calls them
    f"{depth}-{NORMS[norm]}-{activation.lower()}": f"{depth} layers · {norm} · {activation}"
    for depth, norm, activation in product(DEPTHS, NORMS, ACTIVATIONS)
}
USUAL = "20-batch-relu"
STEPS = 100
SIZE = 28  # pixels: the bundled images'
_GRID, _TRAINED, _CELL = "truth-test", "first-steps", "cell"


@section("gradients", title="The truth test", place=20)
def truth_test() -> None:
    """Guess, press, read."""
    page = prose("gradients")
    st.markdown(page["test"])
    question = GridQuestion()
    if st.button("Run the truth test", type="primary", icon=":material/play_arrow:"):
        st.session_state[_GRID] = True
    if st.session_state.get(_GRID) or is_answered(question):
        draw_answer(question, _grid, doing=page["testing"], on_stop=lambda: st.session_state.pop(_GRID, None))
    else:
        st.caption(page["test-waits"])
    st.markdown(f"#### {page['train']}")
    _first_steps()


def _grid(grid: Grid) -> None:
    page = prose("gradients")
    figure = verdict_map(grid)
    live_chart(figure, key="verdicts", rev="grid", on_click=_choose)
    st.caption(figure.caption)
    st.markdown(_counted(grid))
    st.caption(page["test-spread"])


def _counted(grid: Grid) -> str:
    """In how many nets of each kind the gradient vanishes or explodes."""
    kinds: dict[str, list[str]] = {}
    for nth, text in enumerate(grid.nets):
        net = NetSpec.parse(text)
        kind = f"{net.family}, {'BN' if net.norm == 'batch' else 'no BN'}"
        kinds.setdefault(kind, []).append(in_all(grid_ratios(grid, nth)))
    lines = []
    for kind, verdicts in kinds.items():
        counts = ", ".join(
            f"**{verdicts.count(word)}** {word}"
            for word in ("vanish", "explode", "both", "neither", "not shown")
            if word in verdicts
        )
        lines.append(f"- {kind}: of {len(verdicts)} nets {counts}")
    return "\n".join(lines)


def _choose(click: Click) -> None:
    """A click on a cell: that depth and setting, to be trained."""
    _, _, setting = str(click.y).partition(" · ")
    own_parameter.write(_CELL, [cell for cell, title in CELLS.items() if title == f"{click.x} · {setting}"])


def _first_steps() -> None:
    page = prose("gradients")
    st.session_state[_CELL] = own_parameter.choice(_CELL, CELLS) or USUAL
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cell = st.selectbox(
            "Which part",
            list(CELLS),
            format_func=lambda cell: CELLS[cell],
            key=_CELL,
            on_change=lambda: own_parameter.write(_CELL, [st.session_state[_CELL]]),
            width=260,
        )
        pair = twins(cell)
        pressed = st.button(f"Train plain and residual for {STEPS} steps", icon=":material/model_training:")
    long = in_words(sum(training_seconds(net, STEPS, size=SIZE) for net in pair))
    st.caption(page["announced"].format(steps=STEPS, long=long, net=pair[0].name, twin=pair[1].name))
    questions = [CourseQuestion(net=str(net), steps=STEPS) for net in pair]
    trained: set[str] = st.session_state.setdefault(_TRAINED, set())
    if pressed:
        trained.add(cell)
    if cell in trained or all(map(is_answered, questions)):
        draw_answers(questions, _courses, doing=page["training"], on_stop=lambda: trained.discard(cell))


def twins(cell: str) -> tuple[NetSpec, NetSpec]:
    """The plain net and the residual one of a cell: `20-batch-relu`."""
    depth, norm, activation = cell.split("-")
    settings = f"norm={norm}:activation={activation}:init={'lecun' if activation == 'selu' else 'he'}:channels=1"
    residual = NetSpec.parse(f"resnet-{depth}:width=8:{settings}")
    plain = residual.plain_twin()
    assert plain is not None  # a resnet has one
    return plain, residual


def _courses(courses: Sequence[Course]) -> None:
    styles = [theme.Style(net.name, theme.family_colour(net)) for net in (NetSpec.parse(one.net) for one in courses)]
    runs = [
        # The mean over the batches as sizes go: of the logarithms.
        Backward(style, tuple(one.steps.tolist()), np.exp(np.log(np.maximum(one.block_rms, 1e-300)).mean(1)))
        for style, one in zip(styles, courses, strict=True)
    ]
    figure = block_lines(runs, over=f"{courses[0].block_rms.shape[1]} batches of {courses[0].images} training images")
    live_chart(figure, key="courses", rev=figure.alt)
    st.caption(figure.caption)
    truth_table([(style, Trained((one,))) for style, one in zip(styles, courses, strict=True)], "first-steps-table")
