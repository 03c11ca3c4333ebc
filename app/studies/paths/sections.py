"""What takes a moment longer, each on its button: single paths, sub-networks; and what stochastic depth trains."""

from dataclasses import dataclass
from functools import partial

import streamlit as st

from app.base.prose import literal, prose
from app.figures import theme
from app.figures.numbers import rounded
from app.figures.theme import Figure
from app.studies.paths.figures import norms, shares, trained, veit
from app.studies.paths.results import PathGradients, SampledPaths, SubNetworks
from app.studies.paths.words import chosen_row, gradient_words, subnet_words, veit_table
from app.studies.subnetworks.figures import named, sub_networks
from app.ui.page.pending_answer import answered, ask, known
from app.ui.runs.subject import Look
from app.ui.widgets.live_chart import Click, live_chart
from app.ui.widgets.strip import StripNet, strip
from app.ui.widgets.unrolled import switch_off
from app.values.cut_spec import removable
from app.values.questions import DeepPathsQuestion, PathsQuestion, Question, SampledPathsQuestion, SubNetworksQuestion
from models.families import PLAIN
from models.paper.lengths import LONGEST, expected_depth
from models.spec import NetSpec

TREE = "tree"  # the key of the unrolled picture: strips and chart light up with it
QUICK = 12  # blocks behind the place: their gradient is split in two seconds, by itself; deeper ones on a button
EXHAUSTIVE = 12  # blocks that can be cut: so many are answered by all their sub-networks
_STUDY = "study"


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
        answered(question, draw, doing=doing)
    elif _pressed(question, "Split the gradient by length"):
        answered(question, draw, doing=doing, on_stop=partial(_forget, question))
    else:
        page = prose("paths")
        limit = f" {page['deep-limit'].format(longest=LONGEST)}" if place.blocks > LONGEST else ""
        st.markdown(page["deep"].format(blocks=place.blocks, limit=limit))
        figure = shares(place.look.net, place.blocks, height=330)
        live_chart(figure, key="counted", rev=place.look.run.id, lights=place.lights)
        st.caption(figure.caption)


def _draw_exact(place: Place, bet: str | None, exact: PathGradients) -> None:
    net = place.look.net
    found = ask(place.sampled).result if _begun(place.sampled) else None
    sampled = found if isinstance(found, SampledPaths) else None
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
    elif _pressed(place.sampled, "Draw single paths"):
        answered(
            place.sampled,
            partial(_draw_veit, place),
            doing="Following single paths",
            on_stop=partial(_forget, place.sampled),
        )


def _draw_veit(place: Place, sampled: SampledPaths) -> None:
    _chart(place.look, veit(place.look.net, sampled), "veit")
    st.markdown(veit_table(place.look.net, literal(place.look.run.name), sampled))


# ── sub-networks ──


def subnet_study(look: Look, off: frozenset[int]) -> None:
    """The errors of sub-networks; the one whose blocks are off is marked."""
    page, n = prose("paths"), len(removable(look.net))
    count = f"2^{{{n}}} = {2**n:,}" if n <= 20 else f"2^{{{n}}}"
    how = page["subnets-all" if n <= EXHAUSTIVE else "subnets-some"].format(count=f"${count.replace(',', '{,}')}$")
    st.markdown(page["subnets"])
    st.markdown(page["subnets-lead"].format(how=how))
    question = SubNetworksQuestion(run=look.run.id, step=look.step)
    if _pressed(question, "Try the sub-networks"):
        answered(
            question,
            partial(_draw_subnets, look, off),
            doing="Evaluating sub-networks",
            on_stop=partial(_forget, question),
        )


def _draw_subnets(look: Look, off: frozenset[int], result: SubNetworks) -> None:
    page = prose("paths")
    names = [named(row) for row in result.kept]

    def choose(click: Click) -> None:
        if click.customdata in names:
            kept = result.kept[names.index(click.customdata)]
            switch_off(i for i, on in enumerate(kept) if not on)

    place = chosen_row(result, off)
    marks = []
    if place is not None and off:
        marks = [
            theme.vertical(float(result.kept[place].sum())),
            theme.horizontal(round(float(result.errors[place]), 3)),
        ]
    left, right = st.columns([2.6, 1], gap="medium")
    with left:
        figure = sub_networks(look.net, result)
        live_chart(figure, key="sub-networks", rev=look.run.id, marks=marks, on_click=choose)
        st.caption(f"{figure.caption}; {literal(look.run.name)} at step {look.step:,}")
        one = StripNet(look.net, look.run.name, look.size)
        strip([one], key="sub-strip", cut=off, mode="cut", detail=False, on_cut=switch_off)
    with right:
        said = ["##### What you see", *subnet_words(result, off), page["subnets-click"]]
        st.markdown("\n\n".join(said))
        with st.expander(page["subnets-table"]):
            st.dataframe(_extremes(result, names), hide_index=True, alt=page["subnets-table"])


def _extremes(result: SubNetworks, names: list[str]) -> list[dict[str, object]]:
    """One row a size, the largest first."""
    best, worst = (rounded(result.errors[places], 2) for places in (result.best, result.worst))
    rows = [
        {"kept": int(size), "best keeps": names[b], "error %": low, "worst keeps": names[w], "error % ": high}
        for size, b, low, w, high in zip(result.sizes, result.best, best, result.worst, worst, strict=True)
    ]
    return rows[::-1]


# ── stochastic depth ──


HALF = 0.5  # as Huang 2016 trained


def depth_study(net: NetSpec) -> None:
    """The path lengths that training with p_l sees, for as many blocks as `net` has, or the paper's 54."""
    page = prose("paths")
    st.markdown(page["depth"])
    st.markdown(page["depth-lead"])
    left, right = st.columns([2.6, 1], gap="medium")
    with right:
        last = st.slider(
            "$p_L$: chance that the last block is there", 0.05, 1.0, HALF, 0.05, key="p", bind="query-params"
        )
    last = last if isinstance(last, float) else HALF  # a browser may send anything
    dropped = stochastic(net, last)
    with left:
        figure = trained(dropped)
        live_chart(figure, key="trained", rev=str(dropped.blocks))
        st.caption(figure.caption)
    with right:
        depth = expected_depth(dropped)
        st.markdown(
            page["depth-words"].format(
                last=last, expected=depth, blocks=dropped.blocks, mean=depth / 2, half=dropped.blocks / 2
            )
        )


def stochastic(net: NetSpec, last: float) -> NetSpec:
    """A net of stochastic depth with as many blocks as `net`; 54, as Huang 2016's, where that form has no such net."""
    depth = 2 * net.blocks + 2 if net.blocks % 3 == 0 else 110
    return NetSpec.parse(f"stochastic-{depth}:survival={last:g}")


# ── parts ──


def _chart(look: Look, figure: Figure, key: str, lights: str = "") -> None:
    live_chart(figure, key=key, rev=look.run.id, lights=lights)
    st.caption(f"{figure.caption}; {literal(look.run.name)} at step {look.step:,}")


# ── which studies were begun: their questions' keys in the address, so that a copied link shows their answers ──


def _pressed(question: Question, label: str) -> bool:
    """True once the button was pressed for just this question, or its answer is there; else draws the button."""
    if _begun(question) or known(question):
        return True
    begin = partial(_write, question, (question.key,))
    st.button(label, key=f"ask-{question.kind}", type="primary", icon=":material/play_arrow:", on_click=begin)
    return False


def _begun(question: Question) -> bool:
    return question.key in st.query_params.get_all(_STUDY)


def _forget(question: Question) -> None:
    _write(question, ())


def _write(question: Question, keys: tuple[str, ...]) -> None:
    """In place of the keys of this kind of question."""
    others = [key for key in st.query_params.get_all(_STUDY) if not key.startswith(f"{question.kind}-")]
    if wanted := [*others[:2], *keys]:
        st.query_params[_STUDY] = wanted
    elif _STUDY in st.query_params:
        del st.query_params[_STUDY]
