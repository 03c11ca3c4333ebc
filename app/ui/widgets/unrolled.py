"""A net unrolled into its paths: the first blocks as a tree, each leaf one path; blocks can be switched off.

Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*, figure 1 and equation 6.
A path is a choice of shortcut or branch at each block. In the unrolled equation every x₀ is the end of one path: the
branches that enclose it are the ones that it passes.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import streamlit as st

from app.base.prose import literal
from app.figures.numbers import branch
from app.ui.widgets.component import component
from app.ui.widgets.theme import FAMILY_COLOURS, family_colour
from models.families import PLAIN
from models.paper.equation import joined
from models.plan import plan
from models.spec import NetSpec

MOST = 6  # blocks drawn as a tree: 64 paths
_OFF = "off"
_LIST = re.compile(r"[0-9]{1,4}(,[0-9]{1,4}){0,599}")
_X, _F = "\0", "\1"  # where the shortcut and the branch stand in a block's equation

_component = component("unrolled", html="<div class='unrolled'></div>")


def unrolled(
    net: NetSpec,
    name: str,
    *,
    depth: int,
    off: frozenset[int],
    folded: bool,
    key: str,
    on_off: Callable[[frozenset[int]], None],
) -> None:
    """Draw the first `depth` blocks as a tree, beside it the lengths of its paths, below it the equation.

    `off`: blocks of the net that are switched off; a click on one calls `on_off` with the new set, before the page
    runs. `folded`: one equation a block, instead of all of them in one. Strips and charts drawn with this `key` as
    their `lights` light up with it, and it with them.
    """
    data = {
        "name": name,
        "colour": family_colour(net),
        "plainColour": FAMILY_COLOURS["plain"],
        "plain": net.family in PLAIN,
        "blocks": net.blocks,
        "labels": [branch(i) for i in range(depth)],
        "terms": terms(net, depth),
        "off": sorted(off),
        "folded": folded,
        "lights": key,
    }

    def clicked() -> None:
        wanted = dict(st.session_state.get(key) or {}).get("off")
        if isinstance(wanted, list):
            on_off(frozenset(i for i in wanted[: net.blocks] if isinstance(i, int) and 0 <= i < net.blocks))

    _component(key=key, data=data, on_off_change=clicked)


def terms(net: NetSpec, depth: int) -> list[list[Any]]:
    """The equation of each of the first `depth` blocks in pieces: signs as text; 0 is the shortcut's x, 1 the branch.

    A sum that is multiplied, or changes its shape (x′), is put into brackets.
    """
    written: list[list[Any]] = []
    is_sum = False  # of the block before
    for block in plan(net).blocks[:depth]:
        n = branch(block.index)[1:]
        text = joined(net, _X, _F, f"T{n}", f"p{n}")
        text = text.replace(" - ", " − ")
        prime = "′" if (block.reshapes or block.projection is not None) and net.family != "dense" else ""
        pieces: list[Any] = []
        for piece in filter(None, re.split(f"([{_X}{_F}])", text)):
            if piece != _X:
                pieces.append(1 if piece == _F else piece)
                continue
            bracket = is_sum and (bool(prime) or (bool(pieces) and str(pieces[-1]).endswith("· ")))
            pieces += ["(", 0, ")" + prime] if bracket else [0, prime] if prime else [0]
        written.append(pieces)
        is_sum = text.endswith((_X, _F))  # else σ, BN or the brackets of a dense block stand around it
    return written


# ── which blocks are off: `off=0,2` in the address ──


def blocks_off(net: NetSpec) -> frozenset[int]:
    """The blocks that the address switches off. What is no block of this net is left out, with a sentence."""
    text = st.query_params.get(_OFF, "")
    if not text:
        return frozenset()
    if not _LIST.fullmatch(text):
        st.warning(literal(f"The address's off={text[:20]} was left out: blocks are written 0,2."))
        return frozenset()
    named = {int(part) for part in text.split(",")}
    if strangers := sorted(named - set(range(net.blocks))):
        shown = ", ".join(map(str, strangers[:5]))
        st.warning(f"{net.name} has the blocks 0 to {net.blocks - 1}: {shown} was left out.")
    return frozenset(named) & frozenset(range(net.blocks))


def switch_off(blocks: Iterable[int]) -> None:
    """Write the blocks that are off into the address."""
    if wanted := ",".join(map(str, sorted(blocks))):
        st.query_params[_OFF] = wanted
    elif _OFF in st.query_params:
        del st.query_params[_OFF]
