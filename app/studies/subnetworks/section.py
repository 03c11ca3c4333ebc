"""Sub-networks on the page: begun by a button, every point one of them, the one whose blocks are off marked."""

from functools import partial

import streamlit as st

from app.base.prose import literal, prose
from app.figures import theme
from app.figures.numbers import rounded
from app.studies.subnetworks.figures import named, sub_networks
from app.studies.subnetworks.questions import SubNetworks, SubNetworksQuestion
from app.studies.subnetworks.words import chosen_row, subnet_words
from app.ui.page.pending_answer import draw_refined
from app.ui.page.study_button import begun_by_button, forget
from app.ui.runs.subject import Look
from app.ui.widgets.live_chart import Click, live_chart
from app.ui.widgets.strip import StripNet, strip
from app.ui.widgets.unrolled import switch_off
from app.values.comparing import about_intervals
from app.values.cut_spec import removable

ROUGH = 100  # images of the picture that is there first
EXHAUSTIVE = 12  # blocks that can be cut: so many are answered by all their sub-networks


def subnet_study(look: Look, off: frozenset[int]) -> None:
    """The errors of sub-networks; the one whose blocks are off is marked."""
    page, n = prose("paths"), len(removable(look.net))
    count = f"2^{{{n}}} = {2**n:,}" if n <= 20 else f"2^{{{n}}}"
    how = page["subnets-all" if n <= EXHAUSTIVE else "subnets-some"].format(count=f"${count.replace(',', '{,}')}$")
    st.markdown(page["subnets"])
    st.markdown(page["subnets-lead"].format(how=how))
    question = SubNetworksQuestion(run=look.run.id, step=look.step)
    if begun_by_button(question, "Try the sub-networks"):
        draw_refined(
            SubNetworksQuestion(run=look.run.id, step=look.step, images=ROUGH),
            question,
            partial(_draw_subnets, look, off),
            doing="Evaluating sub-networks",
            on_stop=partial(forget, question),
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
        strip_net = StripNet(look.net, look.run.name, look.size)
        strip([strip_net], key="sub-strip", cut=off, mode="cut", detail=False, on_cut=switch_off)
    with right:
        sentences = ["##### What you see", *subnet_words(result, off), page["subnets-click"]]
        st.markdown("\n\n".join(sentences))
        st.caption(f"{about_intervals('the images')} {page['subnets-one-run']}")
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
