"""The truth test: 48 nets at initialisation, then any of them trained for its first steps beside its twin."""

from collections.abc import Sequence

import streamlit as st

from app.figures.gradients import block_lines, verdict_map
from app.questions import CourseQuestion, GridQuestion
from app.results import Course, Grid
from app.ui.answer import all_answered, answered, known
from app.ui.claims import claims_table
from app.ui.live_chart import Click, live_chart
from app.ui.prose import prose
from app.verdicts import typical, verdict
from models.spec import NetSpec

DEPTHS = (8, 20, 56, 110)
ACTIVATIONS = {"ReLU": "relu:init=he", "ELU": "elu:init=he", "SELU": "selu:init=lecun"}
CELLS = [
    f"{depth} layers · {norm} · {activation}"
    for depth in DEPTHS
    for norm in ("BN", "no BN")
    for activation in ACTIVATIONS
]
STEPS = 100
SECONDS_PER_LAYER = 0.7  # of 100 steps of batch 128, width 8, on one core: measured on an AMD EPYC
_GRID, _TRAINED = "truth-test", "first-steps"


def truth_test() -> None:
    """Guess, press, read."""
    page = prose("gradients")
    st.markdown(page["test"])
    question = GridQuestion()
    if st.button("Run the truth test", type="primary", icon=":material/play_arrow:"):
        st.session_state[_GRID] = True
    if st.session_state.get(_GRID) or known(question):
        answered(question, _grid, doing=page["testing"], on_stop=lambda: st.session_state.pop(_GRID, None))
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
    """How many nets of each kind vanish, stay healthy, explode."""
    kinds: dict[str, list[str]] = {}
    for text, factors in zip(grid.nets, grid.factors, strict=True):
        net = NetSpec.parse(text)
        kind = f"{net.family}, {'BN' if net.norm == 'batch' else 'no BN'}"
        kinds.setdefault(kind, []).append(verdict(typical(factors)))
    lines = []
    for kind, verdicts in kinds.items():
        counts = ", ".join(
            f"**{verdicts.count(word)}** {word}" for word in ("vanish", "healthy", "explode") if word in verdicts
        )
        lines.append(f"- {kind}: of {len(verdicts)} nets {counts}")
    return "\n".join(lines)


def _choose(click: Click) -> None:
    """A click on a cell: that depth and setting, to be trained."""
    _, _, setting = str(click.y).partition(" · ")
    if (cell := f"{click.x} · {setting}") in CELLS:
        st.session_state["cell"] = cell


def _first_steps() -> None:
    page = prose("gradients")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        cell = st.selectbox("Which part", CELLS, index=CELLS.index("20 layers · BN · ReLU"), key="cell", width=260)
        pair = twins(cell)
        pressed = st.button(f"Train plain and residual for {STEPS} steps", icon=":material/model_training:")
    seconds = 2 * SECONDS_PER_LAYER * pair[0].depth
    st.caption(page["announced"].format(steps=STEPS, seconds=f"{seconds:,.0f}", net=pair[0].name, twin=pair[1].name))
    questions = [CourseQuestion(net=str(net), steps=STEPS) for net in pair]
    trained: set[str] = st.session_state.setdefault(_TRAINED, set())
    if pressed:
        trained.add(cell)
    if cell in trained or all(map(known, questions)):
        all_answered(questions, _courses, doing=page["training"], on_stop=lambda: trained.discard(cell))


def twins(cell: str) -> tuple[NetSpec, NetSpec]:
    """The plain net and the residual one of a cell: `20 layers · BN · ReLU`."""
    depth, norm, activation = cell.split(" · ")
    settings = f"norm={'batch' if norm == 'BN' else 'none'}:activation={ACTIVATIONS[activation]}:channels=1"
    plain, residual = (
        NetSpec.parse(f"{family}-{depth.removesuffix(' layers')}:width=8:{settings}") for family in ("plain", "resnet")
    )
    return plain, residual


def _courses(courses: Sequence[Course]) -> None:
    figure = block_lines(courses)
    live_chart(figure, key="courses", rev=figure.alt)
    st.caption(figure.caption)
    claims_table(courses)
