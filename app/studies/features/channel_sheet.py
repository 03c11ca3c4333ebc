"""Feature maps in the browser: one crisp sheet a part, a value and its receptive field under the pointer."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.figures.sheets import by_mean, signed
from app.figures.theme import DIVERGING, SEQUENTIAL
from app.studies.features.questions import FeatureMaps
from app.ui.widgets.component import component
from app.ui.widgets.feed import framed

_component = component("sheet", html="<div class='sheet'></div>")

NAMES = {"shortcut": "shortcut", "branch": "+ branch F", "sum": "= sum", "output": "output"}


def sheet(
    found: FeatureMaps,
    parts: Sequence[str],
    *,
    key: str,
    caption: str,
    shared: bool = False,
    selected: int | None = None,
    on_pick: Callable[[int], None] | None = None,
) -> None:
    """Draw the parts side by side, channels by their mean activation in the last of them.

    `caption` stands over the image. `on_pick` is given the channel that was clicked, before the page runs.
    """
    maps = np.stack([found.part(part) for part in parts]).astype("<f4")
    _, count, height, width = maps.shape
    two_sided = signed(maps)
    head: dict[str, Any] = {
        "at": found.at,
        "parts": [NAMES[part] if len(parts) > 1 else part for part in parts],
        "count": count,
        "height": height,
        "width": width,
        "order": by_mean(maps[-1]).tolist(),
        "shared": shared,
        "signed": two_sided,
        "scale": DIVERGING if two_sided else SEQUENTIAL,
        "image": {"channels": len(found.picture), "side": found.picture.shape[-1]},
        "field": {"side": found.field_side, "jump": found.field_jump, "start": found.field_start},
        "selected": selected,
        "caption": caption,
        "told": f"{count} channels of {height}×{width}, the most active first. "
        + ("Green above zero, purple below. " if two_sided else "Yellow is high, violet is zero. ")
        + "Point at a map for its numbers; click one to enlarge it.",
    }

    def picked() -> None:
        wanted = dict(st.session_state.get(key) or {}).get("pick")
        channel = wanted.get("channel") if isinstance(wanted, dict) else None
        if on_pick is not None and isinstance(channel, int) and 0 <= channel < count:
            on_pick(channel)

    body = maps.tobytes() + found.picture.astype(np.uint8).tobytes()
    _component(key=key, data=framed(head, body), on_pick_change=picked)
