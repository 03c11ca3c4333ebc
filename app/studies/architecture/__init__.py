"""Nets on paper, and one taken apart."""
