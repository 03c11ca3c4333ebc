"""Data sets: as tensors, from a zip, from one picture."""
