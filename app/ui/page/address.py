"""The address: what a page shows, in the URL, so that a copied link shows the same in another browser.

The one place that reads and writes the shared query parameters. The controls keep their value from page to page:
Streamlit clears the query on a change of page, and the session remembers. Nonsense is dropped with a sentence.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from app.base.streamlit_doors import in_fragment
from app.ui.widgets.strip import selection
from app.values.datasets import known_name
from app.values.races import RACES
from app.values.run_spec import RECIPES, SEEDS, net_address
from models.spec import NetSpec

MOST = 5  # nets or runs at once
LONGEST = 120  # characters of one value
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_STATE = "_address"
_LATE = 2.0  # seconds within which a browser may still send the query from before our last write


@dataclass(frozen=True)
class Address:
    """The shared controls. None, or empty: not said, and the page decides. `step` None: follow the newest."""

    nets: tuple[NetSpec, ...] = ()
    data: str | None = None
    recipe: str | None = None
    width: int | None = None
    seed: int | None = None
    seeds: int | None = None
    runs: tuple[str, ...] = ()
    race: str | None = None
    step: int | None = None
    layer: str | None = None
    lecture: int | None = None  # 1: pictures only

    def query(self) -> dict[str, list[str]]:
        """As query parameters, nothing that is not said among them."""
        single = {name: getattr(self, name) for name in NAMES if name not in ("net", "run")}
        query = {"net": [net_address(net) for net in self.nets], "run": list(self.runs)}
        query |= {name: [str(value)] for name, value in single.items() if value is not None}
        return {name: values for name, values in query.items() if values}


NAMES = ("net", "data", "recipe", "width", "seed", "seeds", "run", "race", "step", "layer", "lecture")


@dataclass
class _Memory:
    """What the session knows: the address in force, the query last written and the one it replaced."""

    address: Address
    notices: list[str] = field(default_factory=list)
    written: dict[str, list[str]] = field(default_factory=dict)
    replaced: dict[str, list[str]] = field(default_factory=dict)
    at: float = 0.0
    page: str = ""


def read() -> Address:
    """The address in force. Never raises; what was dropped is in `notices()`.

    The query wins where a person changed it (a link, the back button, by hand); on another page the session wins.
    """
    query, page = _query(), _page()
    memory: _Memory | None = st.session_state.get(_STATE)
    if memory is None:
        address, notices = parse(query)
        st.session_state[_STATE] = _Memory(address, notices, query, query, 0.0, page)
        return address
    if query == memory.written:
        memory.page = page
    elif in_fragment():
        # Nobody goes elsewhere in a fragment: this browser has not heard yet of our last write, and is given more time.
        memory.at = time.monotonic()
    elif page != memory.page:
        # A change of page: what the link says, and for the rest what the session remembers.
        parsed, memory.notices = parse(query)
        memory.address = replace(
            memory.address, **{f.name: v for f in fields(parsed) if (v := getattr(parsed, f.name)) not in (None, ())}
        )
        memory.page = page
        _write(memory, query)
    elif query != memory.replaced or time.monotonic() - memory.at > _LATE:
        memory.address, memory.notices = parse(query)
        memory.written = memory.replaced = query
    return memory.address


def write(**changes: Any) -> Address:
    """Change fields of the address, in the session and in the URL; other query parameters stay. Causes no rerun."""
    current = read()
    memory: _Memory = st.session_state[_STATE]
    memory.address = replace(current, **changes)
    if memory.address != current:
        _write(memory, _query())
    return memory.address


def step() -> int | None:
    """The moment that is looked at; None: the newest."""
    return read().step


def layer() -> str | None:
    """The selected block or layer, as `app.ui.widgets.strip` writes it."""
    return read().layer


def go_to_step(wanted: int | None) -> None:
    """Look at another moment: what `step_slider` calls."""
    write(step=wanted)


def go_to_layer(wanted: str | None) -> None:
    """Select another block or layer: what `strip` calls."""
    write(layer=wanted)


def notices() -> list[str]:
    """One sentence for each value of the URL that was dropped."""
    memory: _Memory | None = st.session_state.get(_STATE)
    return list(memory.notices) if memory else []


def parse(query: Mapping[str, Sequence[str]]) -> tuple[Address, list[str]]:
    """The address that a query says, and one sentence for each value that was dropped. Never raises."""
    dropped: list[str] = []

    def one(name: str, check: Callable[[str], Any]) -> Any:
        values = several(name, check, 1)
        return values[0] if values else None

    def several(name: str, check: Callable[[str], Any], most: int = MOST) -> tuple[Any, ...]:
        kept: list[Any] = []
        texts = [text for text in query.get(name, ()) if text]
        for text in texts[: 4 * MOST]:
            try:
                if len(text) > LONGEST:
                    raise ValueError("it is too long")
                value = check(text)
            except (ValueError, KeyError, OverflowError) as error:
                reason = str(error).strip("'\"") if isinstance(error, ValueError) else "not known"
                dropped.append(f"The address's {name}={_shown(text)} was left out: {reason[:200]}.")
                continue
            if value not in kept:
                kept.append(value)
        if len(kept) > most:
            dropped.append(f"The address names {len(kept)} values of {name}: the first {most} are shown.")
        return tuple(kept[:most])

    address = Address(
        nets=several("net", NetSpec.parse),
        data=one("data", known_name),
        recipe=one("recipe", _recipe),
        width=one("width", _whole(512)),
        seed=one("seed", _whole(2**31 - 1)),
        seeds=one("seeds", _seeds),
        runs=several("run", _run),
        race=one("race", _race),
        step=one("step", _whole(10_000_000)),
        layer=one("layer", _layer),
        lecture=one("lecture", _yes),
    )
    return address, dropped


def _recipe(text: str) -> str:
    if text in RECIPES:
        return text
    raise ValueError(f"recipes are {', '.join(RECIPES)}")


def _race(text: str) -> str:
    if text in RACES:
        return text
    raise ValueError(f"races are {', '.join(RACES)}")


def _seeds(text: str) -> int:
    if text in map(str, SEEDS):
        return int(text)
    raise ValueError(f"seeds are {', '.join(map(str, SEEDS))}")


def _run(text: str) -> str:
    if _RUN.fullmatch(text):
        return text
    raise ValueError("that is not the name of a run")


def _layer(text: str) -> str:
    if selection(text):
        return text
    raise ValueError("a layer is written block:12 or blocks.12.branch.conv1")


def _yes(text: str) -> int:
    if text == "1":
        return 1
    raise ValueError("it is written lecture=1")


def _whole(most: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if re.fullmatch(r"[0-9]{1,10}", text) and int(text) <= most:
            return int(text)
        raise ValueError(f"a whole number from 0 to {most:,} is meant")

    return check


def _shown(text: str) -> str:
    """A value from outside, short and without what Markdown or HTML would read as its own."""
    return "".join(c if c.isalnum() or c in " .,:=+-" else "·" for c in text[:40]) + ("…" if len(text) > 40 else "")


def _query() -> dict[str, list[str]]:
    found = {name: st.query_params.get_all(name) for name in NAMES}
    return {name: list(values) for name, values in found.items() if values}


def _write(memory: _Memory, before: dict[str, list[str]]) -> None:
    query = memory.address.query()
    if query == before:
        memory.written = memory.replaced = query
        return
    for name in NAMES:
        if query.get(name) == before.get(name):
            continue
        try:
            if name in query:
                st.query_params[name] = query[name]
            elif name in st.query_params:
                del st.query_params[name]
        except StreamlitAPIException:
            continue  # a widget of this page is bound to it, and says itself what it is
    query = _query()
    memory.written, memory.replaced, memory.at = query, before, time.monotonic()


def _page() -> str:
    return st.context.url or ""
