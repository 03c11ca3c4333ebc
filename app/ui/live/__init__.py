"""Runs while they train."""
