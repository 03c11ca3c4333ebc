"""A picture of a scene: its chart, which follows the runs as long as they change, and its caption."""

from typing import Any

from app.ui.live.scene import Picture
from app.ui.widgets.live_chart import live_chart
from app.ui.widgets.live_text import live_text


def picture(shown: Picture, *, key: str, **options: Any) -> None:
    """Draw it. `options` are those of `live_chart`."""
    live_chart(shown.chart, key=key, feed=shown.feed, **options)
    live_text(shown.caption, key=f"{key}-caption", kind="caption")
