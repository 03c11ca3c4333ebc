"""What the widgets share: the families' colours and the fonts."""

from app.figures.theme import FAMILY_COLOURS, family_colour

__all__ = ["FAMILY_COLOURS", "SANS", "SERIF", "family_colour"]

SERIF = '"Source Serif", Georgia, "Times New Roman", serif'
SANS = '"Source Sans", system-ui, sans-serif'
