"""A picture of a scene: its chart, which follows the runs as long as they change, and its caption."""

from typing import Any

from app.ui.live.scene import Picture
from app.ui.widgets.live_chart import live_chart
from app.ui.widgets.live_text import live_text


def picture(one: Picture, *, key: str, **options: Any) -> None:
    """Draw it. `options` are those of `live_chart`."""
    live_chart(one.chart, key=key, feed=one.feed, **options)
    live_text(one.caption, key=f"{key}-caption", kind="caption")
