"""Feature maps on the page: the sheets of one net or two, and one channel enlarged with what excites it."""

from typing import Any

import streamlit as st

from app.base.prose import literal, prose
from app.figures.sheets import as_picture as colours
from app.figures.sheets import coloured, enlarged, signed, top_of, windowed
from app.studies.features.channel_sheet import sheet
from app.studies.features.chosen_picture import Chosen
from app.studies.features.questions import (
    Excitement,
    ExcitementQuestion,
    FeatureMaps,
    FeaturesQuestion,
    Maximised,
    MaximisedQuestion,
    Pictures,
    PicturesQuestion,
)
from app.ui.page import address
from app.ui.page.pending_answer import draw_answer
from app.ui.runs.subject import Look
from app.ui.widgets.strip import block_of
from app.values.datasets import DataSet
from models.paper.receptive import fields
from models.plan import plan

SHOWN = 6  # exciting pictures
_CHANNEL = "channel"
_ASCENT = "ascent"


def place(look: Look) -> str:
    """The module that the strip's selection means in this net; another net's layer: the block, as far as it goes."""
    wanted = address.layer()
    known = fields(look.net, look.size)
    if wanted in known:
        return str(wanted)
    block = block_of(wanted)
    return f"blocks.{min(block or 0, len(plan(look.net).blocks) - 1)}"


def channel(count: int) -> int | None:
    """The channel of the address, where the place has it."""
    text = str(st.query_params.get(_CHANNEL, ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and int(text) < count else None


def _choose(wanted: int) -> None:
    st.query_params[_CHANNEL] = str(wanted)


def maps(look: Look, picture: Chosen, dataset: DataSet, *, beside: bool = False) -> None:
    """The sheets of one net. `beside`: it stands below another, and picks no channel."""
    at = place(look)
    question = FeaturesQuestion(run=look.run.id, step=look.step, picture=picture.text, at=at)

    def draw(found: FeatureMaps) -> None:
        parts = [part for part in found.parts if part != "output"] or ["output"]
        if len(parts) > 1 and st.session_state.get("part") == "output":
            parts = ["output"]
        best = int(found.probabilities.argmax())
        sure = f"{100 * float(found.probabilities[best]):.0f}%"
        st.markdown(f"**{literal(look.run.name)}** · `{at}` says **{literal(dataset.labels[best])}** ({sure})")
        sheet(
            found,
            parts,
            key=f"sheet-{'beside' if beside else 'own'}",
            caption=picture.name,
            shared=st.session_state.get("scale") == "shared",
            selected=None if beside else channel(found.maps.shape[1]),
            on_pick=None if beside else _choose,
        )
        st.caption(
            f":green-badge[measured] {literal(look.run.name)}, step {look.step:,}, evaluation mode. {added(found)}"
        )
        if not beside:
            _one(look, found, dataset)

    draw_answer(question, draw, doing=f"computing {at}")


def added(maps: FeatureMaps) -> str:
    """How much the branch adds to what the shortcut passes on, in words; empty for a layer."""
    if "branch" not in maps.parts:
        return ""
    shortcut, branch = (float((maps.part(name) ** 2).sum() ** 0.5) for name in ("shortcut", "branch"))
    if not shortcut:
        return "There is no shortcut: all that goes on is the branch."
    return f"What the branch adds is {100 * branch / shortcut:.0f}% as large as what the shortcut passes on (L2 norms)."


def _one(look: Look, found: FeatureMaps, dataset: DataSet) -> None:
    """One channel: its map enlarged, and the test images that excite it most."""
    page = prose("features")
    count = found.maps.shape[1]
    chosen = channel(count)
    if chosen is None:
        st.caption(page["choose-channel" if dataset.test_images else "choose-channel-only"])
        return
    own = found.part("output")[chosen]
    left, right = st.columns([1, 3.2], gap="medium")
    with left:
        st.markdown(f"**Channel {chosen}** of `{found.at}`")
        st.image(enlarged(coloured(own, top_of(own), signed(own)), 220), alt=f"The map of channel {chosen}, enlarged")
        st.caption(f"{float(own.min()):.3g} to {float(own.max()):.3g}, mean {float(own.mean()):.3g}")
    if dataset.test_images:
        with right:
            st.markdown(page["exciting"])
            asked: dict[str, Any] = {"run": look.run.id, "step": look.step}
            draw_answer(
                ExcitementQuestion(**asked, at=found.at),
                lambda most: _exciting(asked, most, chosen, dataset),
                doing="looking through the test images",
            )
    _ascent(look, found.at, chosen)


def _exciting(asked: dict[str, Any], most: Excitement, chosen: int, dataset: DataSet) -> None:
    places = tuple(int(place) for place in most.places[chosen][:SHOWN])

    def draw(pictures: Pictures) -> None:
        rows = zip(pictures.pixels, most.windows[chosen], most.values[chosen], pictures.labels, strict=False)
        drawn = [
            (windowed(picture, window), f"{dataset.labels[int(label)]}, {value:.3g}")
            for picture, window, value, label in rows
        ]
        with st.container(horizontal=True):
            for picture, words in drawn:
                st.image(picture, words, alt=f"{words}: the patch that excites channel {chosen} is framed")
        st.caption(
            f":green-badge[measured] of the first {most.images:,} test images; framed: the pixels that the largest "
            "number of the map can depend on"
        )

    draw_answer(PicturesQuestion(**asked, pictures=places), draw, doing="fetching pictures")


def _ascent(look: Look, at: str, chosen: int) -> None:
    """What the channel looks for, once somebody asks."""
    asked = f"{look.run.id} {look.step} {at} {chosen}"
    if st.session_state.get(_ASCENT) != asked:
        if st.button(prose("features")["ascend"], icon=":material/landscape:"):
            st.session_state[_ASCENT] = asked
            st.rerun()
        return

    def draw(found: Maximised) -> None:
        st.image(enlarged(colours(found.picture), 220), alt=f"A picture made to excite channel {chosen}")
        st.caption(
            f":blue-badge[simulated] gradient ascent, {len(found.values)} steps: the mean of the map before σ rose "
            f"from {float(found.values[0]):.3g} to {float(found.values[-1]):.3g}"
        )

    question = MaximisedQuestion(run=look.run.id, step=look.step, at=at, channel=chosen)
    draw_answer(question, draw, doing="climbing", on_stop=lambda: st.session_state.pop(_ASCENT, None))
