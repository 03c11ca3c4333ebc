"""The files that leave the app as they found it share one server."""

from tests.support.engines import address

__all__ = ["address"]
