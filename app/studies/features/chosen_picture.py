"""Which picture a page is about: one of the test set, one that the net gets wrong, or the student's own."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import streamlit as st

from app.base.prose import literal, prose
from app.data.pictures import Bytes, PictureError, fitted, to_text
from app.studies.features.questions import Confused, ConfusedQuestion, Pictures, PicturesQuestion
from app.ui.page.pending_answer import draw_answer
from app.ui.runs.subject import Look
from app.ui.widgets.drawing_pad import pad
from app.values.datasets import DataSet

OFFERED = 400  # test images, from which a class is chosen
ANY = "any class"
CAMERA = 420  # pixels wide
_FITTED = "_own_picture"


@dataclass(frozen=True)
class Chosen:
    """`text`: as a question carries it; `name`: for people, in plain text."""

    text: str
    name: str


def sources(dataset: DataSet) -> list[str]:
    """Where a picture may come from; one is drawn where pictures are white on black."""
    kept = ["test set", "most confused"] if dataset.test_images else []
    return [*kept, "upload", "camera", *(["draw"] if dataset.channels == 1 else [])]


def chosen_picture(look: Look, dataset: DataSet) -> Chosen | None:
    """Draw the choice. None while the pictures to choose from are still on their way, or there is none."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        offered = sources(dataset)
        source = st.segmented_control(
            "Picture", offered, default=offered[0], key="source", bind="query-params", required=True
        )
        if source == "test set":
            places = tuple(range(min(OFFERED, dataset.test_images)))
            question = PicturesQuestion(run=look.run.id, step=look.step, pictures=places)
            return _kept(question, lambda found: _of_class(found, dataset), "test images")
        if source == "most confused":
            errors = ConfusedQuestion(run=look.run.id, step=look.step)
            return _kept(errors, lambda found: _confused(found, dataset), "errors")
        photographed = dataset.channels == 1 and source != "draw"
        swapped = photographed and st.toggle(prose("features")["swap"], key="swap", bind="query-params")
    return own_picture(dataset, source, swapped) or (Chosen("test:0", "test image 0") if dataset.test_images else None)


def _kept(question: Any, choose: Any, what: str) -> Chosen | None:
    """What `choose` makes of the answer; None while there is none."""
    chosen: list[Chosen] = []
    draw_answer(question, lambda found: chosen.append(choose(found)), doing=f"fetching {what}")
    return chosen[0] if chosen else None


def _of_class(pictures: Pictures, dataset: DataSet) -> Chosen:
    wanted = st.selectbox("Class", [ANY, *dataset.labels], key="class", bind="query-params", width=170)
    own = np.arange(len(pictures.labels))
    if wanted in dataset.labels:
        own = np.flatnonzero(pictures.labels == dataset.labels.index(wanted))
    if not len(own):
        st.caption(f"None of the first {len(pictures.labels)} test images is of that class.")
        return Chosen("test:0", "test image 0")
    place = int(own[_nth(len(own))])
    return Chosen(f"test:{place}", f"test image {place}, {dataset.labels[int(pictures.labels[place])]}")


def _confused(confused: Confused, dataset: DataSet) -> Chosen:
    if not len(confused.places):
        st.caption(f"The net makes no error on the first {confused.images:,} test images.")
        return Chosen("test:0", "test image 0")
    nth = _nth(len(confused.places))
    place, true, predicted = (int(values[nth]) for values in (confused.places, confused.labels, confused.predicted))
    name = f"test image {place}, {dataset.labels[true]} taken for {dataset.labels[predicted]}"
    return Chosen(f"test:{place}", name)


def _nth(count: int) -> int:
    """A stepper through so many pictures, from 0."""
    wanted = st.number_input(f"Which, of {count}", 1, OFFERED, 1, key="nth", bind="query-params", width=150)
    return min(int(wanted), count) - 1


def own_picture(dataset: DataSet, source: str, swapped: bool) -> Chosen | None:
    """The student's picture as the net takes it; it is kept with the answers about it, and is not in the address.

    `source`: upload, camera or draw; `swapped`: black for white.
    """
    page = prose("features")
    try:
        file = _given(source)
        if file is None:
            st.caption(page["own" if dataset.test_images else "own-only"])
            return None
        picture: Bytes = _fitted(file, dataset.channels, dataset.size)
    except PictureError as error:
        st.error(literal(f"{error}{' A test image is shown meanwhile.' if dataset.test_images else ''}"))
        return None
    return Chosen(f"own:{to_text(255 - picture if swapped else picture)}", "your picture")


def _fitted(content: bytes, channels: int, size: int) -> Bytes:
    """Decoded once, however often the page is drawn: fifty million pixels take a second. The session alone has it."""
    asked = blake2b(content, digest_size=16).digest(), channels, size
    if (known := st.session_state.get(_FITTED)) is None or known[0] != asked:
        known = st.session_state[_FITTED] = asked, fitted(content, channels, size)
    picture: Bytes = known[1]
    return picture


def _given(source: str) -> bytes | None:
    """A file's bytes, from one of three places. Raises PictureError."""
    page = prose("features")
    if source == "draw":
        st.caption(page["draw"])
        return pad("pad")
    kinds = ["png", "jpg", "jpeg", "gif", "webp", "bmp", "tif", "tiff", "ppm"]
    file = (
        st.file_uploader(page["upload"], kinds) if source == "upload" else st.camera_input(page["camera"], width=CAMERA)
    )
    return file.getvalue() if file else None
