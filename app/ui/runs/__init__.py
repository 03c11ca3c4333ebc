"""Choosing, starting, bringing and taking away runs."""
