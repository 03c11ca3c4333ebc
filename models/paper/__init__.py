"""Nets on paper: costs, equations, programs, path lengths, receptive fields. No torch."""
