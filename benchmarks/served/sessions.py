"""Browser sessions without browsers: clients of Streamlit's own websocket protocol, on this machine only.

A session asks for its page, then reruns every fragment that the page declared with `run_every`, at its own period, and
asks the feed of a live page once a second (`web/src/feed/feed.ts` of the widgets), as the browser does. A refresh lasts
from the request to the message that says the script has finished, or to the last byte of the feed's answer.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ANSWER_WITHIN = 60.0
FEED, FED_EVERY = "the feed", (0.95, 1.05)
APART = 0.05  # seconds between two sessions' arrivals: nobody presses a key at the same moment


def connected(address: str, cookie: str = "") -> connect:
    """A connection as the browser's page opens it, for `async with`. `cookie`: what the browser has, as it sends it."""
    url = address.replace("http://", "ws://", 1) + "/_stcore/stream"
    headers = {"Cookie": cookie} if cookie else None
    return connect(
        url,
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
        compression=None,
        additional_headers=headers,
    )


@dataclass
class Session:
    """What one session saw. `refreshes`: (period of the fragment, seconds) of each."""

    page: str
    query: str = ""
    first: float = 0.0
    refreshes: list[tuple[float, float]] = field(default_factory=list)
    received: int = 0  # bytes
    exceptions: list[str] = field(default_factory=list)
    _script: str = ""
    _fragments: dict[str, float] = field(default_factory=dict)
    _feeds: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)  # by fragment and part: what it is told
    _etags: dict[str, str] = field(default_factory=dict)  # of the parts that came by the feed

    async def watch(self, address: str, until: float) -> None:
        """Open the page, and keep it fresh until the clock (`time.perf_counter`) says `until`."""
        async with connected(address) as socket:
            self.first = await self._rerun(socket)
            periods = self._periods()
            due = {name: time.perf_counter() + period for name, period in periods.items()}
            async with Fetch(address) as fetch:
                while due:
                    name = min(due, key=due.__getitem__)
                    if max(due[name], time.perf_counter()) > until:
                        break
                    await asyncio.sleep(max(0.0, due[name] - time.perf_counter()))
                    due[name] = time.perf_counter() + periods[name]
                    took = await (self._fed(fetch, socket) if name == FEED else self._rerun(socket, name))
                    self.refreshes.append((periods[name], took))
                    fresh, periods = time.perf_counter(), self._periods()
                    due = {name: due.get(name, fresh + period) for name, period in periods.items()}
            await asyncio.sleep(max(0.0, until - time.perf_counter()))

    def _periods(self) -> dict[str, float]:
        return self._fragments | ({FEED: random.uniform(*FED_EVERY)} if self._feeds else {})

    async def _fed(self, fetch: "Fetch", socket: ClientConnection) -> float:
        """Ask the feed, and for the page's fragment where that has to be drawn anew. Seconds until all is there."""
        begun = time.perf_counter()
        (fragment, _), told = next(iter(self._feeds.items()))
        parts = dict.fromkeys(part for _, part in self._feeds)
        asked = "".join(f"&part={quote(part)}&have={self._etags.get(part, '')}" for part in parts)
        status, body = await fetch.get(f"/live?{told['query']}{asked}")
        self.received += len(body)
        if status == 200:
            head = json.loads(body[4 : 4 + int.from_bytes(body[:4], "little")])
            self._etags |= {name: etag for name, etag, _ in head["parts"]}
        if status in (403, 404) or (status == 200 and head["shape"] != told["shape"]):
            await self._rerun(socket, fragment)
        elif status != 200:
            self.exceptions.append(f"the feed answered {status}")
        return time.perf_counter() - begun

    async def _rerun(self, socket: ClientConnection, fragment: str = "") -> float:
        """Ask for the page, or for one of its fragments. Seconds until the answer is complete."""
        begun = time.perf_counter()
        await socket.send(self.request(fragment).SerializeToString())
        async with asyncio.timeout(ANSWER_WITHIN):
            while not self.take(await socket.recv()):
                pass
        return time.perf_counter() - begun

    def request(self, fragment: str = "") -> BackMsg:
        """What asks for the page, or for one of its fragments."""
        message = BackMsg()
        asked = message.rerun_script
        asked.page_name, asked.query_string, asked.page_script_hash = self.page, self.query, self._script
        asked.fragment_id, asked.is_auto_rerun = fragment, bool(fragment)
        asked.context_info.url = f"http://127.0.0.1/{self.page}"
        return message

    def take(self, raw: str | bytes) -> bool:
        """One message from the server. True if it is the end of an answer."""
        assert isinstance(raw, bytes)
        self.received += len(raw)
        message = ForwardMsg()
        message.ParseFromString(raw)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._script = message.new_session.page_script_hash
            drawn = set(message.metadata.run.fragment_ids)
            if not drawn:  # the whole page, whose fragments come anew
                self._fragments.clear()
            self._feeds = {key: told for key, told in self._feeds.items() if drawn and key[0] not in drawn}
        elif kind == "auto_rerun":
            self._fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            shown = message.delta.new_element.exception
            self.exceptions.append(f"{shown.type}: {shown.message}")
        elif told := _feed_of(message.delta.new_element.bidi_component):
            self._feeds[message.delta.fragment_id, told["part"]] = told
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def _feed_of(component: Any) -> dict[str, str] | None:
    """What a component is told of its feed, if it has one."""
    if component.WhichOneof("data") == "bytes":
        size = int.from_bytes(component.bytes[:4], "little")
        data = json.loads(component.bytes[4 : 4 + size]) if 0 < size < len(component.bytes) else {}
    else:
        data = json.loads(component.json or "{}")
    found: dict[str, str] | None = data.get("feed") if isinstance(data, dict) else None
    return found


class Fetch:
    """Plain HTTP over one connection that stays open, as a browser's does."""

    def __init__(self, address: str) -> None:
        self.host = urlsplit(address).netloc

    async def __aenter__(self) -> "Fetch":
        await self._connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def _connect(self) -> None:
        host, _, port = self.host.partition(":")
        self.reader, self.writer = await asyncio.open_connection(host, int(port))

    async def get(self, path: str) -> tuple[int, bytes]:
        """Status and body."""
        try:
            return await self._get(path)
        except (asyncio.IncompleteReadError, ConnectionError):  # the server closes what was idle for seconds
            await self._connect()
            return await self._get(path)

    async def _get(self, path: str) -> tuple[int, bytes]:
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode())
        async with asyncio.timeout(ANSWER_WITHIN):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.partition("content-length: ")[2].partition("\r")[0])
            return int(head.split()[1]), await self.reader.readexactly(size)


async def gather(sessions: Sequence[Session], address: str, seconds: float) -> None:
    """All sessions, one after another, then together for so many seconds."""
    until = time.perf_counter() + APART * len(sessions) + seconds

    async def arrive(nth: int, session: Session) -> None:
        await asyncio.sleep(APART * nth)
        await session.watch(address, until)

    await asyncio.gather(*(arrive(nth, session) for nth, session in enumerate(sessions)))
