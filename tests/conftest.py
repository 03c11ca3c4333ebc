"""Fixtures that every test may ask for."""

import sys
from collections.abc import Iterator

import pytest

from tests.browser import chromium, page, serve

__all__ = ["chromium", "page", "serve"]


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A page that is tested takes the place of `__main__`, and a worker started later would look for its script."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
