"""Visitors come to an engine without workers."""

from tests.support.engines import engine

__all__ = ["engine"]
