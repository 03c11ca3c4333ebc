"""What stands before every request: known names, the headers, room for a page, a key for each browser."""

import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.middlewares import SELF, BrowserKeys, KnownHosts, PartitionedCookies, Room, SafeHeaders

LOCAL_CLIENTS = ("127.0.0.1", "::1", "::ffff:127.0.0.1")  # the last: over IPv4, to a socket of IPv6
NEVER = {"Cache-Control": "no-store"}  # of answers that hold for one moment
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")  # one of them: somebody else asks, through a proxy


class Guard:
    """All of them, in their order, as one ASGI middleware.

    `most_open`: pages open at once, 0: no limit. `frame_ancestors`: who may show a page inside their own, as the header
    says it. `hosts`: names that are answered to, none: any.
    """

    def __init__(
        self, app: ASGIApp, most_open: int = 0, frame_ancestors: str = SELF, hosts: Sequence[str] = ()
    ) -> None:
        framed = frame_ancestors not in (SELF, "'none'")
        keyed: ASGIApp = BrowserKeys(app, framed)
        roomy = Room(PartitionedCookies(keyed) if framed else keyed, most_open)
        self._first = SafeHeaders(KnownHosts(roomy, hosts), frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or turn it away before it costs memory."""
        await self._first(scope, receive, send)


def may_measure(scope: Scope, key: str) -> bool:
    """True if /metrics is for this request: it bears the key or, where there is none, is of this machine itself."""
    asked = Headers(scope=scope)
    if key:
        given = asked.get("authorization", "").partition(" ")
        return given[0].lower() == "bearer" and hmac.compare_digest(given[2].strip().encode(), key.encode())
    client = scope.get("client") or ("", 0)
    return client[0] in LOCAL_CLIENTS and not any(name in asked for name in PROXIED)
