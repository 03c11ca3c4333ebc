"""A browser without scruples: it opens pages, sees what they show, and sends whatever it is told to."""

import asyncio
import http.client
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection

from benchmarks.served.sessions import Session, connected
from tests.hostile import SECRET, SHOUT, Outcome
from tests.support.waiting import PATIENCE

LONGEST = 5000  # letters that a box on the page may have
XSRF = "_streamlit_xsrf"


@dataclass
class Visitor(Session):
    """An open page. `refusals`, `others`: what its boxes say, errors and warnings apart; `html`: what is raw HTML."""

    refusals: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    widgets: dict[str, tuple[str, str]] = field(default_factory=dict)  # id: kind and label
    elements: int = 0
    leaked: bool = False
    session: str = ""
    urls: FileURLs | None = None
    _socket: ClientConnection | None = None

    @property
    def socket(self) -> ClientConnection:
        """The connection; a visitor exists only while there is one."""
        assert self._socket is not None
        return self._socket

    def take(self, raw: str | bytes) -> bool:
        """One message from the server. True if it ends an answer."""
        ended = super().take(raw)
        message = ForwardMsg.FromString(raw)
        self.leaked |= SECRET in raw
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "file_urls_response":
            self.urls = message.file_urls_response.file_urls[0]
        elif kind == "delta" and message.delta.HasField("new_element"):
            self._look(message.delta.new_element)
        return ended

    def _look(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        shown: Any = getattr(element, kind) if kind else None
        self.elements += 1
        if kind == "alert":
            bad = shown.format in (Alert.ERROR, Alert.WARNING)
            (self.refusals if bad else self.others).append(shown.body)
        elif kind == "exception":
            self.traces.extend(shown.stack_trace)
        elif kind == "html" or (kind == "markdown" and shown.allow_html):
            self.html.append(shown.body)
        elif getattr(shown, "id", ""):
            self.widgets[shown.id] = kind, getattr(shown, "label", "")

    def widget(self, kind: str, label: str) -> str:
        """The id of the widget whose label begins so."""
        return next(one for one, (its, text) in self.widgets.items() if its == kind and text.startswith(label))

    async def ask(self, change: Callable[[BackMsg], object] = lambda _message: None) -> None:
        """Ask for the page again, `change` applied to the message; wait for its end."""
        message = self.request()
        change(message)
        await self.send(message)
        await self.until_finished()

    def forget(self) -> None:
        """What was said up to now is of no interest."""
        self.refusals.clear()
        self.others.clear()

    async def send(self, message: BackMsg | bytes | str) -> None:
        """A message, or what is none."""
        await self.socket.send(message.SerializeToString() if isinstance(message, BackMsg) else message)

    async def until_finished(self, patience: float = PATIENCE) -> None:
        """Look at everything up to the end of the answer."""
        async with asyncio.timeout(patience):
            while not self.take(await self.socket.recv()):
                pass

    def outcome(self) -> Outcome:
        """How the page took what it was sent. Exceptions without a trace are judged by the log, which says whose."""
        raw = [text for text in self.html if SHOUT in text]
        wrong = [
            *self.traces,
            *(["the secret was sent"] if self.leaked else []),
            *(f"raw HTML: {text}" for text in raw),
        ]
        longest = max((len(text) for text in (*self.refusals, *self.others)), default=0)
        if longest > LONGEST:
            wrong.append(f"a box of {longest:,} letters")
        said = (*self.refusals, *self.exceptions, *self.others)
        return Outcome(bool(self.refusals or self.exceptions), " · ".join(said), "; ".join(wrong))

    async def upload(self, address: str, name: str, content: bytes) -> FileURLs:
        """Send a file as the uploader does, and return what it is called on the server."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.session_id = self.session
        message.file_urls_request.file_names.append(name)
        self.urls = None
        await self.send(message)
        async with asyncio.timeout(PATIENCE):
            while self.urls is None:
                self.take(await self.socket.recv())
        body, kind = multipart(name, content)
        token = await asyncio.to_thread(xsrf_token, address)
        headers = {"Content-Type": kind, "X-Xsrftoken": token, "Cookie": f"{XSRF}={token}"}
        status, said = await asyncio.to_thread(asked, address, "PUT", self.urls.upload_url, body, headers)
        assert status == 204, f"the upload was answered {status}: {said[:200]!r}"
        return self.urls


@asynccontextmanager
async def visit(address: str, page: str, query: str = "", cookie: str = "") -> AsyncIterator[Visitor]:
    """Open a page and wait until it is painted."""
    async with connected(address, cookie) as socket:
        visitor = Visitor(page, query, _socket=socket)
        await visitor.ask()
        yield visitor


def asked(
    address: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and body of the answer to one HTTP request."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    try:
        connection.request(method, path, body or None, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def xsrf_token(address: str) -> str:
    """The token that the server gives a browser, to be sent back with what it uploads."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", "/_stcore/health")
        given = connection.getresponse().getheader("Set-Cookie", "")
        return given.split(f"{XSRF}=")[1].split(";")[0]
    finally:
        connection.close()


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    """A form of one file, and its content type."""
    quoted = name.replace('"', "%22")
    head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n\r\n'
    return head.encode() + content + b"\r\n--edge--\r\n", "multipart/form-data; boundary=edge"
