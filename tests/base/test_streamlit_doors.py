"""Streamlit's private doors, one test each: what a new version of it changes fails here, and says which door."""

import socket
from functools import cache
from pathlib import Path
from unittest.mock import Mock

import pytest
import streamlit
from starlette.routing import WebSocketRoute
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from app.base import streamlit_doors
from app.server.sockets import send_at_once


def _page() -> None:
    import streamlit as st

    from app.base.streamlit_doors import in_fragment

    def part() -> None:
        st.button("again")
        st.text(f"in the fragment: {in_fragment()}")

    st.text(f"around it: {in_fragment()}")
    st.fragment(part)()


def test_script_context_a_page_is_drawn_as_a_whole() -> None:
    page = AppTest.from_function(_page).run()
    assert [text.value for text in page.text] == ["around it: False", "in the fragment: False"]


def test_script_context_a_fragment_drawn_anew_is_told_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """AppTest draws the whole page at every click: the context is as Streamlit's server fills it."""
    from streamlit.runtime import scriptrunner

    assert "fragment_ids_this_run" in scriptrunner.ScriptRunContext.__dataclass_fields__
    assert not streamlit_doors.in_fragment(), "without a page there is none"
    monkeypatch.setattr(scriptrunner, "get_script_run_ctx", lambda: Mock(fragment_ids_this_run=["one"]))
    assert streamlit_doors.in_fragment()


def test_push_state_streamlits_page_goes_on_by_it() -> None:
    bundles = (Path(streamlit.__file__).parent / "static" / "static" / "js").glob("index.*.js")
    assert any("history.pushState(" in bundle.read_text("utf-8") for bundle in bundles)


def test_stream_pages_hold_a_socket_there() -> None:
    from streamlit.web.server.starlette.starlette_websocket import create_websocket_routes

    routes = create_websocket_routes(Mock(), None)
    assert [route.path for route in routes if isinstance(route, WebSocketRoute)] == [streamlit_doors.STREAM]


def test_listening_socket_what_streamlit_binds_sends_at_once() -> None:
    from streamlit.web.server.starlette.starlette_server import _bind_socket

    with _bind_socket("127.0.0.1", 0, 1) as listening:
        listening.listen()
        assert not listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "else the door is not needed any more"
        send_at_once()
        assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_component_scanner_a_runtime_asks_the_function_that_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    scan = Mock(return_value=[])
    monkeypatch.setattr(*streamlit_doors.component_scanner(), cache(scan))
    BidiComponentManager().discover_and_register_components(start_file_watching=False)
    BidiComponentManager().discover_and_register_components(start_file_watching=False)
    scan.assert_called_once_with()
