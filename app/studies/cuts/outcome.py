"""What a cut does: errors, classes, confusion and single images, before and after.

While an answer is coming, the one before it stays, dimmed: a hand that cuts sees numbers move, never vanish.
"""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.base.prose import literal, prose
from app.data.pictures import from_text
from app.engine import process
from app.figures.theme import family_colour
from app.studies.cuts.figures import class_errors, confusions
from app.studies.cuts.over_images import difference, times, unpacked
from app.studies.cuts.questions import CutEvaluation, CutPicturesQuestion, CutProbabilities, CutQuestion
from app.studies.cuts.table import words
from app.studies.features.chosen_picture import Chosen, own_picture
from app.studies.features.questions import Pictures, PicturesQuestion
from app.ui.page.pending_answer import ask_all
from app.ui.runs.subject import Look
from app.ui.widgets.image_grid import picture_row
from app.ui.widgets.live_chart import live_chart
from app.ui.widgets.strip import without
from app.values.arrays import Floats
from app.values.comparing import comparison
from app.values.cut_spec import WHOLE, CutSpec
from app.values.datasets import DataSet, find
from models.plan import plan

IMAGES = 1000
SHOWN = 8  # pictures
MOST_SHOWN = 24
_LAST = "_last_cut"


class Outcome(NamedTuple):
    """One cut's answers, and what they are answers to."""

    look: Look
    cut: CutSpec
    own: Chosen | None  # the reader's picture, if there is one: the first
    places: tuple[int, ...]  # of the other pictures in the test set
    whole: CutEvaluation
    after: CutEvaluation
    probabilities: CutProbabilities
    pictures: Pictures


def outcome(look: Look, cut: CutSpec, first: Sequence[int]) -> None:
    """Draw what the cut does. `first`: the test images to show, unless others are chosen."""
    dataset = find(look.run.spec.data, process.engine().settings.store)
    if dataset is None:
        return
    asked: dict[str, Any] = {"run": look.run.id, "step": look.step}
    images = min(IMAGES, dataset.test_images or IMAGES)  # where there are none, the answer says so
    note = st.empty()
    figures = st.container(key="of-the-cut")
    gallery = st.container(key="pictures-of-the-cut")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted, own = chosen_places(dataset), _own(dataset)
    places = wanted or tuple(int(place) for place in first[: SHOWN - (own is not None)])
    named = (*([own.text] if own else []), *(f"test:{place}" for place in places))
    questions = (
        CutQuestion(**asked, images=images),
        CutQuestion(**asked, images=images, cut=cut),
        CutPicturesQuestion(**asked, pictures=named, cut=cut),
        PicturesQuestion(**asked, pictures=places),
    )
    answers = ask_all(*questions)
    there = not any(answer.pending for answer in answers)
    if trouble := next((answer.trouble for answer in answers if answer.trouble), ""):
        note.error(literal(trouble))
        return
    last: Outcome | None = st.session_state.get(_LAST)
    if there:
        results: list[Any] = [answer.result for answer in answers]
        last = st.session_state[_LAST] = Outcome(look, cut, own, places, *results)
    shown = last if last is not None and last.look.run.id == look.run.id else None
    st.html(f"<style>.st-key-of-the-cut, .st-key-pictures-of-the-cut {{ opacity: {1 if there else 0.5}; }}</style>")
    page = prose("lesions")
    if there and shown:
        note.markdown(sentence(shown))
    else:
        note.markdown(page["coming"] if shown else page["first"])
    if shown:
        with figures:
            _figures(shown, dataset)
        with gallery:
            _gallery(shown, dataset)


def chosen_places(dataset: DataSet) -> tuple[int, ...]:
    """The test images that the reader asks for by number; none: those that the page proposes."""
    page = prose("lesions")
    text = st.text_input(
        page["pictures"], key="pictures", bind="query-params", placeholder=page["pictures-default"], max_chars=200
    )
    places: list[int] = []
    wrong: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if part.isascii() and part.isdigit() and int(part) < dataset.test_images:
            places += [int(part)] if int(part) not in places else []
        else:
            wrong.append(part)
    if wrong or len(places) > MOST_SHOWN:
        said = f"{wrong[0][:30]!r} was left out: " if wrong else f"The first {MOST_SHOWN} are shown: "
        st.warning(literal(f"{said}test images are numbered from 0 to {dataset.test_images - 1:,}."))
    return tuple(places[:MOST_SHOWN])


def _own(dataset: DataSet) -> Chosen | None:
    """A picture of the reader's."""
    with st.popover(prose("lesions")["own"], icon=":material/add_a_photo:"):
        source = st.segmented_control(
            "Picture", ("upload", "camera"), default="upload", key="own-source", required=True
        )
        swapped = dataset.channels == 1 and st.toggle(prose("features")["swap"], key="own-swap")
        return own_picture(dataset, source, swapped)


def sentence(of: Outcome) -> str:
    """The cut, its price and how sure that is; where it is a block that changes shapes, what is left of it."""
    page, blocks = prose("lesions"), plan(of.look.net).blocks
    if of.cut == WHOLE:
        return page["uncut"].format(net=of.look.net.name, error=of.whole.error, images=of.whole.images)
    name, cut = of.look.net.name, words(of.cut, len(blocks))
    after, before = (unpacked(result.wrong, result.images) for result in (of.after, of.whole))
    said = page["cut-costs"].format(
        net=name,
        cut=cut,
        before=of.whole.error,
        after=of.after.error,
        images=of.after.images,
        times=times(of.after.loss, of.whole.loss),
    )
    nets = page["cut-net"].format(net=name, cut=cut), name
    said += " " + comparison(*nets, difference(after, before), "test error", over="images")
    changed = [block for block in of.cut.removed if blocks[block].reshapes or blocks[block].pooled > 1]
    for block in changed[:1]:
        said += " " + page["cut-reshapes"].format(block=block, without=without(of.look.net, blocks[block]))
    return said


def _figures(of: Outcome, dataset: DataSet) -> None:
    numbers, classes, confusion = st.columns([0.6, 1.5, 2.1], gap="medium")
    with numbers:
        st.html(_cards(of))
    with classes:
        figure = class_errors(of.whole, of.after, dataset.labels)
        live_chart(figure, key="class-errors", rev=of.look.run.id)
        st.caption(figure.caption)
    with confusion:
        figure = confusions(of.whole, of.after, dataset.labels)
        live_chart(figure, key="confusions", rev=of.look.run.id)
        st.caption(figure.caption)


def _gallery(of: Outcome, dataset: DataSet) -> None:
    own = [] if of.own is None else [_own_pixels(of.own, dataset)]
    numbers = [(place, int(label)) for place, label in zip(of.places, of.pictures.labels, strict=True)]
    heads = [(f"no. {place:,}", dataset.labels[label], label) for place, label in numbers]
    cards = [("yours", "your picture", -1)] * len(own) + heads
    shares = of.probabilities.probabilities
    picture_row(
        [*own, *of.pictures.pixels],
        [f"{where}: {what}" for where, what, _ in cards],
        [_below(head, shares[:, nth], dataset.labels) for nth, head in enumerate(cards)],
        marked=[bool(before.argmax() != after.argmax()) for before, after in zip(*shares, strict=True)],
    )
    st.caption(prose("lesions")["pictures-caption"].format(run=of.look.run.name, step=of.look.step))


def _own_pixels(own: Chosen, dataset: DataSet) -> NDArray[np.uint8]:
    return from_text(own.text.removeprefix("own:"), dataset.channels, dataset.size)


def _cards(of: Outcome) -> str:
    colour = family_colour(of.look.net)
    cards = (("whole net", of.whole, ""), ("cut net", of.after, f"{of.after.error - of.whole.error:+.1f} points"))
    drawn = [
        f"<div class='now'><span>{name}</span><b style='--family:{colour}'>{net.error:.1f}<small> % wrong</small></b>"
        f"<span>loss {net.loss:.2f}</span><span>{change}</span></div>"
        for name, net, change in cards
    ]
    return f"<div class='nows'>{''.join(drawn)}</div>"


def _below(head: tuple[str, str, int], shares: Floats, labels: Sequence[str]) -> str:
    """What the net, whole and cut, takes a picture for, as HTML. `head`: where it is from, its name, its label."""
    where, what, truth = head
    lines = [_guess(when, share, labels, truth) for when, share in zip(("whole", "cut"), shares, strict=True)]
    return f"<b>{html.escape(what)}</b> <span>{where}</span>" + "".join(lines)


def _guess(when: str, shares: Floats, labels: Sequence[str], truth: int) -> str:
    taken: Any = int(np.argmax(shares))
    percent = 100 * float(shares[taken])
    sign = "" if truth < 0 else "✓ " if taken == truth else "✗ "
    return (
        f"<div class='guess'><span>{when}</span><i style='--share:{percent:.0f}%'></i>"
        f"<span>{sign}{html.escape(labels[taken])} {percent:.0f} %</span></div>"
    )
