"""Who asks, where a proxy asks for others: their address, their protocol, the name that they asked for."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.base import logs
from app.base.addresses import counted_as

SPEAKS_FOR = ("forwarded", "x-forwarded-for", "x-real-ip")  # one of them: somebody else asks, through a proxy

log = logs.events(__name__)


class Forwarded:
    """Believes what proxies say that are trusted: uvicorn's own reading, and the name that was asked for.

    `trusted`: addresses and networks, with commas between, or `*`. uvicorn itself believes this machine.
    """

    def __init__(self, app: ASGIApp, trusted: str = "") -> None:
        self.app = app
        # It is typed with the protocol of asgiref, which means the same.
        self._first: ASGIApp = ProxyHeadersMiddleware(self._named, trusted or "127.0.0.1")  # type: ignore[arg-type, assignment]
        self._told: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the headers, then go on."""
        await self._first(scope, receive, send)

    async def _named(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            if through_a_trusted_proxy(scope):
                if host := Headers(scope=scope).get("x-forwarded-host", "").rpartition(",")[2].strip():
                    scope["headers"] = list(scope["headers"])
                    MutableHeaders(scope=scope)["host"] = host
            else:
                self._tell(scope)
        await self.app(scope, receive, send)

    def _tell(self, scope: Scope) -> None:
        """Once for each of a few: whoever serves should know that all who come this way count as one."""
        proxy = (scope.get("client") or ("", 0))[0]
        if proxy and proxy not in self._told and len(self._told) < 8 and "x-forwarded-for" in Headers(scope=scope):
            self._told.add(proxy)
            log.warning("a proxy that is not trusted", address=proxy, setting="trusted_proxies")


def through_a_trusted_proxy(scope: Scope) -> bool:
    """True where uvicorn has put the address that a proxy named in place of the proxy's own: it knows no port of it."""
    client = scope.get("client") or ("", None)
    return client[1] == 0 and "x-forwarded-for" in Headers(scope=scope)


def address_of(scope: Scope) -> str:
    """By what whoever asks is counted; empty where there is no address."""
    return counted_as((scope.get("client") or ("", 0))[0])
