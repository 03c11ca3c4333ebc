"""What does a residual network add to a plain one? Nets side by side, what they cost, and one taken apart."""

from functools import partial

import streamlit as st

from app.base.prose import prose
from app.studies.architecture.chosen_nets import FIGURE_3, choose, chosen_block, chosen_nets, which, written
from app.studies.architecture.figures import costs, layer_table, paper_table, shortcut_table, story_table
from app.ui.page import address
from app.ui.runs.downloads import show_code
from app.ui.widgets.diagram import Choice, diagram, short
from app.ui.widgets.live_chart import live_chart
from models.paper.costs import RELATIVES, residual
from models.plan import plan
from models.spec import NetSpec

page = prose("architecture")
st.title(page["title"])
st.markdown(page["lead"])
nets = chosen_nets()
for notice in address.notices():
    if not notice.startswith("The address's net="):  # said by the choice itself
        st.warning(notice)

left, right = st.columns([3, 2], gap="medium")
with right:
    figure = costs(nets)
    live_chart(figure, key="costs", rev="-".join(map(str, nets)))
    st.caption(figure.caption)
    if {net.name for net in nets} & set(FIGURE_3):
        st.caption(f":violet-badge[paper] {page['figure']}")
    of = which(nets)
    net = nets[of]
    block = chosen_block(net)
    st.markdown(page["apart"].format(net=net.name))
    written(net, block)
with left:
    diagram(
        nets, key="diagram", chosen=Choice(of, address.layer() or f"block:{block}"), on_choose=partial(choose, nets)
    )


def sees(net: NetSpec) -> str:
    """From which layer on the receptive field covers the image."""
    size = net.image_size
    layer = next((row["name"] for row in layer_table(net) if row["sees (px)"] >= size), None)
    passage = page["sees-all"] if layer and not layer.startswith("head.") else page["sees-part"]
    return passage.format(layer=f"`{layer}`", size=size)


laid = plan(net)
st.markdown(f"{page['table']}: {net.name}")
st.markdown(
    f"**{laid.depth}** layers in a row · **{laid.params:,}** parameters · **{laid.macs:,}** multiply-adds "
    f"({short(laid.macs)})"
)
st.dataframe(
    layer_table(net),
    hide_index=True,
    height=420,
    column_config={
        "parameters": st.column_config.NumberColumn(format="localized"),
        "multiply-adds": st.column_config.NumberColumn(format="localized"),
    },
    alt=f"Every weighted layer of {net.name} with its shapes, parameters, multiply-adds and receptive field",
)
st.caption(f":green-badge[measured] {page['table-caption'].format(whole=sees(net))}")

with st.expander(f"Read the code: {net.name} as one PyTorch program", icon=":material/code:"):
    show_code(net)

one, other = st.columns([2, 3], gap="medium")
with one:
    st.markdown(page["shortcuts"])
    rows = shortcut_table(net)
    if rows:
        st.markdown(page["shortcuts-lead"])
        percent = st.column_config.NumberColumn(format="%.2f")
        whole = st.column_config.NumberColumn(format="localized")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={"+ parameters": whole, "+ multiply-adds": whole, "in %": percent, "in % ": percent},
            alt=f"What shortcut options A, B and C add to {net.name}",
        )
        own = residual(net)
        twin = own.plain_twin() if own else None
        more = page["shortcuts-more"] if net.family in ("se", "highway") or net.gate != "none" else ""
        said = (
            page["shortcuts-twin"].format(layers=plan(twin).depth, twin=twin.name, more=more)
            if twin
            else page["shortcuts-alone"].format(net=net.name)
        )
        st.caption(f":green-badge[measured] {said}")
    else:
        st.markdown(page["shortcuts-none"].format(net=net.name, why=page[f"none-{net.family}"]))
    st.caption(f":violet-badge[paper] {page['shortcuts-paper']}")
    st.markdown(page["story"])
    sources = ", ".join(f"{one.title} ({one.source})" for one in RELATIVES)
    giga, mega = (st.column_config.NumberColumn(format=f"%.2f {unit}") for unit in "GM")
    st.dataframe(
        story_table(nets),
        hide_index=True,
        column_config={"multiply-adds": giga, "parameters": mega},
        alt="The chosen nets among AlexNet, GoogLeNet, Inception-v3 and ResNeXt-50, the cheapest first",
    )
    st.caption(f":green-badge[measured] {page['story-caption'].format(sources=sources)}")
with other:
    st.markdown(page["paper"])
    st.dataframe(
        paper_table(), hide_index=True, height="content", alt="Numbers that the papers print beside our counts"
    )
    st.caption(f":violet-badge[paper] :green-badge[measured] {page['paper-caption']}")
