"""Nets as torch modules: what a plan says, built."""
