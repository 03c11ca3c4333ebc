"""The step slider: a moment of training, one control on every page.

None means the newest step: while a run trains, the slider follows it. The track is linear, but neighbouring moments
(0, 1, 10, 100, each epoch's end) are kept far enough apart to be hit with a finger.
"""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.ui.widgets.component import component
from app.ui.widgets.feed import Feed

_component = component("slider", html="<div class='step-slider'></div>")


def step_slider(
    step: int | None,
    *,
    newest: int,
    total: int,
    moments: Sequence[int] = (),
    epoch_steps: int = 0,
    key: str,
    snap: bool = False,
    live: bool = False,
    label: str = "step",
    feed: Feed | None = None,
    on_change: Callable[[int | None], None] | None = None,
) -> int | None:
    """Show `step` (None: follow the newest) of `newest` so far, of `total`, and return the step now wanted.

    `snap`: only kept `moments` can be chosen. `feed`: where the browser gets the `newest` from now on.
    `on_change` runs before the page does, so that a page which writes the step to the address reads the new one
    everywhere; without it, keep what is returned.
    """
    newest = max(newest, 0)
    kept = sorted({moment for moment in moments if 0 <= moment <= newest})
    shown = None if step is None else min(max(step, 0), newest)
    data = {
        "step": shown,
        "newest": newest,
        "total": max(total, newest, 1),
        "moments": kept,
        "epoch": max(epoch_steps, 0),
        "snap": snap and bool(kept),
        "live": live,
        "label": label,
        "feed": feed.told() if feed else None,
    }
    last = max(total, newest, 1) if feed else newest  # the browser knows of steps made since

    def changed() -> None:
        wanted = _step(dict(st.session_state.get(key) or {}).get("step"), last)
        if on_change is not None and wanted is not _NOTHING:
            on_change(wanted)

    result = _component(key=key, data=data, on_step_change=changed)
    wanted = _step(result.get("step"), last)
    return shown if wanted is _NOTHING else wanted


_NOTHING: Any = object()


def _step(value: Any, last: int) -> Any:
    """The step that the browser reported; `_NOTHING` where it reported none or nonsense."""
    if not isinstance(value, dict) or "at" not in value:
        return _NOTHING
    at = value["at"]
    if at is None:
        return None
    return min(max(at, 0), last) if isinstance(at, int) and not isinstance(at, bool) else _NOTHING
