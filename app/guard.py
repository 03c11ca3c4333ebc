"""What stands before every request: the headers, a key for each browser, and a limit on the pages that are open."""

import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "resnet-explorer"
STREAM = "/_stcore/stream"  # each open page holds one WebSocket there
A_TERM = 180 * 86400  # seconds that a browser keeps its key
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
    # Streamlit's own pages need inline styles, eval and workers: what remains forbidden is every other host.
    "Content-Security-Policy": "frame-ancestors 'self'; object-src 'none'; base-uri 'self'; form-action 'self'",
}


class Guard:
    """ASGI middleware. `most_open`: pages open at once, 0: no limit. A page beyond that is told to come back."""

    open = 0  # pages, of the one server of this process
    turned_away = 0

    def __init__(self, app: ASGIApp, most_open: int) -> None:
        self.app, self.most_open = app, most_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or turn it away before it costs memory."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            await self._page(scope, receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    @property
    def _full(self) -> bool:
        return bool(self.most_open) and Guard.open >= self.most_open

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._full:
            Guard.turned_away += 1
            await receive()
            await send({"type": "websocket.close", "code": 1013})  # before it is accepted: status 403
            return
        Guard.open += 1
        try:
            await self.app(scope, receive, send)
        finally:
            Guard.open -= 1

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if self._full and wants_page:
            Guard.turned_away += 1
            said = f"All {self.most_open} places of this server are taken. Please try again in a few minutes."
            await PlainTextResponse(said, 503, {"Retry-After": "120", **HEADERS})(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/html") and not _has_key(scope):
                    headers.append("Set-Cookie", _new_key(scope))
            await send(message)

        await self.app(scope, receive, with_headers)


def key_in(cookies: Mapping[str, str]) -> str:
    """The browser's key, if it has one that we gave."""
    key = cookies.get(COOKIE, "")
    return key if re.fullmatch(r"[A-Za-z0-9_-]{43}", key) else ""


def _has_key(scope: Scope) -> bool:
    try:
        cookies = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        return False
    return bool(key_in({name: morsel.value for name, morsel in cookies.items()}))


def _new_key(scope: Scope) -> str:
    secure = "; Secure" if scope.get("scheme") == "https" else ""
    path = scope.get("root_path") or "/"
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Path={path}; Max-Age={A_TERM}; HttpOnly; SameSite=Lax{secure}"
