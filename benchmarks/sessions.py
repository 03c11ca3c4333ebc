"""Browser sessions without browsers: clients of Streamlit's own websocket protocol, on this machine only.

A session asks for its page, then reruns every fragment that the page declared with `run_every`, at its own period, as
the browser does. A refresh lasts from the request to the message that says the script has finished.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

ANSWER_WITHIN = 60.0
APART = 0.05  # seconds between two sessions' arrivals: nobody presses a key at the same moment


def connected(address: str) -> connect:
    """A connection as the browser's page opens it, for `async with`."""
    url = address.replace("http://", "ws://", 1) + "/_stcore/stream"
    return connect(url, subprotocols=["streamlit"], max_size=None, compression=None)  # type: ignore[list-item]


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

    async def watch(self, address: str, until: float) -> None:
        """Open the page, and keep it fresh until the clock (`time.perf_counter`) says `until`."""
        async with connected(address) as socket:
            self.first = await self._rerun(socket)
            due = {name: time.perf_counter() + period for name, period in self._fragments.items()}
            while due:
                name = min(due, key=due.__getitem__)
                if max(due[name], time.perf_counter()) > until:
                    break
                await asyncio.sleep(max(0.0, due[name] - time.perf_counter()))
                due[name] = time.perf_counter() + self._fragments[name]
                self.refreshes.append((self._fragments[name], await self._rerun(socket, name)))
                fresh = time.perf_counter()
                due = {name: due.get(name, fresh + period) for name, period in self._fragments.items()}
            await asyncio.sleep(max(0.0, until - time.perf_counter()))

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
            if not message.metadata.run.fragment_ids:  # the whole page, whose fragments come anew
                self._fragments.clear()
        elif kind == "auto_rerun":
            self._fragments[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
            shown = message.delta.new_element.exception
            self.exceptions.append(f"{shown.type}: {shown.message}")
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


async def gather(sessions: Sequence[Session], address: str, seconds: float) -> None:
    """All sessions, one after another, then together for so many seconds."""
    until = time.perf_counter() + APART * len(sessions) + seconds

    async def arrive(nth: int, session: Session) -> None:
        await asyncio.sleep(APART * nth)
        await session.watch(address, until)

    await asyncio.gather(*(arrive(nth, session) for nth, session in enumerate(sessions)))
