"""What the widgets share: the families' colours, the fonts, and the browser code read once at import."""

from pathlib import Path

from app.figures.theme import FAMILY_COLOURS, family_colour

__all__ = ["FAMILY_COLOURS", "SANS", "SERIF", "family_colour", "frontend"]

SERIF = '"Source Serif", Georgia, "Times New Roman", serif'
SANS = '"Source Sans", system-ui, sans-serif'

_FRONTEND = Path(__file__).with_name("frontend")


def frontend(name: str) -> str:
    """The text of a file under `frontend/`: a component is given its code as text, not as a path."""
    return (_FRONTEND / name).read_text(encoding="utf-8")
