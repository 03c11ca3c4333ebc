"""What stands before every request, asked by hand-written ASGI messages."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send

from app.base.browser_key import COOKIE, key_in
from app.base.settings import ROOT
from app.base.streamlit_doors import STREAM
from app.server.guard import Guard, may_measure
from app.server.middlewares import PAGES, headers, host_is_known


@pytest.fixture(autouse=True)
def nobody_here() -> Iterator[None]:
    """As a server begins."""
    PAGES.open = PAGES.turned_away = 0
    yield
    PAGES.open = PAGES.turned_away = 0


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """One page; a stream that stays until it is told to go."""
    if scope["type"] == "http":
        await HTMLResponse("hello")(scope, receive, send)
    else:
        await send({"type": "websocket.accept"})
        await receive()


def get(guard: Guard, cookie: str = "", scheme: str = "http", host: str = "") -> tuple[int, dict[str, str]]:
    """Status and headers of a page."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "scheme": scheme}
    scope["headers"] = [
        (name, value.encode())
        for name, value in ((b"accept", "text/html"), (b"cookie", cookie), (b"host", host))
        if value
    ]
    asyncio.run(guard(scope, receive, send))
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


def key_of(answered: dict[str, str]) -> str:
    """The key that an answer gives to the browser."""
    return SimpleCookie(answered["set-cookie"])[COOKIE].value


def test_a_browser_gets_a_key_once_that_no_script_reads() -> None:
    guard = Guard(site, 0)
    _, answered = get(guard)
    key = key_of(answered)
    assert key_in({COOKIE: key}) == key
    assert "HttpOnly" in answered["set-cookie"]
    assert "SameSite=Lax" in answered["set-cookie"]
    assert "Secure" not in answered["set-cookie"]
    assert "Secure" in get(guard, scheme="https")[1]["set-cookie"]
    assert "set-cookie" not in get(guard, cookie=f"{COOKIE}={key}")[1]
    assert key_of(get(guard)[1]) != key


@pytest.mark.parametrize("cookie", ["short", "x" * 44, "x" * 42 + "/", "", "é" * 43])
def test_a_key_that_we_did_not_give_is_none(cookie: str) -> None:
    assert key_in({COOKIE: cookie}) == ""


def test_every_answer_has_the_headers() -> None:
    _, answered = get(Guard(site))
    assert {name.lower(): value for name, value in headers().items()}.items() <= answered.items()
    assert "frame-ancestors 'self';" in answered["content-security-policy"]
    hosting = "'self' https://*.hf.space"
    assert f"frame-ancestors {hosting};" in get(Guard(site, 0, hosting))[1]["content-security-policy"]


def test_within_a_page_of_another_site_the_key_is_kept_where_browsers_allow_it() -> None:
    guard = Guard(site, 0, "https://*.hf.space")
    assert "SameSite=None; Secure; Partitioned" in get(guard, scheme="https")[1]["set-cookie"]
    assert "SameSite=Lax" in get(guard)[1]["set-cookie"]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("lab.example.org", True),
        ("LAB.example.org:8501", True),
        ("a.class.example.org.", True),
        ("localhost:8501", True),
        ("127.0.0.1", True),
        ("[::1]:8501", True),
        ("class.example.org", False),
        ("lab.example.org.evil.net", False),
        ("evil.net", False),
        ("evil.net:lab.example.org", False),
        ("", False),
    ],
)
def test_only_names_that_are_known_are_answered(host: str, known: bool) -> None:
    names = ["lab.example.org", "*.class.example.org"]
    assert host_is_known(host, names) == known
    assert host_is_known(host, [])
    status, answered = get(Guard(site, hosts=names), host=host)
    assert (status == 200) == known
    assert ("set-cookie" in answered) == known


def test_a_stream_under_another_name_is_refused_and_not_counted() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": STREAM, "headers": [(b"host", b"evil.net")]}
    asyncio.run(Guard(site, hosts=["lab.example.org"])(scope, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert PAGES.open == 0


@pytest.mark.parametrize(
    ("key", "client", "said", "may"),
    [
        ("", "127.0.0.1", {}, True),
        ("", "::ffff:127.0.0.1", {}, True),
        ("", "192.0.2.7", {}, False),
        ("", "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, False),
        ("open sesame", "127.0.0.1", {}, False),
        ("open sesame", "192.0.2.7", {"authorization": "Bearer open sesame"}, True),
        ("open sesame", "192.0.2.7", {"authorization": "Bearer open"}, False),
        ("open sesame", "192.0.2.7", {"authorization": "Basic open sesame"}, False),
    ],
)
def test_the_numbers_are_for_this_machine_or_for_who_bears_the_key(
    key: str, client: str, said: dict[str, str], may: bool
) -> None:
    asked = [(name.encode(), value.encode()) for name, value in said.items()]
    assert may_measure({"type": "http", "client": (client, 1), "headers": asked}, key) == may


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
        while PAGES.turned_away == 0:
            await asyncio.sleep(0)
        assert PAGES.open == 2
        leave.set()
        return await asyncio.gather(*pages)

    assert asyncio.run(three()) == [["websocket.accept"], ["websocket.accept"], ["websocket.close"]]
    assert (PAGES.open, PAGES.turned_away) == (0, 1)


def test_a_full_server_says_so_in_place_of_a_page() -> None:
    PAGES.open = 2
    status, answered = get(Guard(site, 2))
    assert (status, answered["retry-after"]) == (503, "120")


def test_the_settings_reach_the_guard_and_a_public_server_shows_no_error_details() -> None:
    script = (
        "from app import main\n"
        "from streamlit import config\n"
        "print(main._guarded(), config.get_option('client.showErrorDetails'))"
    )
    given = {"MODE": "demo", "ALLOWED_HOSTS": "lab.example.org, *.example.net", "FRAME_ANCESTORS": "'none'"}
    environment = {**os.environ, **{f"RESNET_EXPLORER_{name}": value for name, value in given.items()}}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    options = {"most_open": 60, "frame_ancestors": "'none'", "hosts": ["lab.example.org", "*.example.net"]}
    assert done.stdout.strip() == f"{options} none"
