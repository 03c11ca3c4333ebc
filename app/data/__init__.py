"""Data sets: as tensors, from a zip, from one picture."""

from app.moved import old_names

__getattr__ = old_names(__name__)
