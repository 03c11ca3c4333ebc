"""Training: the loop, its step, and everything that runs a net forward."""

from app.moved import old_names

__getattr__ = old_names(__name__)
