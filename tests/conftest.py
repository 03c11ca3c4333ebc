"""Fixtures that every test may ask for."""

from tests.browser import chromium, page, serve

__all__ = ["chromium", "page", "serve"]
