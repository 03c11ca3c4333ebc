"""Pages are tested on an engine without workers."""

from tests.support.engines import answering, engine

__all__ = ["answering", "engine"]
