"""What stands before every request: who asks, known names, own pages, headers, room for a page, a browser's key."""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.middlewares import SELF, BrowserKeys, PartitionedCookies, SafeHeaders, Shut, bears
from app.server.origins import KnownHosts, OwnPages
from app.server.proxies import SPEAKS_FOR, Forwarded
from app.server.room import Room
from app.server.uploads import Uploads

LOCAL_CLIENTS = ("127.0.0.1", "::1", "::ffff:127.0.0.1")  # the last: over IPv4, to a socket of IPv6
NEVER = {"Cache-Control": "no-store"}  # of answers that hold for one moment


class Guard:
    """All of them, in their order, as one ASGI middleware.

    `most_open`: pages open at once, 0: no limit. `frame_ancestors`: who may show a page inside their own, as the header
    says it. `hosts`: names that are answered to, none: any, or with `own_alone` this machine's own. `trusted_proxies`:
    whose word is taken for who asks. `most_from_one`: pages that one address may have open. `upload_mb`: the largest
    file, `uploads_mb`: all that are held; 0: no limit. `metrics_key`: for Streamlit's own numbers.
    """

    def __init__(
        self,
        app: ASGIApp,
        most_open: int = 0,
        frame_ancestors: str = SELF,
        hosts: Sequence[str] = (),
        own_alone: bool = False,
        trusted_proxies: str = "",
        most_from_one: int = 0,
        upload_mb: int = 0,
        uploads_mb: int = 0,
        metrics_key: str = "",
    ) -> None:
        framed = frame_ancestors not in (SELF, "'none'")
        keyed: ASGIApp = BrowserKeys(app, framed)
        sent = Uploads(PartitionedCookies(keyed) if framed else keyed, upload_mb, uploads_mb)
        roomy = Room(Shut(sent, metrics_key), most_open, most_from_one)
        named = KnownHosts(OwnPages(roomy), hosts, own_alone)
        self._first = Forwarded(SafeHeaders(named, frame_ancestors), trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or turn it away before it costs memory."""
        await self._first(scope, receive, send)


def may_measure(scope: Scope, key: str) -> bool:
    """True if /metrics is for this request: it bears the key or, where there is none, is of this machine itself."""
    if key:
        return bears(scope, key)
    asked = Headers(scope=scope)
    client = scope.get("client") or ("", 0)
    return client[0] in LOCAL_CLIENTS and not any(name in asked for name in SPEAKS_FOR)
