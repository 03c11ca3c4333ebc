"""The three lesion studies over a run and its controls, and where a cut hurts."""

import html
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from app.base.prose import prose
from app.engine import process
from app.figures.theme import Figure, short_names
from app.studies.features.questions import PicturesQuestion
from app.studies.lesions.figures import decline, shuffle, single_bars
from app.studies.lesions.maps import class_map
from app.studies.lesions.prices import quarter_of, tenth_of
from app.studies.lesions.questions import (
    RandomLesionsQuestion,
    ReorderingsQuestion,
    SingleLesions,
    SingleLesionsQuestion,
)
from app.studies.lesions.words import (
    class_words,
    flip_words,
    random_words,
    reorder_words,
    single_verdicts,
    single_words,
)
from app.ui.page.pending_answer import answers_there, ask, draw_answer, is_answered
from app.ui.runs.subject import Look
from app.ui.widgets.image_grid import picture_row
from app.ui.widgets.live_chart import live_chart
from app.values.comparing import about_intervals
from app.values.cut_spec import interchangeable, removable
from app.values.datasets import find
from app.values.questions import Question
from models.plan import plan

IMAGES = 500
DRAWS = 10
POINTS = 9  # values of k, from 1 to all
QUICK_BLOCKS = 30  # up to so many, every block alone is a matter of seconds: asked without being told to
GALLERY = 12
STUDIES = ("one by one", "at random", "reordered")
_CHOSEN, _STOPPED = "study", "_stopped_studies"


def chosen_studies(look: Look) -> list[str]:
    """Draw the choice of studies. Each is begun by a press, or by an address that names it."""
    stopped = st.session_state.pop(_STOPPED, [])
    if stopped and _CHOSEN in st.session_state:
        st.session_state[_CHOSEN] = [study for study in st.session_state[_CHOSEN] if study not in stopped]
    default = [STUDIES[0]] if len(plan(look.net).blocks) <= QUICK_BLOCKS else []
    chosen = st.pills(
        prose("lesions")["studies-choose"],
        STUDIES,
        selection_mode="multi",
        default=default,
        key=_CHOSEN,
        bind="query-params",
    )
    return [study for study in STUDIES if study in chosen]


def studies(chosen: Sequence[str], looks: Sequence[Look]) -> None:
    """Draw those that were chosen; the first of `looks` is the run, the others stand beside it."""
    page = prose("lesions")
    for study in chosen:
        st.markdown(page[f"{study}-title"])
        figure, told = st.columns([1.25, 1], gap="medium")
        with figure:
            questions = {
                f"{study}: {name}": question
                for name, look in zip(_names(looks), looks, strict=True)
                if (question := _question(study, look)) is not None
            }
            results = answers_there(questions, on_stop=partial(_stop, study))
        there = [
            (look, results[text])
            for name, look in zip(_names(looks), looks, strict=True)
            if (text := f"{study}: {name}") in results
        ]
        with told:
            if there:
                st.markdown("\n\n".join(["##### What you see", *_told(study, there)]))
        with figure:
            if there:
                drawn = _FIGURES[study]([(look.run.spec, result) for look, result in there])
                live_chart(
                    drawn, key=f"study-{study.replace(' ', '-')}", rev="-".join(look.run.id for look, _ in there)
                )
                st.caption(drawn.caption + f" · {_steps([look for look, _ in there])}")
                st.caption(f"{about_intervals('the images')} {page['one-run']}")
            st.caption(f":violet-badge[paper] {page[f'{study}-paper']}")


def flipping_first(look: Look) -> tuple[int, ...]:
    """The test images that give way first, if the study of single blocks has been made; else simply the first."""
    alone = kept(STUDIES[0], look)
    return tuple(range(GALLERY)) if alone is None else tuple(alone.first_flipped[:GALLERY].tolist())


def kept(study: str, of: Look) -> Any:
    """The result of a study, if it has been made already; else None."""
    question = _question(study, of)
    return ask(question).result if question is not None and is_answered(question) else None


def where_it_hurts(look: Look) -> None:
    """Block × class, and the images that the single cuts flip first; once the study of single blocks is there."""
    answer = ask(SingleLesionsQuestion(run=look.run.id, step=look.step, images=IMAGES))
    if isinstance(answer.result, SingleLesions):
        _hurts(look, answer.result)
    else:
        st.caption(prose("lesions")["where-waits"])


def _hurts(look: Look, result: SingleLesions) -> None:
    dataset = find(look.run.spec.data, process.engine().settings.store)
    if dataset is None:
        return
    chart, gallery = st.columns([1.25, 1], gap="medium")
    with chart:
        figure = class_map(look.run.spec, result, dataset.labels)
        live_chart(figure, key="class-map", rev=look.run.id)
        st.caption(figure.caption)
    with gallery:
        st.markdown(f"{class_words(result, dataset.labels)} {flip_words(result)}")
        first = [int(place) for place in result.first_flipped[:GALLERY] if result.flips[place] > 0]
        if first:
            question = PicturesQuestion(run=look.run.id, step=look.step, pictures=tuple(first))
            draw_answer(question, partial(_gallery, result, first, dataset.labels), doing="Fetching the images")


def _gallery(result: SingleLesions, first: Sequence[int], labels: Sequence[str], pictures: Any) -> None:
    cuts = len(np.flatnonzero(np.isfinite(result.error)))
    picture_row(
        pictures.pixels,
        [f"test image {place}: {labels[label]}" for place, label in zip(first, pictures.labels, strict=True)],
        [
            f"<b>{html.escape(labels[label])}</b><div>flips in {result.flips[place]} of {cuts}</div>"
            for place, label in zip(first, pictures.labels, strict=True)
        ],
        marked=[False] * len(first),
    )


def _question(study: str, of: Look) -> Question | None:
    """None where the net has nothing to study so."""
    asked: dict[str, Any] = {"run": of.run.id, "step": of.step, "images": IMAGES}
    blocks = len(removable(of.net))
    if study == "one by one":
        return SingleLesionsQuestion(**asked)
    if study == "at random":
        return RandomLesionsQuestion(**asked, draws=DRAWS, k=values_of_k(blocks)) if blocks else None
    if not interchangeable(of.net):
        return None
    return ReorderingsQuestion(**asked, draws=DRAWS, k=values_of_k(len(plan(of.net).blocks)))


def values_of_k(blocks: int) -> tuple[int, ...]:
    """1, all, half, a quarter, a tenth, and some between them."""
    spread = np.linspace(1, blocks, min(POINTS, blocks)).round().astype(int).tolist()
    return tuple(sorted({*spread, max(1, blocks // 2), quarter_of(blocks), tenth_of(blocks)}))


def _told(study: str, there: Sequence[tuple[Look, Any]]) -> list[str]:
    """About each net, and the first against those that answered for the same images."""
    if not there:
        return []
    same = [(look, result) for look, result in there if look.run.spec.data == there[0][0].run.spec.data]
    others = [one for one in there if one not in same]
    names = _names([look for look, _ in same])
    nets, results = [look.net for look, _ in same], [result for _, result in same]
    if study == "at random":
        sentences = random_words(names, nets, results)
    elif study == "reordered":
        sentences = reorder_words(names, nets, results)
    else:
        sentences = [single_words(*one) for one in zip(names, nets, results, strict=True)]
        sentences += single_verdicts(names, nets, results)
    return [*sentences, *_told(study, others)]


_FIGURES: Mapping[str, Callable[[Any], Figure]] = dict(zip(STUDIES, (single_bars, decline, shuffle), strict=True))


def _names(looks: Sequence[Look]) -> list[str]:
    return short_names([look.run.spec for look in looks])


def _steps(looks: Sequence[Look]) -> str:
    return ", ".join(f"{name} at step {look.step:,}" for name, look in zip(_names(looks), looks, strict=True))


def _stop(study: str) -> None:
    """Ask no more: the choice is changed where the page begins, before it is drawn."""
    st.session_state[_STOPPED] = [*st.session_state.get(_STOPPED, []), study]
