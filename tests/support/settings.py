"""A running engine whose settings a test changes, in every part that holds them."""

from typing import Any

from app.base.settings import Settings
from app.engine.engine import Engine


def sets(engine: Engine, **values: Any) -> None:
    """Change settings; those that are not named are the defaults of their mode, the folders apart."""
    kept = {"store": engine.settings.store, "data": engine.settings.data}
    changed = Settings.model_validate(kept | values)
    engine.settings = engine.queue.settings = engine.housekeeper.settings = changed
    engine.runs._settings = engine.arrivals._settings = engine.questions._settings = changed
    engine.ownership.settings = engine.teachers_door.settings = changed
