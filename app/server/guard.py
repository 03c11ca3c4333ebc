"""What stands before every request: who asks, known names, own pages, headers, room for a page, a browser's key."""

import hmac
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.middlewares import SELF, BrowserKeys, PartitionedCookies, Room, SafeHeaders
from app.server.origins import KnownHosts, OwnPages
from app.server.proxies import SPEAKS_FOR, Forwarded

LOCAL_CLIENTS = ("127.0.0.1", "::1", "::ffff:127.0.0.1")  # the last: over IPv4, to a socket of IPv6
NEVER = {"Cache-Control": "no-store"}  # of answers that hold for one moment


class Guard:
    """All of them, in their order, as one ASGI middleware.

    `most_open`: pages open at once, 0: no limit. `frame_ancestors`: who may show a page inside their own, as the header
    says it. `hosts`: names that are answered to, none: any, or with `own_alone` this machine's own. `trusted_proxies`:
    whose word is taken for who asks.
    """

    def __init__(
        self,
        app: ASGIApp,
        most_open: int = 0,
        frame_ancestors: str = SELF,
        hosts: Sequence[str] = (),
        own_alone: bool = False,
        trusted_proxies: str = "",
    ) -> None:
        framed = frame_ancestors not in (SELF, "'none'")
        keyed: ASGIApp = BrowserKeys(app, framed)
        roomy = Room(PartitionedCookies(keyed) if framed else keyed, most_open)
        named = KnownHosts(OwnPages(roomy), hosts, own_alone)
        self._first = Forwarded(SafeHeaders(named, frame_ancestors), trusted_proxies)

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
    return client[0] in LOCAL_CLIENTS and not any(name in asked for name in SPEAKS_FOR)
