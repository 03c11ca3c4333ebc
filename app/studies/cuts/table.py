"""The cutting table: which blocks of a net are out, turned down or moved; under a hand, and as text in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from app.base.prose import literal, prose
from app.ui.page import address
from app.ui.runs.subject import Look
from app.ui.widgets.strip import StripNet, block_of, strip
from app.values.cut_spec import MAX_TEXT, WHOLE, CutSpec, changes_nothing, idle_part, removable
from models.plan import plan
from models.spec import first_reason

_CUT = "cut"  # the widget that holds the cut, and its parameter in the address
_DIAL = "dial"
_PAST = "_past_cuts"


@dataclass
class _Past:
    """The cut's text as last drawn, those before it, and those that were undone."""

    shown: str
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)


def cutting_table(look: Look) -> CutSpec:
    """Draw the net, the dial of the selected block and the cut as text; return the cut in force."""
    above = st.container()
    dial, written, buttons = st.columns([1.3, 1.3, 1.4], gap="medium", vertical_alignment="bottom")
    with written:
        page = prose("lesions")
        text = st.text_input(
            page["cut"],
            key=_CUT,
            bind="query-params",
            max_chars=MAX_TEXT,
            placeholder="none; or 3,7",
            help=page["cut-help"],
        )
    _remember(text)
    with above:
        cut = read(text, look)
        _strip(look, cut)
    with dial:
        _dial(look, cut)
    with buttons:
        _buttons(cut)
    return cut


def read(text: str, look: Look) -> CutSpec:
    """The cut that a text says; the whole net, and a sentence, where the text says none, or none of this net."""
    try:
        cut = CutSpec.parse(text)
        cut.check(look.net, look.size)
    except ValueError as error:
        st.warning(literal(f"The cut {text[:40]!r} was left out: {first_reason(error)}. You see the whole net."))
        return WHOLE
    if (idle := idle_part(text)) is not None:
        st.caption(literal(f"{changes_nothing(idle)}."))
    return cut


def go(cut: CutSpec) -> None:
    """Another cut. To be called before the page is drawn, that is from a callback."""
    st.session_state[_CUT] = str(cut)


def _strip(look: Look, cut: CutSpec) -> None:
    blocks = len(plan(look.net).blocks)
    removed = frozenset(cut.removed)

    def on_cut(wanted: frozenset[int]) -> None:
        changed = sorted(wanted ^ removed)
        kept = {block: scale for block, scale in cut.scales if block not in removed}
        go(CutSpec.of(removed=wanted, scales=kept, order=cut.sequence(blocks)))
        if changed:
            address.go_to_layer(f"block:{changed[-1]}")

    def on_order(order: tuple[int, ...]) -> None:
        if sorted(order) == list(range(blocks)):
            go(CutSpec.of(scales=dict(cut.scales), order=order))

    strip(
        [StripNet(look.net, look.net.name, look.size)],
        key="cutting",
        selected=address.layer(),
        cut=removed,
        turned={block: scale for block, scale in cut.scales if scale},
        order=cut.sequence(blocks) if cut.order else (),
        mode="cut",
        on_select=address.go_to_layer,
        on_cut=on_cut,
        on_order=on_order,
    )


def _dial(look: Look, cut: CutSpec) -> None:
    """How much the branch of the selected block counts: 0 is the block cut, 1 the block whole."""
    blocks = len(plan(look.net).blocks)
    block = block_of(address.layer())
    there = block is not None and block < blocks
    can_go = there and block in removable(look.net)
    scales = dict(cut.scales)

    def turn() -> None:
        if block is not None:
            go(CutSpec.of(scales=scales | {block: st.session_state[_DIAL]}, order=cut.sequence(blocks)))

    st.session_state[_DIAL] = float(scales.get(block, 1.0)) if block is not None and can_go else 1.0
    label = f"Branch of block {block}, times" if there else "Branch of the selected block, times"
    st.slider(label, 0.0, 1.0, step=0.05, key=_DIAL, on_change=turn, disabled=not can_go)


def _buttons(cut: CutSpec) -> None:
    past: _Past = st.session_state[_PAST]

    def step(out_of: list[str], into: list[str]) -> None:
        into.append(past.shown)
        past.shown = st.session_state[_CUT] = out_of.pop()

    with st.container(horizontal=True, gap="small"):
        for label, icon, texts, others in (
            ("Undo", "undo", past.before, past.after),
            ("Redo", "redo", past.after, past.before),
        ):
            st.button(
                label, icon=f":material/{icon}:", disabled=not texts, on_click=step, args=(texts, others), key=label
            )
        st.button("Put all back", disabled=cut == WHOLE, on_click=go, args=(WHOLE,))


def _remember(text: str) -> None:
    """Whatever changed the cut, a hand or an address: what was there before can be had again."""
    past: _Past = st.session_state.setdefault(_PAST, _Past(text))
    if text != past.shown:
        past.before.append(past.shown)
        past.after.clear()
        past.shown = text


def words(cut: CutSpec, blocks: int) -> str:
    """The cut of a net of so many blocks, for people: `without blocks 3 and 7, …`; empty for the whole net."""
    turned = [f"block {block} at {scale:g}" for block, scale in cut.scales if scale]
    gone = _and([str(block) for block in cut.removed]) if len(cut.removed) <= 8 else f"{len(cut.removed)} of {blocks}"
    parts = []
    if cut.removed:
        parts.append(f"without {'block' if len(cut.removed) == 1 else 'blocks'} {gone}")
    if turned:
        parts.append(f"with {_and(turned)}")
    if cut.order:
        parts.append(f"with {_and([str(block) for run in cut.order for block in run])} in this order")
    return ", ".join(parts)


def _and(parts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else ""
