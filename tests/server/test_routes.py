"""What is asked below a page: a browser is led to the page, and a script is told that nothing is there."""

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from streamlit import config

from app.server.routes import routes
from app.ui.page.frame import NAMES


def asked(path: str, accept: str, query: bytes = b"") -> Response | None:
    """The answer of the first route that takes the path; None where none does: Streamlit's own is next."""
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": path, "query_string": query, "root_path": ""}
    scope.update(headers=[(b"accept", accept.encode())], scheme="http", server=("here", 80))
    for route in routes():
        match, more = route.matches(scope)
        if match is Match.FULL:
            answer: Response = asyncio.run(route.endpoint(Request({**scope, **more})))
            return answer
    return None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("below", ["/", "/foo", "/foo/bar", "/_stcore/health"])
def test_below_a_page_a_browser_is_led_to_the_page_with_what_it_asked(name: str, below: str) -> None:
    answer = asked(f"/{name}{below}", "text/html,*/*", b"run=a&run=b")
    assert answer is not None
    assert answer.status_code == 307
    assert answer.headers["location"] == f"/{name}?run=a&run=b"


def test_a_script_finds_nothing_there() -> None:
    """Streamlit's own would take an answer for a sign that the server's base path is the page's."""
    answer = asked("/train/_stcore/health", "*/*")
    assert answer is not None
    assert answer.status_code == 404


def test_a_page_itself_is_streamlits() -> None:
    assert asked("/train", "text/html") is None


def test_a_base_path_may_begin_with_the_name_of_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "get_option", lambda _name: "class/resnets")
    assert asked("/class/resnets/", "text/html") is None
    assert asked("/class/resnets/train", "text/html") is None
    answer = asked("/class/resnets/train/foo", "text/html")
    assert answer is not None
    assert answer.headers["location"] == "/class/resnets/train"
    assert asked("/class/resnets/healthz/foo", "text/html") is None
