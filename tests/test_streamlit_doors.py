"""Streamlit's private doors, one test each: after an upgrade, what fails is here, and says which door is shut."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
import streamlit
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import ScriptRunContext
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.web.server.starlette import starlette_routes, starlette_server, starlette_websocket
from uvicorn import Config, Server
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from app import streamlit_doors
from app.streamlit_doors import NUMBERS, STREAM, UPLOAD, half_open_ended, held_uploads, in_fragment, send_at_once


def test_a_fragment_s_own_run_is_known_by_its_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not in_fragment(), "nothing is drawn here"
    assert "fragment_ids_this_run" in ScriptRunContext.__dataclass_fields__
    monkeypatch.setattr(streamlit_doors, "get_script_run_ctx", lambda: SimpleNamespace(fragment_ids_this_run=["a"]))
    assert in_fragment()


def test_the_files_that_pages_have_sent_are_in_the_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    manager = MemoryUploadedFileManager("/upload")
    for session, name in (("a", "1"), ("a", "2"), ("b", "1")):
        manager.add_file(session, UploadedFileRec(name, "x.zip", "application/zip", bytes(10)))
    assert held_uploads("a") == (0, 0), "no server"
    monkeypatch.setattr("streamlit.runtime.exists", lambda: True)
    monkeypatch.setattr("streamlit.runtime.get_instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    assert held_uploads("a") == (20, 30)
    assert held_uploads("another") == (0, 30)


def test_it_answers_where_it_did() -> None:
    some: Any = SimpleNamespace(uploaded_file_mgr=None, stats_mgr=None)
    manager = MemoryUploadedFileManager("/upload")
    [stream] = starlette_websocket.create_websocket_routes(some, "base")
    uploads = starlette_routes.create_upload_routes(some, manager, "base")
    numbers = starlette_routes.create_metrics_routes(some, "base")
    paths = {method: getattr(route, "path", "") for route in uploads for method in getattr(route, "methods", ())}
    assert getattr(stream, "path", "") == f"/base{STREAM}"
    assert paths["PUT"] == f"/base{UPLOAD}/{{session_id}}/{{file_id}}"
    assert {getattr(route, "path", "") for route in numbers} == {f"/base{NUMBERS}"}


def test_the_browser_s_half_writes_addresses_with_push_state() -> None:
    scripts = Path(streamlit.__file__).parent / "static" / "static" / "js"
    assert any(b"history.pushState(" in file.read_bytes() for file in scripts.glob("*.js"))


def test_it_binds_a_socket_that_names_no_protocol_and_sends_at_once_all_the_same() -> None:
    with starlette_server._bind_socket("127.0.0.1", 0, 5) as listening:
        assert listening.proto == 0, "else asyncio would do it, and send_at_once be needless"
        send_at_once()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


# ---- uvicorn: connections that do not say what they ask for ----------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What takes seconds takes none."""
    monkeypatch.setattr(streamlit_doors, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(streamlit_doors, "LOOK_SECONDS", 0.05)
    yield
    assert "half_open_ended" not in AutoHTTPProtocol.connection_made.__qualname__


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float = 0) -> bytes:
    writer.write(f"GET /?{wait} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    with suppress(ConnectionError):
        return (await asyncio.wait_for(reader.read(1000), 10)).split(b"\r\n")[0]
    return b""


async def _gone(reader: asyncio.StreamReader) -> bool:
    with suppress(ConnectionError):
        return await asyncio.wait_for(reader.read(1), 10) == b""
    return True


@pytest.mark.usefixtures("impatient")
def test_a_connection_that_asks_for_nothing_is_ended_and_one_that_is_being_answered_is_not() -> None:
    async def slow(request: Any) -> PlainTextResponse:
        await asyncio.sleep(float(request.url.query))
        return PlainTextResponse("there you are")

    async def tried() -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            server = Server(Config(Starlette(routes=[Route("/", slow)]), log_level="error", lifespan="off"))
            async with half_open_ended():
                serving = asyncio.create_task(server.serve([listening]))
                while not server.started:
                    await asyncio.sleep(0.01)
                there = listening.getsockname()
                answered = await asyncio.open_connection(*there)
                waiting = asyncio.create_task(_answer(*answered, wait=1.0))
                silent = await asyncio.open_connection(*there)
                half = await asyncio.open_connection(*there)
                half[1].write(b"GET / HTTP/1.1\r\nHost: loc")
                assert await _gone(silent[0])
                assert await _gone(half[0])
                assert (await waiting).endswith(b"200 OK")
                assert await _gone(answered[0]), "it asks for nothing more"
                server.should_exit = True
                await serving

    asyncio.run(tried())


@pytest.mark.usefixtures("impatient")
def test_of_many_silent_ones_of_an_address_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    aborted: list[int] = []

    def connection(number: int, client: str) -> Any:
        transport = Mock(is_closing=lambda: False, abort=lambda: aborted.append(number))
        found = Mock(transport=transport, cycle=None, client=(client, number))
        transport.get_protocol = lambda: found
        return found

    monkeypatch.setattr(streamlit_doors, "UNASKED", 3)
    many = [connection(number, "192.0.2.1") for number in range(5)] + [connection(9, "192.0.2.9")]
    streamlit_doors._end(dict.fromkeys(many, 0.0), 0.2)
    assert aborted == [0, 1]
