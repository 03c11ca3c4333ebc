"""What stands before every request, as ASGI middlewares that each do one thing. `app.server.guard` composes them."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import logs
from app.base.browser_key import COOKIE, key_in
from app.base.streamlit_doors import STREAM

log = logs.events(__name__)

A_TERM = 180 * 86400  # seconds that a browser keeps its key
SELF = "'self'"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013  # RFC 6455, section 7.4, and its registry


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


class SafeHeaders:
    """Says on every answer what browsers may do with it. `frame_ancestors`: who may show a page inside their own."""

    def __init__(self, app: ASGIApp, frame_ancestors: str = SELF) -> None:
        self.app, self.headers = app, headers(frame_ancestors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add them to the beginning of an answer."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    answered.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


class KnownHosts:
    """Answers to the names that are known alone. `hosts`: besides this machine's own; none: to any."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = ()) -> None:
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn away what was sent to another name."""
        if scope["type"] == "lifespan" or host_is_known(Headers(scope=scope).get("host", ""), self.hosts):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse(receive, send, POLICY_VIOLATION)
        else:
            log.warning("refused", request=secrets.token_hex(4), limit="allowed_hosts")
            answer = PlainTextResponse("This server does not answer to that name.", 421)
            await answer(scope, receive, send)


@dataclass
class Pages:
    """How many pages are open at this server, and how many were turned away."""

    open: int = 0
    turned_away: int = 0


PAGES = Pages()  # of the one server of this process


class Room:
    """Turns pages away before they cost memory. `most_open`: pages open at once; 0: no limit."""

    def __init__(self, app: ASGIApp, most_open: int = 0) -> None:
        self.app, self.most_open = app, most_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page beyond the limit is told to come back; one within it counts while its socket is open."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            await self._stream(scope, receive, send)
        elif scope["type"] == "http" and self._full and "text/html" in Headers(scope=scope).get("accept", ""):
            self._turn_away()
            told = f"All {self.most_open} places of this server are taken. Please try again in a few minutes."
            await PlainTextResponse(told, 503, {"Retry-After": "120"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @property
    def _full(self) -> bool:
        return bool(self.most_open) and PAGES.open >= self.most_open

    @staticmethod
    def _turn_away() -> None:
        PAGES.turned_away += 1
        log.warning("refused", request=secrets.token_hex(4), limit="max_sessions")

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._full:
            self._turn_away()
            await refuse(receive, send, TRY_AGAIN_LATER)
            return
        PAGES.open += 1
        request, began = secrets.token_hex(4), time.monotonic()
        log.info("page opened", request=request, open=PAGES.open)
        try:
            await self.app(scope, receive, send)
        finally:
            PAGES.open -= 1
            log.info("page closed", request=request, open=PAGES.open, seconds=round(time.monotonic() - began, 1))


class BrowserKeys:
    """Gives a browser that has none its key, with the first page. `framed`: pages stand inside those of other sites."""

    def __init__(self, app: ASGIApp, framed: bool = False) -> None:
        self.app, self.framed = app, framed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the cookie to a page."""

        async def with_key(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered = MutableHeaders(scope=message)
                if answered.get("content-type", "").startswith("text/html") and not _has_key(scope):
                    answered.append("Set-Cookie", _new_key(scope, self.framed))
            await send(message)

        await self.app(scope, receive, with_key if scope["type"] == "http" else send)


class PartitionedCookies:
    """Keeps cookies for pages of other sites, Streamlit's for uploads too, apart for each: others browsers refuse."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Mark them so."""

        async def partitioned(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_partitioned(name, value) for name, value in message["headers"]]
            await send(message)

        await self.app(scope, receive, partitioned if scope["type"] == "http" else send)


def host_is_known(host: str, known: Sequence[str]) -> bool:
    """True for a Host header, its port aside, that is named, or this machine itself; for any where none is named."""
    name = re.sub(r":\d{1,5}$", "", host).strip("[]").rstrip(".").lower()
    return (
        not known
        or name in LOOPBACK
        or any(
            name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
            for pattern in map(str.lower, known)
        )
    )


async def refuse(receive: Receive, send: Send, code: int) -> None:
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


def _partitioned(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    rules = value.lower()
    if name.lower() == b"set-cookie" and b"samesite=none" in rules and b"secure" in rules:
        return name, value + b"; Partitioned"
    return name, value
