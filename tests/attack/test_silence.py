"""Sockets that say nothing, pages of one address, Streamlit's own numbers: what one client could take from all."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send

from app.server import room
from app.server.guard import Guard
from app.server.room import PAGES
from app.streamlit_doors import NUMBERS, STREAM


@pytest.fixture(autouse=True)
def nobody_here() -> Iterator[None]:
    """As a server begins; and as it is again, once all have gone."""
    assert (PAGES.open, PAGES.by_address.total()) == (0, 0)
    yield
    assert (PAGES.open, PAGES.by_address.total()) == (0, 0)
    PAGES.turned_away = 0


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """A page; a stream that is answered until it goes."""
    if scope["type"] == "http":
        await HTMLResponse("hello")(scope, receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "bytes": b"drawn"})


class Socket:
    """One that a client has opened: what it is sent, and what it says."""

    def __init__(self, guard: Guard, client: str) -> None:
        self.sent: list[str] = []
        self._says: asyncio.Queue[Message] = asyncio.Queue()
        self._says.put_nowait({"type": "websocket.connect"})
        scope = {"type": "websocket", "path": STREAM, "headers": [], "client": (client, 5)}
        self.task = asyncio.create_task(guard(scope, self._says.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message["type"].removeprefix("websocket."))

    async def speak(self) -> list[str]:
        """Say something; all that was sent until then."""
        self._says.put_nowait({"type": "websocket.receive", "bytes": b""})
        await asyncio.sleep(0.01)
        return self.sent

    async def leave(self) -> None:
        """Go, and wait until that is known."""
        self._says.put_nowait({"type": "websocket.disconnect"})
        await self.task


@asynccontextmanager
async def opened(guard: Guard, count: int, client: str = "192.0.2.1") -> AsyncIterator[list[Socket]]:
    """So many sockets that have said nothing yet."""
    sockets = [Socket(guard, client) for _ in range(count)]
    await asyncio.sleep(0.02)
    yield sockets
    for socket in sockets:
        await socket.leave()


async def page(guard: Guard, client: str = "192.0.2.1") -> tuple[int, str]:
    """Status and text of a page that a browser asks for."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"accept", b"text/html")]
    await guard(
        {"type": "http", "method": "GET", "path": "/", "headers": headers, "client": (client, 5)}, receive, send
    )
    return sent[0]["status"], sent[1]["body"].decode()


@pytest.mark.parametrize("newcomer", ["192.0.2.1", "198.51.100.7"], ids=["same address", "another"])
def test_sixty_silent_sockets_take_nobody_s_place(newcomer: str) -> None:
    async def tried() -> None:
        guard = Guard(site, 60)
        async with opened(guard, 60) as silent, opened(guard, 1, newcomer) as [other]:
            assert PAGES.open == 0
            assert (await page(guard, newcomer))[0] == 200
            assert await other.speak() == ["accept", "send"]
            there = [socket for socket in silent if "close" not in socket.sent]
            assert there == silent[-len(there) :], "the oldest have made room"
            assert len(there) <= room.SILENT_FROM_ONE

    asyncio.run(tried())


def test_a_socket_that_says_nothing_in_time_is_closed_and_one_that_spoke_may_be_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "FIRST_MESSAGE_SECONDS", 0.1)

    async def tried() -> None:
        async with opened(Guard(site), 2) as [spoke, silent]:
            assert await spoke.speak() == ["accept", "send"]
            await asyncio.wait_for(silent.task, 10)
            assert silent.sent == ["accept", "close"]
            assert await spoke.speak() == ["accept", "send", "send"]

    asyncio.run(tried())


def test_the_last_place_is_whose_who_speaks_first() -> None:
    async def tried() -> None:
        async with opened(Guard(site, 1), 2) as [first, second]:
            assert await second.speak() == ["accept", "send"]
            assert await first.speak() == ["accept", "close"]
            assert (PAGES.open, PAGES.turned_away) == (1, 1)

    asyncio.run(tried())


def test_one_address_has_so_many_places_and_others_have_the_rest() -> None:
    async def tried() -> None:
        guard = Guard(site, 60, most_from_one=2)
        async with opened(guard, 3) as mine, opened(guard, 1, "198.51.100.7") as [other]:
            said = [await socket.speak() for socket in mine]
            assert said == [["accept", "send"], ["accept", "send"], ["accept", "close"]]
            status, told = await page(guard)
            assert status == 503
            assert "2 pages are open from your address" in told
            assert (await page(guard, "198.51.100.7"))[0] == 200
            assert await other.speak() == ["accept", "send"]
        async with opened(guard, 1) as [again]:
            assert await again.speak() == ["accept", "send"]

    asyncio.run(tried())


@pytest.mark.parametrize(
    ("key", "given", "status"),
    [("", "", 404), ("", "Bearer ", 404), ("open sesame", "", 404), ("open sesame", "Bearer open sesame", 200)],
)
@pytest.mark.parametrize("path", [NUMBERS, f"/resnets{NUMBERS}", f"{NUMBERS}/"])
def test_streamlit_s_own_numbers_are_for_who_bears_the_key(key: str, given: str, status: int, path: str) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"authorization", given.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers, "client": ("127.0.0.1", 5)}
    asyncio.run(Guard(site, metrics_key=key)(scope, receive, send))
    assert sent[0]["status"] == status
