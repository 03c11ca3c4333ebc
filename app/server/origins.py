"""By which name the server is asked, and from whose page: what a browser can be led to do, it does not do here."""

import ipaddress
import re
import secrets
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import logs

LOOPBACK = ("localhost", "127.0.0.1", "::1")
READING = ("GET", "HEAD", "OPTIONS")
PORTS = {"http": 80, "https": 443}
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4

log = logs.events(__name__)


class KnownHosts:
    """Answers to the names that are known alone. `hosts`: besides this machine's own; none: to any.

    `own_alone`: none means that this machine's own names are all. A page whose name is made to lead here (DNS
    rebinding) is asked for under that name.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str] = (), own_alone: bool = False) -> None:
        self.app, self.hosts, self.own_alone = app, hosts, own_alone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn away what was sent to another name."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host", "")
        if (self.own_alone and is_of_this_machine(host)) or (
            host_is_known(host, self.hosts) and (self.hosts or not self.own_alone)
        ):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse(receive, send, POLICY_VIOLATION)
        else:
            log.warning("refused", request=secrets.token_hex(4), limit="allowed_hosts")
            told = "This server does not answer to that name. Whoever runs it can add it to the setting allowed_hosts."
            await PlainTextResponse(told, 421)(scope, receive, send)


class OwnPages:
    """Takes nothing from a page of another origin, and lets it read nothing; what comes from no page may pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn away what another page sends; take from the answer to what it reads the leave to look at it."""
        asked = Headers(scope=scope) if scope["type"] in ("http", "websocket") else None
        if asked is None or "origin" not in asked or is_own_origin(asked["origin"], asked.get("host", "")):
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await refuse(receive, send, POLICY_VIOLATION)
        elif scope["method"] not in READING:
            log.warning("refused", request=secrets.token_hex(4), limit="origin")
            await PlainTextResponse("This is taken from the server's own pages alone.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, _without_leave(send))


def _without_leave(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(b"access-control-")
            ]
        await send(message)

    return sent


def host_is_known(host: str, known: Sequence[str]) -> bool:
    """True for a Host header, its port aside, that is named, or this machine itself; for any where none is named."""
    name = _name(host)
    return (
        not known
        or name in LOOPBACK
        or any(
            name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
            for pattern in map(str.lower, known)
        )
    )


def is_of_this_machine(host: str) -> bool:
    """True for a Host header that only this machine can be asked by: nobody else's page can bear that name.

    An address is one: a page that was fetched from an address is this server's own.
    """
    name = _name(host)
    own = socket.gethostname().lower()
    if name in (*LOOPBACK, own, f"{own}.local") or name.endswith(".localhost"):
        return bool(name)
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def is_own_origin(origin: str, host: str) -> bool:
    """True for an Origin header of a page that was asked for at this Host header: name and port are the same."""
    try:
        page, here = urlsplit(origin), urlsplit(f"//{host}")
        usual = PORTS.get(page.scheme)
        return (
            usual is not None
            and bool(page.hostname)
            and page.hostname == here.hostname
            and (page.port or usual) == (here.port or usual)
        )
    except ValueError:  # a port that is none
        return False


async def refuse(receive: Receive, send: Send, code: int) -> None:
    """Close a WebSocket before it is accepted: status 403."""
    await receive()
    await send({"type": "websocket.close", "code": code})


def _name(host: str) -> str:
    """Of a Host header, without its port."""
    return re.sub(r":\d{1,5}$", "", host).strip("[]").rstrip(".").lower()
