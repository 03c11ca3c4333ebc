"""How many networks are in a ResNet? The unrolled net, and which of its paths carry the gradient: exactly."""

import streamlit as st

from app.base.prose import literal, prose
from app.studies.paths.section import TREE, Place, exact_study, veit_study
from app.studies.paths.stochastic_depth import depth_study
from app.studies.paths.words import BETS, tree_words
from app.studies.subnetworks.section import subnet_study
from app.ui.page import address
from app.ui.page.sections import further_sections
from app.ui.runs.subject import moment_slider, subject
from app.ui.widgets.strip import StripNet, block_of, strip
from app.ui.widgets.unrolled import MOST, blocks_off, switch_off, unrolled
from models.families import PLAIN

page = prose("paths")
st.title(page["title"])
st.markdown(page["lead"])

with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    look = subject("reference-preact-20")
    wanted = st.segmented_control("Blocks unrolled", range(1, MOST + 1), default=3, key="n", bind="query-params")
    folded = st.toggle("One equation a block", key="fold", bind="query-params")
if look is None:
    st.stop()
net, name = look.net, look.run.name
off = blocks_off(net)
row = StripNet(net, name, look.size)

left, right = st.columns([3.6, 1], gap="medium")
with left:
    depth = min(wanted or 3, net.blocks)
    unrolled(net, net.name, depth=depth, off=off, folded=folded, key=TREE, on_off=switch_off)
    st.caption(page["strip-off"])
    strip([row], key="cut-strip", cut=off, mode="cut", detail=False, lights=TREE, on_cut=switch_off)
with right:
    bet = None
    if net.family not in PLAIN:
        st.markdown(page["predict"].format(blocks=net.blocks, half=net.blocks / 2))
        bet = st.radio(
            "Your prediction", BETS, index=None, key="bet", bind="query-params", label_visibility="collapsed"
        )
    st.markdown("\n\n".join(["##### What you see", *tree_words(net, literal(net.name), off)]))
    st.caption(f":violet-badge[paper] {page['source']}")

st.markdown(page["exact"])
st.markdown(page["exact-lead"])
st.latex(r"g_k \leftarrow S^\top g_k + B^\top g_{k-1}, \qquad \textstyle\sum_k g_k = \nabla")
kind = st.segmented_control(
    "Gradient at: the image, what leaves the stem, or the input of a block",
    ["image", "stem", "block"],
    default="stem",
    key="at",
    bind="query-params",
)
at = kind or "stem"
block = block_of(address.layer())
if at == "block":
    block = block if block is not None and block < net.blocks else net.blocks // 2
    at = f"block:{block}"
    st.caption(page["strip-at"])
    strip([row], key="strip", selected=at, detail=False, lights=TREE, on_select=address.go_to_layer)
place = Place(look, at)
exact_study(place, bet)
moment_slider(look)

veit_study(place)
subnet_study(look, off)
depth_study(net)

further_sections("paths", look)
