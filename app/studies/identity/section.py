"""The identity argument, twice: construct the deeper net that does no worse, train it on; ask a stack to find it."""

import streamlit as st

from app.base.prose import prose
from app.studies.identity.figures import lesson
from app.studies.identity.questions import Deepened, DeepenedQuestion, Lesson, LessonQuestion
from app.studies.identity.trained_on import train_on
from app.ui.page.pending_answer import draw_answer
from app.ui.page.sections import section
from app.ui.runs.subject import subject
from app.ui.widgets.live_chart import live_chart
from models.spec import NetSpec

DEEPER = (32, 44, 56, 110)
BLOCKS = (1, 2, 4, 8, 16)


@section("gradients", title="The identity argument", place=50)
def identity_argument() -> None:
    """Construct it, learn it."""
    page = prose("gradients")
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(page["construct"])
        _construct()
    with right:
        st.markdown(page["learn"])
        _learn()


def _construct() -> None:
    seen = subject("reference-plain-20", label="Trained plain net", key="constructed", fits=_extendible)
    if seen is None:
        return
    depths = [depth for depth in DEEPER if depth > seen.net.depth]
    if not depths:
        st.info(prose("gradients")["deep-enough"].format(net=seen.net.name))
        return
    if st.session_state.get("deeper") not in depths:
        st.session_state.pop("deeper", None)
    depth = st.segmented_control(
        "Layers of the deeper net",
        depths,
        default=56 if 56 in depths else depths[0],
        key="deeper",
        bind="query-params",
        required=True,
    )
    question = DeepenedQuestion(run=seen.run.id, step=seen.moments[-1], depth=depth or depths[0])
    draw_answer(question, _same, doing=prose("gradients")["constructing"])
    train_on(seen, question.depth)


def _extendible(net: NetSpec) -> bool:
    return net.family == "plain" and net.activation == "relu" and net.branch != "bottleneck" and net.form == "cifar"


def _same(result: Deepened) -> None:
    page = prose("gradients")
    net, deeper = NetSpec.parse(result.net).name, NetSpec.parse(result.deeper).name
    left, right = st.columns(2)
    left.metric(f"{net}, test error", f"{result.error:.2f} %")
    right.metric(f"{deeper}, test error", f"{result.deeper_error:.2f} %")
    same = "constructed" if result.deeper_error == result.error else "constructed-not"
    st.markdown(page[same].format(net=net, deeper=deeper, added=len(result.added)))
    st.caption(page["constructed-caption"].format(difference=result.largest_difference, images=f"{result.images:,}"))


def _learn() -> None:
    page = prose("gradients")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        target = st.segmented_control(
            "Asked for", ("y = x", "y = 0"), default="y = x", key="target", bind="query-params", required=True
        )
        blocks = st.select_slider("Blocks", BLOCKS, value=4, key="blocks", bind="query-params", width=240)
    draw_answer(
        LessonQuestion(target="zero" if target == "y = 0" else "identity", blocks=blocks),
        _lesson,
        doing=page["learning"],
    )


def _lesson(result: Lesson) -> None:
    page = prose("gradients")
    figure = lesson(result)
    live_chart(figure, key="lesson", rev=figure.alt)
    st.caption(figure.caption)
    ends = {family: float(loss[-1]) for family, loss in zip(result.families, result.loss, strict=True)}
    better, worse = sorted(ends, key=lambda family: ends[family])
    st.markdown(
        page["learnt"].format(
            better=_how(better),
            worse=_how(worse),
            ratio=f"{ends[worse] / ends[better]:,.1f}" if ends[better] else "∞",
            steps=result.loss.shape[1],
            wanted="y = x" if result.target == "identity" else "y = 0",
        )
    )


def _how(family: str) -> str:
    return "without shortcuts" if family == "plain" else "with shortcuts"
