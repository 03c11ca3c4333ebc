"""Fixtures that every test may ask for."""

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import chromium, driver, page, phone, profiles, serve
from tests.support.engines import address, answering, engine

if TYPE_CHECKING:
    from tests.trials.undisturbed import Weights

__all__ = ["address", "answering", "chromium", "driver", "engine", "page", "phone", "profiles", "serve"]

# Whoever asks for one of these, or has a helper that does, bears the mark.
MARKS = {"browser": {"driver"}, "engine": {"engine", "answering", "serve", "address", "machines", "witness"}}
TRIALS = Path(__file__).parent / "trials"


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark what drives a browser or starts an engine by the fixtures that it uses, and trials by their folder."""
    for item in items:
        for mark, fixtures in MARKS.items():
            if fixtures.intersection(item.fixturenames):
                item.add_marker(mark)
        if TRIALS in item.path.parents:
            item.add_marker("slow")


@pytest.fixture(scope="session", autouse=True)
def packages_scanned_once() -> Iterator[None]:
    """AppTest reads the metadata of every installed package at each of its runs, in search of components: 0.3 s."""
    from app.base.streamlit_doors import component_scanner

    module, name = component_scanner()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, cache(getattr(module, name)))
        yield


@pytest.fixture(scope="session", autouse=True)
def store_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A test that forgets to say where its store is does not open the one that a server here may be using."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_EXPLORER_STORE", str(tmp_path_factory.mktemp("forgotten") / "store"))
        yield


@pytest.fixture(scope="session", autouse=True)
def nothing_answered_beforehand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What a test asks is measured there and then; a served app has the bundled answers, as everywhere."""
    from app.store import store
    from app.store.files.bundled_answers import BundledAnswers

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "BUNDLED", BundledAnswers(tmp_path_factory.mktemp("none") / "answers.zip"))
        yield


@pytest.fixture(scope="session")
def witness(tmp_path_factory: pytest.TempPathFactory) -> "Weights":
    """What an undisturbed plain net and its twin end with."""
    from tests.trials.undisturbed import undisturbed

    return undisturbed(2, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A page that is tested takes the place of `__main__`, and a worker started later would look for its script."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
