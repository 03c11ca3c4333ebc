"""A passage of HTML that the server writes, and goes on writing while runs train."""

from typing import Literal

from app.ui.live.scene import Text
from app.ui.widgets.component import component

_component = component("live_text", html="<div class='live-text'></div>", isolate_styles=False)


def live_text(text: Text, *, key: str, kind: Literal["text", "caption"] = "text") -> None:
    """Show `text`; while it has a feed, as it is now."""
    _component(key=key, data={"html": text.html, "kind": kind, "feed": text.feed.told() if text.feed else None})
