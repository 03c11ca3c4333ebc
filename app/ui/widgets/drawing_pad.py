"""A picture drawn with the mouse, for data sets of white figures on black."""

import base64
import binascii

import streamlit as st

from app.data.pictures import PictureError
from app.ui.widgets.component import component

LONGEST = 200_000  # letters of a drawing; a full one has some ten thousand
_HEAD = "data:image/png;base64,"

_component = component("pad", html="<div class='pad'></div>")


def pad(key: str) -> bytes | None:
    """Draw the square; what is on it, as a PNG that nobody has looked at yet. None while it is empty.

    Raises PictureError, one sentence, where the browser sends anything but a drawing.
    """
    _component(key=key, on_drawing_change=lambda: None)
    return sent(dict(st.session_state.get(key) or {}).get("drawing"))


def sent(drawing: object) -> bytes | None:
    """The PNG in a `data:` address; None for an empty one."""
    if not drawing:
        return None
    if not isinstance(drawing, str) or len(drawing) > LONGEST or not drawing.startswith(_HEAD):
        raise PictureError("The drawing cannot be used: clear it and draw again.")
    try:
        return base64.b64decode(drawing.removeprefix(_HEAD), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError("The drawing cannot be used: clear it and draw again.") from error
