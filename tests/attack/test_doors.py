"""Doors that stood open: other machines, names that were made to lead here, pages of other origins, proxies' words."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from app.base.settings import ROOT
from app.server.guard import Guard
from app.server.origins import is_of_this_machine, is_own_origin
from app.server.proxies import address_of
from tests.support.browser import server


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """Says who asks and under which name, and lets everybody read it; a stream is accepted."""
    if scope["type"] == "http":
        told = f"{scope['scheme']} {Headers(scope=scope).get('host')} {address_of(scope)}"
        await HTMLResponse(told, headers={"Access-Control-Allow-Origin": "*"})(scope, receive, send)
    else:
        await receive()
        await send({"type": "websocket.accept"})


def answered(guard: Guard, method: str, client: str = "127.0.0.1", **said: str) -> tuple[int, Headers, str]:
    """Status, headers and text of the answer; of a WebSocket 101 or 403."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in said.items()]
    scope = {"method": method, "path": "/_stcore/stream", "scheme": "http", "headers": headers, "client": (client, 5)}
    asyncio.run(guard({"type": "websocket" if method == "SOCKET" else "http", **scope}, receive, send))
    if method == "SOCKET":
        return (101 if sent[0]["type"] == "websocket.accept" else 403), Headers(), ""
    return sent[0]["status"], Headers(raw=sent[0]["headers"]), sent[1]["body"].decode()


@pytest.mark.parametrize("method", ["GET", "PUT", "SOCKET"])
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8501", "[::1", ""])
def test_for_one_person_no_name_that_was_made_to_lead_here_is_answered_to(method: str, host: str) -> None:
    status, *_ = answered(Guard(site, own_alone=True), method, host=host, origin=f"http://{host}")
    assert status in (403, 421)
    assert answered(Guard(site, hosts=["*.example"], own_alone=True), method, host="lab.example")[0] in (200, 101)


@pytest.mark.parametrize(
    "host",
    ["localhost:8501", "127.0.0.1:8501", "[::1]:8501", "192.168.1.7:8501", "resnets.localhost", socket.gethostname()],
)
def test_it_answers_to_its_own_names_and_addresses(host: str) -> None:
    assert is_of_this_machine(host)
    assert answered(Guard(site, own_alone=True), "GET", host=host)[0] == 200


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    "origin", ["http://localhost:9999", "https://evil.example", "null", "file://", "http://localhost:", "http://[::1"]
)
def test_a_page_of_another_origin_gets_nothing(local: bool, origin: str) -> None:
    guard = Guard(site, own_alone=local)
    for method in ("SOCKET", "POST", "PUT", "DELETE", "PATCH"):
        assert answered(guard, method, host="localhost:8501", origin=origin)[0] == 403, method
    status, headers, _ = answered(guard, "GET", host="localhost:8501", origin=origin)
    assert status == 200, "whoever follows a link is no other page"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("method", ["SOCKET", "POST", "PUT", "DELETE"])
def test_own_pages_and_programs_are_served(method: str) -> None:
    guard = Guard(site)
    assert answered(guard, method, host="localhost:8501", origin="http://localhost:8501")[0] in (200, 101)
    assert answered(guard, method, host="lab.example.org", origin="https://lab.example.org")[0] in (200, 101)
    assert answered(guard, method, host="localhost:8501")[0] in (200, 101)


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("https://lab.example.org", "lab.example.org:443", True),
        ("http://LAB.example.org:8501", "lab.example.org:8501", True),
        ("http://[::1]:8501", "[::1]:8501", True),
        ("http://lab.example.org", "lab.example.org:443", False),
        ("http://lab.example.org:8501", "lab.example.org:8502", False),
        ("ftp://lab.example.org", "lab.example.org", False),
        ("", "", False),
    ],
)
def test_an_origin_is_a_name_and_a_port(origin: str, host: str, own: bool) -> None:
    assert is_own_origin(origin, host) == own


def test_a_proxy_is_believed_where_it_is_trusted() -> None:
    said = {
        "host": "10.0.0.9:8501",
        "x_forwarded_for": "203.0.113.7",
        "x_forwarded_proto": "https",
        "x_forwarded_host": "lab.example.org",
        "origin": "https://lab.example.org",
    }
    guard = Guard(site, trusted_proxies="10.0.0.0/8")
    status, headers, told = answered(guard, "PUT", client="10.0.0.2", **said)
    assert (status, told) == (200, "https lab.example.org 203.0.113.7")
    assert "Secure" in headers["set-cookie"]
    assert answered(guard, "SOCKET", client="10.0.0.2", **said)[0] == 101

    assert answered(guard, "SOCKET", client="192.0.2.2", **said)[0] == 403
    status, headers, told = answered(guard, "GET", client="192.0.2.2", **said)
    assert told == "http 10.0.0.9:8501 192.0.2.2"
    assert "Secure" not in headers["set-cookie"]


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket's name", "a socket's name"),
    ],
)
def test_an_address_counts_as_a_provider_gives_them(host: str, counted: str) -> None:
    assert address_of({"client": (host, 1)}) == counted


# ---- served as the README says ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """For one person, without a word on where to listen."""
    folder = tmp_path_factory.mktemp("served")
    settings = {"RESNET_EXPLORER_STORE": str(folder / "store"), "RESNET_EXPLORER_WORKERS": "1"}
    script = Path(ROOT / "app" / "main.py")
    with server(script, log=folder / "log.txt", base="resnets", bound="", **settings) as address:
        yield address


@pytest.mark.engine
def test_other_machines_do_not_reach_it(served: str) -> None:
    port = urlsplit(served).port
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)  # another address of this machine, as a network's is


@pytest.mark.engine
@pytest.mark.parametrize(
    ("host", "origin", "let_in"),
    [
        ("", "", True),
        ("evil.example", "http://evil.example", False),
        ("", "http://localhost:9999", False),
        ("", "https://evil.example", False),
    ],
)
def test_what_a_browser_can_be_led_to_is_refused_by_the_server(
    served: str, host: str, origin: str, let_in: bool
) -> None:
    here = urlsplit(served)
    headers = {"Host": host or here.netloc, "Origin": origin or f"http://{here.netloc}"}
    connection = http.client.HTTPConnection(here.netloc, timeout=30)
    connection.request("PUT", f"{here.path}/_stcore/upload_file/a/b", b"", headers)
    told = connection.getresponse().read().decode()
    assert ("XSRF" in told) == let_in, f"only Streamlit would ask for a token of its own: {told}"
    assert asyncio.run(_opens(served, headers)) == let_in


async def _opens(served: str, headers: dict[str, str]) -> bool:
    address = f"{served.replace('http', 'ws', 1)}/_stcore/stream"
    here = urlsplit(served)
    try:
        async with connect(
            address.replace(here.netloc, headers["Host"]),
            host=here.hostname,
            port=here.port,
            additional_headers={"Origin": headers["Origin"]},
        ):
            return True
    except InvalidHandshake:
        return False
