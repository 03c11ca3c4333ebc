"""The deeper net that identities made, trained on beside its like from scratch: does it keep what it was given?"""

from functools import partial

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.engine.policy.training_time import in_words, training_seconds
from app.studies.cuts.over_images import difference, unpacked
from app.studies.identity.figures import trained_on
from app.studies.identity.questions import TrainedOn, TrainedOnQuestion
from app.ui.page.pending_answer import draw_answer, is_answered
from app.ui.runs.subject import Look
from app.ui.widgets.live_chart import live_chart
from app.values.comparing import comparison
from models.spec import NetSpec

RATES = ("0.1", "0.01", "0.001")
_BEGUN = "trained-on"


def train_on(look: Look, depth: int) -> None:
    """Choose the learning rate, press, read."""
    page = prose("gradients")
    deeper = NetSpec.model_validate({**look.net.model_dump(), "depth": depth})
    st.markdown(page["train-on"].format(net=look.net.name, deeper=deeper.name))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        rate = st.segmented_control(
            "Learning rate", RATES, default=RATES[0], key="rate", bind="query-params", required=True
        )
        pressed = st.button("Train both", icon=":material/model_training:", key="train-on")
    question = TrainedOnQuestion(
        run=look.run.id, step=look.moments[-1], depth=depth, rate=float(rate or RATES[0]), seed=look.run.spec.seed
    )
    batch = look.run.spec.recipe.batch
    long = in_words(2 * training_seconds(deeper, question.steps, batch, look.size))
    st.caption(page["train-on-announced"].format(steps=question.steps, batch=batch, long=long))
    begun: set[str] = st.session_state.setdefault(_BEGUN, set())
    if pressed:
        begun.add(question.key)
    if question.key in begun or is_answered(question):
        doing = page["training-on"].format(deeper=deeper.name)
        draw_answer(question, _drawn, doing=doing, on_stop=partial(begun.discard, question.key))


def _drawn(result: TrainedOn) -> None:
    figure = trained_on(result)
    live_chart(figure, key="trained-on", rev=figure.alt)
    st.caption(figure.caption)
    st.markdown(" ".join(words(result)))
    st.markdown(prose("gradients")["trained-on-why"])


def words(result: TrainedOn) -> list[str]:
    """Whether it kept what it was given, what happened on the way, and how the net from scratch compares."""
    page = prose("gradients")
    made, _ = result.error
    given, after, scratch = unpacked(result.wrong, result.images)
    steps = len(made)
    names = {"net": NetSpec.parse(result.net).name, "deeper": NetSpec.parse(result.deeper).name, "steps": steps}
    trained = page["name-trained-on"].format(**names)
    if result.diverged[0]:
        sentences = [page["lost-diverged"].format(**names | {"steps": int(np.isfinite(made).sum())})]
    else:
        change = difference(after, given)
        verdict = "lost" if change.verdict == "more" else "kept"
        as_made = page["name-as-made"].format(**names)
        said = comparison(trained, as_made, change, "test error", over="images")
        sentences = [page[verdict].format(**names, before=100 * given.mean(), after=100 * after.mean()), said]
    peak = int(np.nanargmax(made))
    if round(made[peak]) > round(max(made[0], made[-1])):
        sentences.append(page["peak"].format(first=made[0], peak=made[peak], step=peak))
    if result.diverged[1]:
        sentences.append(page["against-scratch-diverged"])
    elif not result.diverged[0]:
        from_scratch = page["name-from-scratch"].format(**names)
        sentences.append(comparison(trained, from_scratch, difference(after, scratch), "test error", over="images"))
    return [*sentences, page["trained-on-once"]]
