"""What takes a moment longer, each on its button: single paths, sub-networks; and what stochastic depth trains."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.base.prose import literal, prose
from app.figures.theme import Figure
from app.studies.paths.figures import norms, shares, veit
from app.studies.paths.questions import (
    DeepPathsQuestion,
    PathGradients,
    PathsQuestion,
    SampledPaths,
    SampledPathsQuestion,
)
from app.studies.paths.words import gradient_words, veit_table
from app.ui.page.pending_answer import ask, draw_answer
from app.ui.page.study_button import begun, begun_by_button, forget
from app.ui.runs.subject import Look
from app.ui.widgets.live_chart import live_chart
from models.families import PLAIN
from models.paper.lengths import LONGEST

TREE = "tree"  # the key of the unrolled picture: strips and chart light up with it
QUICK = 12  # blocks behind the place: their gradient is split in two seconds, by itself; deeper ones on a button


@dataclass(frozen=True)
class Place:
    """Where the gradient is taken: a run's net at a moment, at the image, the stem or a block's input."""

    look: Look
    at: str

    @property
    def blocks(self) -> int:
        """How many blocks are behind it."""
        kind, _, block = self.at.partition(":")
        return self.look.net.blocks - (int(block) if kind == "block" else 0)

    @property
    def exact(self) -> PathsQuestion:
        """The decomposition."""
        of = PathsQuestion if self.blocks <= QUICK or self.look.net.family in PLAIN else DeepPathsQuestion
        return of(run=self.look.run.id, step=self.look.step, at=self.at)

    @property
    def sampled(self) -> SampledPathsQuestion:
        """Single paths of the same gradient."""
        return SampledPathsQuestion(run=self.look.run.id, step=self.look.step, at=self.at)

    @property
    def lights(self) -> str:
        """The tree begins at the stem: what counts fewer blocks is about other paths."""
        return TREE if self.blocks == self.look.net.blocks else ""


def exact_study(place: Place, bet: str | None) -> None:
    """Shares and norms by length, and what they say."""
    question, draw, doing = place.exact, partial(_draw_exact, place, bet), "Splitting the gradient by length"
    if question.lane == "ask":
        draw_answer(question, draw, doing=doing)
    elif begun_by_button(question, "Split the gradient by length"):
        draw_answer(question, draw, doing=doing, on_stop=partial(forget, question))
    else:
        page = prose("paths")
        limit = f" {page['deep-limit'].format(longest=LONGEST)}" if place.blocks > LONGEST else ""
        st.markdown(page["deep"].format(blocks=place.blocks, limit=limit))
        figure = shares(place.look.net, place.blocks, height=330)
        live_chart(figure, key="counted", rev=place.look.run.id, lights=place.lights)
        st.caption(figure.caption)


def _draw_exact(place: Place, bet: str | None, exact: PathGradients) -> None:
    net = place.look.net
    answer = ask(place.sampled).result if begun(place.sampled) else None
    sampled = answer if isinstance(answer, SampledPaths) else None
    left, middle, right = st.columns([1.3, 1.3, 1], gap="medium")
    with left:
        _chart(place.look, shares(net, exact.blocks, exact, height=330), "shares", place.lights)
    with middle:
        _chart(place.look, norms(net, exact, sampled, height=330), "norms")
    with right:
        st.markdown("\n\n".join(["##### What you see", *gradient_words(net, exact, sampled, bet)]))


def veit_study(place: Place) -> None:
    """Single paths of each length, and the paper's figures beside ours."""
    page = prose("paths")
    st.markdown(page["veit"])
    st.markdown(page["veit-lead"])
    if place.look.net.family in PLAIN:
        st.caption("A plain net has a single path: there is nothing to sample.")
    elif begun_by_button(place.sampled, "Draw single paths"):
        draw_answer(
            place.sampled,
            partial(_draw_veit, place),
            doing="Following single paths",
            on_stop=partial(forget, place.sampled),
        )


def _draw_veit(place: Place, sampled: SampledPaths) -> None:
    _chart(place.look, veit(place.look.net, sampled), "veit")
    st.markdown(veit_table(place.look.net, literal(place.look.run.name), sampled))


def _chart(look: Look, figure: Figure, key: str, lights: str = "") -> None:
    live_chart(figure, key=key, rev=look.run.id, lights=lights)
    st.caption(f"{figure.caption}; {literal(look.run.name)} at step {look.step:,}")
