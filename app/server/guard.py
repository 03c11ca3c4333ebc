"""What stands before every request: the headers, a key for each browser, and a limit on the pages that are open."""

import hmac
import re
import secrets
import time
from collections.abc import Sequence
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import logs
from app.base.browser_key import COOKIE, key_in

log = logs.events(__name__)

STREAM = "/_stcore/stream"  # each open page holds one WebSocket there
A_TERM = 180 * 86400  # seconds that a browser keeps its key
SELF = "'self'"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
LOCAL_CLIENTS = ("127.0.0.1", "::1", "::ffff:127.0.0.1")  # the last: over IPv4, to a socket of IPv6
NEVER = {"Cache-Control": "no-store"}  # of answers that hold for one moment
PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip")  # one of them: somebody else asks, through a proxy


def headers(frame_ancestors: str = SELF) -> dict[str, str]:
    """What every answer says."""
    return {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
        # Streamlit's own pages need inline styles, eval and workers: what remains forbidden is every other host.
        "Content-Security-Policy": (
            f"frame-ancestors {frame_ancestors}; object-src 'none'; base-uri 'self'; form-action 'self'"
        ),
    }


class Guard:
    """ASGI middleware.

    `most_open`: pages open at once, 0: no limit; a page beyond that is told to come back. `frame_ancestors`: who may
    show a page inside their own, as the header says it. `hosts`: names that are answered to, none: any.
    """

    open = 0  # pages, of the one server of this process
    turned_away = 0

    def __init__(
        self, app: ASGIApp, most_open: int = 0, frame_ancestors: str = SELF, hosts: Sequence[str] = ()
    ) -> None:
        self.app, self.most_open, self.hosts = app, most_open, hosts
        self.headers = headers(frame_ancestors)
        self.framed = frame_ancestors not in (SELF, "'none'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or turn it away before it costs memory."""
        if scope["type"] == "websocket":
            if not host_is_known(Headers(scope=scope).get("host", ""), self.hosts):
                await _refuse(receive, send, 1008)
            elif scope["path"].endswith(STREAM):
                await self._page(scope, receive, send)
            else:
                await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @property
    def _full(self) -> bool:
        return bool(self.most_open) and Guard.open >= self.most_open

    @staticmethod
    def _turn_away() -> None:
        Guard.turned_away += 1
        log.warning("refused", request=secrets.token_hex(4), limit="max_sessions")

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._full:
            self._turn_away()
            await _refuse(receive, send, 1013)
            return
        Guard.open += 1
        request, began = secrets.token_hex(4), time.monotonic()
        log.info("page opened", request=request, open=Guard.open)
        try:
            await self.app(scope, receive, send)
        finally:
            Guard.open -= 1
            log.info("page closed", request=request, open=Guard.open, seconds=round(time.monotonic() - began, 1))

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = Headers(scope=scope)
        answer: Response | None = None
        if not host_is_known(asked.get("host", ""), self.hosts):
            log.warning("refused", request=secrets.token_hex(4), limit="allowed_hosts")
            answer = PlainTextResponse("This server does not answer to that name.", 421, self.headers)
        elif self._full and "text/html" in asked.get("accept", ""):
            self._turn_away()
            said = f"All {self.most_open} places of this server are taken. Please try again in a few minutes."
            answer = PlainTextResponse(said, 503, {"Retry-After": "120", **self.headers})
        if answer is not None:
            await answer(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    answered.setdefault(name, value)
                if answered.get("content-type", "").startswith("text/html") and not _has_key(scope):
                    answered.append("Set-Cookie", _new_key(scope, self.framed))
                if self.framed:
                    message["headers"] = [_partitioned(name, value) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, with_headers)


def host_is_known(host: str, known: Sequence[str]) -> bool:
    """True for a Host header, its port aside, that is named, or this machine itself; for any where none is named."""
    name = re.sub(r":\d{1,5}$", "", host).strip("[]").rstrip(".").lower()
    return (
        not known
        or name in LOOPBACK
        or any(name.endswith(one[1:]) if one.startswith("*.") else name == one for one in map(str.lower, known))
    )


def may_measure(scope: Scope, key: str) -> bool:
    """True if /metrics is for this request: it bears the key or, where there is none, is of this machine itself."""
    asked = Headers(scope=scope)
    if key:
        given = asked.get("authorization", "").partition(" ")
        return given[0].lower() == "bearer" and hmac.compare_digest(given[2].strip().encode(), key.encode())
    client = scope.get("client") or ("", 0)
    return client[0] in LOCAL_CLIENTS and not any(name in asked for name in PROXIED)


def _partitioned(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A cookie for pages of other sites, Streamlit's for uploads too, kept apart for each: others browsers refuse."""
    rules = value.lower()
    if name.lower() == b"set-cookie" and b"samesite=none" in rules and b"secure" in rules:
        return name, value + b"; Partitioned"
    return name, value


async def _refuse(receive: Receive, send: Send, code: int) -> None:
    """Close a WebSocket before it is accepted: status 403."""
    await receive()
    await send({"type": "websocket.close", "code": code})


def _has_key(scope: Scope) -> bool:
    try:
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return False
    return bool(key_in({name: morsel.value for name, morsel in cookies.items()}))


def _new_key(scope: Scope, framed: bool) -> str:
    """A cookie; within a page of another site browsers take none but over HTTPS."""
    rules = "SameSite=Lax"
    if scope.get("scheme") == "https":
        rules = "SameSite=None; Secure" if framed else "SameSite=Lax; Secure"
    path = scope.get("root_path") or "/"
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Path={path}; Max-Age={A_TERM}; HttpOnly; {rules}"
