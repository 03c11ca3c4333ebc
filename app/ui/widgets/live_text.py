"""A passage of HTML that the server writes, and goes on writing while runs train."""

from dataclasses import dataclass
from typing import Literal

from app.ui.widgets.component import component
from app.ui.widgets.feed import Feed, Part


@dataclass(frozen=True)
class Text:
    """A passage as HTML, and where it comes from while it changes."""

    html: str
    part: Part
    feed: Feed | None


_component = component("live_text", html="<div class='live-text'></div>", isolate_styles=False)


def live_text(text: Text, *, key: str, kind: Literal["text", "caption"] = "text") -> None:
    """Show `text`; while it has a feed, as it is now."""
    _component(key=key, data={"html": text.html, "kind": kind, "feed": text.feed.told() if text.feed else None})
