"""Attributions on the page: which pixels speak for a class, and whether they depend on what was learnt."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.base.prose import literal, prose
from app.figures.sheets import enlarged, overlay
from app.figures.theme import family_colour
from app.studies.attributions.questions import STEPS, Attribution, AttributionQuestion, Randomised, RandomisedQuestion
from app.studies.features import depth_figures
from app.studies.features.chosen_picture import Chosen
from app.studies.features.questions import DepthQuestion, DepthRead
from app.studies.features.section import place
from app.ui.page.pending_answer import draw_answer
from app.ui.runs.subject import Look
from app.ui.widgets.live_chart import live_chart
from app.values.datasets import DataSet

METHODS = ("saliency", "input-x-gradient", "integrated-gradients", "grad-cam", "occlusion", "conductance")
PREDICTED = "the predicted one"
_SANITY = "sanity"


def attributions(looks: Sequence[Look], picture: Chosen, dataset: DataSet) -> None:
    """One row a net: the class that is predicted, or two classes that are asked for."""
    page = prose("features")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = st.selectbox("Method", METHODS, index=3, key="method", bind="query-params", width=230)
        classes = [PREDICTED, *dataset.labels]
        first = st.selectbox("Class", classes, key="for", bind="query-params", width=190)
        second = st.selectbox("Second class", ["none", *dataset.labels], key="against", bind="query-params", width=190)
        opacity = st.slider("Opacity", 0.0, 1.0, 0.85, 0.05, key="opacity", width=190)
    st.markdown(page[f"method-{method}"])
    targets = [first] + ([second] if second != "none" else [])
    columns = st.columns(max(3, len(targets) * len(looks)), gap="medium")
    cells = [(look, target) for look in looks for target in targets]
    for column, (look, target) in zip(columns, cells, strict=False):
        at = ".".join(place(look).split(".")[:2]) if place(look).startswith("blocks.") else None
        asked: dict[str, Any] = {
            "run": look.run.id,
            "step": look.step,
            "picture": picture.text,
            "method": method,
            "target": dataset.labels.index(target) if target in dataset.labels else None,
            "at": at,
        }
        with column:
            question = AttributionQuestion(**asked)
            draw_answer(question, lambda found, look=look: _one(found, look, dataset, opacity), doing=method)  # type: ignore[misc]
    _sanity(looks[0], picture, method)


def _one(attribution: Attribution, look: Look, dataset: DataSet, opacity: float) -> None:
    label = dataset.labels[attribution.target]
    share = 100 * float(attribution.probabilities[attribution.target])
    st.image(
        enlarged(overlay(attribution.picture, attribution.values, opacity)),
        alt=f"{attribution.method} for {label}, over the picture",
    )
    where = f" at `{attribution.at}`" if attribution.at else ""
    line = f":green-badge[measured] {literal(look.run.name)}{where}: **{literal(label)}** ({share:.0f}%)."
    if attribution.completeness == attribution.completeness:  # claimed
        line += f" {adds_up(attribution)}"
    st.caption(line)


def adds_up(attribution: Attribution) -> str:
    """How far the values are from adding up: an integral of so many steps is no integral yet."""
    whole, delta = attribution.completeness, attribution.delta
    share = f"{100 * abs(delta / whole):.2g} % of it" if whole else "of nothing"
    return prose("features")["adds-up"].format(
        sum=f"{whole + delta:.3g}", whole=f"{whole:.3g}", delta=f"{delta:+.2g}", share=share, steps=STEPS
    )


def _sanity(look: Look, picture: Chosen, method: str) -> None:
    page = prose("features")
    asked = f"{look.run.id} {look.step} {picture.text} {method}"
    if st.session_state.get(_SANITY) != asked:
        if st.button(page["forget"], icon=":material/shuffle:", help=page["forget-help"]):
            st.session_state[_SANITY] = asked
            st.rerun()
        return

    def draw(found: Randomised) -> None:
        drawn = zip(found.values, found.stages, found.correlation, strict=True)
        with st.container(horizontal=True):
            for values, stage, correlation in drawn:
                shown = enlarged(overlay(values[None] * 0, values, 1.0), 112)
                words = stage if stage == "trained" else f"down to {stage}: {correlation:.2f}"
                st.image(
                    shown, words, width=shown.shape[1], alt=f"{method}, {words}"
                )  # of one size, however long the words
        last = float(found.correlation[-1])
        verdict = (
            "it does depend on what was learnt" if abs(last) < 0.5 else "much of it does not depend on what was learnt"
        )
        st.caption(
            f":green-badge[measured] weights randomised from the head down, Spearman's correlation with the trained "
            f"net's: {last:.2f} in the end: {verdict}."
        )

    at = ".".join(place(look).split(".")[:2]) if place(look).startswith("blocks.") else None
    question = RandomisedQuestion(run=look.run.id, step=look.step, picture=picture.text, method=method, at=at)  # type: ignore[arg-type]
    draw_answer(question, draw, doing="forgetting", on_stop=lambda: st.session_state.pop(_SANITY, None))


def along_depth(looks: Sequence[Look], picture: Chosen, dataset: DataSet) -> None:
    """Probabilities along depth for the picture, accuracy along depth for the test set."""
    left, right = st.columns(2, gap="medium")
    look = looks[0]

    def draw(read: DepthRead) -> None:
        figure = depth_figures.probabilities(
            read, dataset.labels, f"{look.run.name}, step {look.step:,}, {picture.name}"
        )
        live_chart(figure, key="depth", rev=f"{look.run.id}")
        st.caption(figure.caption)

    with left:
        draw_answer(
            DepthQuestion(run=look.run.id, step=look.step, picture=picture.text),
            draw,
            doing="reading after every block",
        )
    reads: list[tuple[str, str, DepthRead]] = []

    def keep(read: DepthRead, of: Look) -> None:
        reads.append((of.net.name, family_colour(of.net), read))

    if not dataset.test_images:
        return
    with right:
        for of in looks:
            question = DepthQuestion(run=of.run.id, step=of.step)
            draw_answer(question, lambda read, of=of: keep(read, of), doing=f"reading {of.net.name} after every block")  # type: ignore[misc]
        if len(reads) == len(looks):
            figure = depth_figures.accuracy(reads, f"Step {' and '.join(f'{look.step:,}' for look in looks)}")
            live_chart(figure, key="accuracy", rev="-".join(look.run.id for look in looks))
            st.caption(figure.caption)
