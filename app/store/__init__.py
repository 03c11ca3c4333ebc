"""Runs, events, answers and weights on the disk."""
