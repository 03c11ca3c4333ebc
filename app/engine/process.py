"""The engine of this process: started with the server, or by a command that trains; there is one at most."""

from collections.abc import Collection

from app.base.settings import Settings, load
from app.engine.cluster import LANES, Lane
from app.engine.engine import Engine

_engine: Engine | None = None


def start(settings: Settings | None = None, lanes: Collection[Lane] = LANES) -> Engine:
    """Start this process's engine, with workers of these kinds. Raises StoreError where the store cannot be used."""
    global _engine  # noqa: PLW0603  st.cache_resource would not do: any browser can clear it
    if _engine is None:
        _engine = Engine(settings or load(), lanes)
    return _engine


def engine() -> Engine:
    """This process's engine, started if it was not."""
    return _engine or start()


def stop() -> None:
    """Stop this process's engine, if it was started."""
    global _engine  # noqa: PLW0603
    if _engine is not None:
        _engine.stop()
        _engine = None
