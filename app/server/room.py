"""Room for pages: how many are open, of whom, and for how long a socket may say nothing."""

import asyncio
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import logs
from app.server.origins import refuse
from app.server.proxies import address_of
from app.streamlit_doors import STREAM

log = logs.events(__name__)

TRY_AGAIN_LATER = 1013  # the registry of RFC 6455, section 7.4
FIRST_MESSAGE_SECONDS = 20.0  # a page speaks at once; one that comes back, when its side bar is due: every 15 seconds
SILENT_FROM_ONE = 16  # sockets of one address that have said nothing yet; the oldest makes room


@dataclass
class Pages:
    """How many pages are open at this server, and how many were turned away."""

    open: int = 0
    turned_away: int = 0
    by_address: Counter[str] = field(default_factory=Counter)


PAGES = Pages()  # of the one server of this process


class Room:
    """Turns pages away before they cost memory. `most_open`, and `most_from_one` of an address; 0: no limit.

    A page is counted from its first message on: a socket that says nothing takes nobody's place, and is closed.
    """

    def __init__(self, app: ASGIApp, most_open: int = 0, most_from_one: int = 0) -> None:
        self.app, self.most_open, self.most_from_one = app, most_open, most_from_one
        self._silent: dict[str, list[asyncio.Timeout]] = defaultdict(list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A page beyond the limit is told to come back; one within it counts while its socket is open."""
        if scope["type"] == "websocket" and scope["path"].endswith(STREAM):
            await self._stream(scope, receive, send)
        elif scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", ""):
            if not (limit := self._full(address_of(scope))):
                await self.app(scope, receive, send)
                return
            self._turn_away(limit)
            places = f"All {self.most_open} places of this server are taken. Please try again in a few minutes."
            own = (
                f"{self.most_from_one} pages are open from your address, as many as it may have. Close one, and reload."
            )
            told = places if limit == "max_sessions" else own
            await PlainTextResponse(told, 503, {"Retry-After": "120"})(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _full(self, address: str) -> str:
        """The limit that has no room for one more page; empty: there is room."""
        if self.most_open and PAGES.open >= self.most_open:
            return "max_sessions"
        if self.most_from_one and address and PAGES.by_address[address] >= self.most_from_one:
            return "address_sessions"
        return ""

    @staticmethod
    def _turn_away(limit: str) -> None:
        PAGES.turned_away += 1
        log.warning("refused", request=secrets.token_hex(4), limit=limit)

    async def _stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = address_of(scope)
        if limit := self._full(address):
            self._turn_away(limit)
            await refuse(receive, send, TRY_AGAIN_LATER)
            return
        request, began, messages = secrets.token_hex(4), time.monotonic(), 0
        counted = False

        async def heard() -> Message:
            nonlocal messages, counted
            messages += 1
            if messages != 2:  # the first one only says that somebody connects
                return await receive()
            try:
                async with self._silence(address):
                    message = await receive()
            except TimeoutError:
                return await self._leave(send)
            if message["type"] == "websocket.receive":
                if limit := self._full(address):
                    self._turn_away(limit)
                    return await self._leave(send)
                counted = True
                PAGES.open += 1
                PAGES.by_address[address] += 1
                log.info("page opened", request=request, open=PAGES.open)
            return message

        try:
            await self.app(scope, heard, send)
        finally:
            if counted:
                PAGES.open -= 1
                PAGES.by_address[address] -= 1
                PAGES.by_address += Counter()  # forgets those that have none
                log.info("page closed", request=request, open=PAGES.open, seconds=round(time.monotonic() - began, 1))

    @asynccontextmanager
    async def _silence(self, address: str) -> AsyncIterator[None]:
        """Raises TimeoutError where nothing is said in time, or so many newer ones of an address are silent, too."""
        waiting = self._silent[address]
        try:
            async with asyncio.timeout(FIRST_MESSAGE_SECONDS) as wait:
                waiting.append(wait)
                if len(waiting) > SILENT_FROM_ONE:
                    waiting.pop(0).reschedule(asyncio.get_running_loop().time())
                yield
        finally:
            if wait in waiting:
                waiting.remove(wait)
            if not waiting and self._silent.get(address) is waiting:
                del self._silent[address]

    @staticmethod
    async def _leave(send: Send) -> Message:
        await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        return {"type": "websocket.disconnect", "code": TRY_AGAIN_LATER}
