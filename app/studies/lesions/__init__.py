"""Blocks removed: one by one, at random, reordered (Veit et al. 2016)."""
