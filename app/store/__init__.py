"""Runs, events, answers and weights on the disk."""

from app.moved import old_names

__getattr__ = old_names(__name__)
