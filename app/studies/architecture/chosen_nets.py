"""A net taken apart: which nets, which block, and that block's equation."""

from collections.abc import Sequence

import streamlit as st

from app.base.prose import literal, prose
from app.ui.page import address
from app.ui.widgets.diagram import Choice
from app.ui.widgets.strip import block_of
from models.families import PLAIN
from models.names import PRESETS
from models.paper.equation import equation
from models.plan import plan
from models.spec import NetSpec, first_reason

FIGURE_3 = ("imagenet-vgg-19", "imagenet-plain-34", "imagenet-resnet-34")
MOST = 3
_OF = "of"


def chosen_nets() -> list[NetSpec]:
    """Draw the choice of nets; what is no net is said and left out. Never empty."""
    page = prose("architecture")
    texts = st.multiselect(
        "Nets",
        PRESETS,
        default=FIGURE_3,
        key="net",
        bind="query-params",
        max_selections=MOST,
        accept_new_options=True,
        help=page["nets"],
    )
    nets: list[NetSpec] = []
    for text in texts:
        try:
            net = NetSpec.parse(str(text)[: address.LONGEST])
        except ValueError as error:
            st.warning(literal(f"{first_reason(error)}. The other nets are kept."))
        else:
            nets += [net] if net not in nets else []
    if len(address.read().nets) > MOST:
        st.caption(page["many"])
    if not nets:
        st.info(page["empty"])
    return nets or [NetSpec.parse(name) for name in FIGURE_3]


def which(nets: Sequence[NetSpec]) -> int:
    """Draw the choice of the one net that is taken apart: the last with shortcuts, until another is chosen."""
    names = [str(net) for net in nets]
    default = max((i for i, net in enumerate(nets) if net.family not in PLAIN), default=len(nets) - 1)
    if st.session_state.get(_OF, names[0]) not in names:
        del st.session_state[_OF]
    if len(names) == 1:
        return 0
    name = st.pills(
        "Take apart",
        names,
        default=names[default],
        key=_OF,
        bind="query-params",
        required=True,
        wrap=True,
    )
    return names.index(name) if name in names else default


def choose(nets: Sequence[NetSpec], clicked: Choice) -> None:
    """A click in the diagram: that net, that block. Runs before the page does."""
    st.session_state[_OF] = str(nets[clicked.net])
    address.go_to_layer(clicked.at)


def chosen_block(net: NetSpec) -> int:
    """The block of the address, as far as this net has it; the first where none is chosen."""
    return min(block_of(address.layer()) or 0, len(plan(net).blocks) - 1)


def written(net: NetSpec, index: int) -> None:
    """Words, then the equation, then where it is from."""
    page = prose("architecture")
    written_out = equation(net, index)
    st.markdown(page[f"words-{written_out.kind}"])
    for line in written_out.lines:
        st.latex(line)
    st.caption(page["biases"].format(activation={"relu": "ReLU", "elu": "ELU", "selu": "SELU"}[net.activation]))
    st.caption(f":violet-badge[paper] {written_out.source}")
