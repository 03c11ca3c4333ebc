"""Fixtures that every test may ask for."""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium, page, serve

if TYPE_CHECKING:
    from tests.undisturbed import Weights

__all__ = ["chromium", "page", "serve"]


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory) -> "Weights":
    """What an undisturbed plain net and its twin end with."""
    from tests.undisturbed import undisturbed

    return undisturbed(2, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A page that is tested takes the place of `__main__`, and a worker started later would look for its script."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
