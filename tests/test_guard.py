"""What stands before every request, asked by hand-written ASGI messages."""

import asyncio
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send

from app.guard import COOKIE, HEADERS, STREAM, Guard, key_in


@pytest.fixture(autouse=True)
def nobody_here() -> Iterator[None]:
    """As a server begins."""
    Guard.open = Guard.turned_away = 0
    yield
    Guard.open = Guard.turned_away = 0


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """One page; a stream that stays until it is told to go."""
    if scope["type"] == "http":
        await HTMLResponse("hello")(scope, receive, send)
    else:
        await send({"type": "websocket.accept"})
        await receive()


def get(guard: Guard, cookie: str = "", scheme: str = "http") -> tuple[int, dict[str, str]]:
    """Status and headers of a page."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(b"accept", b"text/html"), *([(b"cookie", cookie.encode())] if cookie else [])]
    scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "scheme": scheme}
    asyncio.run(guard(scope, receive, send))
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


def key_of(headers: dict[str, str]) -> str:
    """The key that an answer gives to the browser."""
    return SimpleCookie(headers["set-cookie"])[COOKIE].value


def test_a_browser_gets_a_key_once_that_no_script_reads() -> None:
    guard = Guard(site, 0)
    _, headers = get(guard)
    key = key_of(headers)
    assert key_in({COOKIE: key}) == key
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=Lax" in headers["set-cookie"]
    assert "Secure" not in headers["set-cookie"]
    assert "Secure" in get(guard, scheme="https")[1]["set-cookie"]
    assert "set-cookie" not in get(guard, cookie=f"{COOKIE}={key}")[1]
    assert key_of(get(guard)[1]) != key


@pytest.mark.parametrize("cookie", ["short", "x" * 44, "x" * 42 + "/", "", "é" * 43])
def test_a_key_that_we_did_not_give_is_none(cookie: str) -> None:
    assert key_in({COOKIE: cookie}) == ""


def test_every_answer_has_the_headers() -> None:
    _, headers = get(Guard(site, 0))
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= headers.items()


def test_pages_beyond_the_limit_are_turned_away_until_one_is_closed() -> None:
    guard, leave = Guard(site, 2), asyncio.Event()

    async def page() -> list[str]:
        said: list[str] = []

        async def send(message: Message) -> None:
            said.append(message["type"])

        async def receive() -> dict[str, Any]:
            if said:  # accepted: it stays
                await leave.wait()
            return {"type": "websocket.connect"}

        await guard({"type": "websocket", "path": f"/base{STREAM}", "headers": []}, receive, send)
        return said

    async def three() -> list[list[str]]:
        pages = [asyncio.create_task(page()) for _ in range(3)]
        await asyncio.sleep(0)
        while Guard.turned_away == 0:
            await asyncio.sleep(0)
        assert Guard.open == 2
        leave.set()
        return await asyncio.gather(*pages)

    assert asyncio.run(three()) == [["websocket.accept"], ["websocket.accept"], ["websocket.close"]]
    assert (Guard.open, Guard.turned_away) == (0, 1)


def test_a_full_server_says_so_in_place_of_a_page() -> None:
    Guard.open = 2
    status, headers = get(Guard(site, 2))
    assert (status, headers["retry-after"]) == (503, "120")
