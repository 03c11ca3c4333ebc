"""What stands before every request, as ASGI middlewares that each do one thing. `app.server.guard` composes them."""

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base.browser_key import COOKIE, key_in
from app.streamlit_doors import NUMBERS

A_TERM = 180 * 86400  # seconds that a browser keeps its key
SELF = "'self'"


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


class Shut:
    """Answers to nobody at what Streamlit opens by itself and this server has no use for: as if it were not there.

    `key`: who bears it may ask for Streamlit's own numbers.
    """

    def __init__(self, app: ASGIApp, key: str = "") -> None:
        self.app, self.key = app, key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let it pass, unless it is one of them."""
        if scope["type"] == "http" and scope["path"].rstrip("/").endswith(NUMBERS) and not bears(scope, self.key):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


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


def bears(scope: Scope, key: str) -> bool:
    """True for a request with this bearer token; never where there is no key."""
    kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
    return bool(key) and kind.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), key.encode())


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
