"""An engine whose workers never answer: what a page asks of a net is under way for ever, and costs nothing."""

from typing import Any

import pytest

from tests.support.opening import NoCluster


class Never:
    """A task that does not end."""

    status = "pending"

    def add_done_callback(self, _call: object) -> None:
        """It is not done."""

    def result(self, timeout: float) -> None:
        """Whoever waits for it has waited too long."""
        raise TimeoutError

    def cancel(self) -> None:
        """Nobody hears."""


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions may be put, and stay open."""

    def submit(*_: Any, **__: Any) -> Never:
        return Never()

    monkeypatch.setattr(NoCluster, "submit", submit, raising=False)
