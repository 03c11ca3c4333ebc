"""The path lengths that stochastic depth trains (Huang et al. 2016), beside those that a net has."""

import streamlit as st

from app.base.prose import prose
from app.studies.paths.figures import trained
from app.ui.widgets.live_chart import live_chart
from models.paper.lengths import expected_depth
from models.spec import NetSpec

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
