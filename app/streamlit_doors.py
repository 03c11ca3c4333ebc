"""What is used of Streamlit, and of the server under it, that they promise to nobody: here, and nowhere else.

Each has a test of its own in tests/test_streamlit_doors.py: an upgrade that shuts one fails there, and says which.
One more is in the browser's half, app/ui/widgets/web/src/page/history.ts: Streamlit writes addresses with `pushState`.
"""

import asyncio
import contextlib
import os
import socket
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import psutil
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx
from uvicorn.protocols.http.auto import AutoHTTPProtocol

STREAM = "/_stcore/stream"  # each open page holds one WebSocket there
UPLOAD = "/_stcore/upload_file"  # PUT of a file: below it session and file
NUMBERS = "/_stcore/metrics"  # of sessions and caches, to whoever asks

REQUEST_SECONDS = 10.0  # that a connection may take to say what it asks for
LOOK_SECONDS = 1.0
UNASKED = 100  # connections of one address that have asked for nothing for a look


def in_fragment() -> bool:
    """True while a part of the page is drawn anew: by its clock, or by a click in it."""
    context = get_script_run_ctx()
    return context is not None and bool(context.fragment_ids_this_run)


def held_uploads(session: str) -> tuple[int, int]:
    """Bytes of the files that a session has sent and of those of all, as they are in memory; 0 without a server."""
    if not runtime.exists():
        return 0, 0
    manager: Any = runtime.get_instance().uploaded_file_mgr
    held = {
        name: sum(len(file.data) for file in dict(files).values()) for name, files in dict(manager.file_storage).items()
    }
    return held.get(session, 0), sum(held.values())


def send_at_once() -> None:
    """Have every socket that this process listens on send without waiting; accepted connections inherit it.

    asyncio turns Nagle's algorithm off only for sockets that name TCP as their protocol, and Streamlit binds one that
    names none: what follows a small message then waits 40 ms, until the browser has acknowledged that one. A system
    that does not tell a process its sockets keeps its own way.
    """
    with contextlib.suppress(psutil.Error, OSError):
        for net_connection in psutil.Process().net_connections("tcp"):
            if net_connection.status == psutil.CONN_LISTEN and net_connection.fd >= 0:
                with socket.socket(fileno=os.dup(net_connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def take_more_connections() -> None:
    """As many as the system lets this process have: it begins with fewer, often with 1024."""
    if hasattr(psutil, "RLIMIT_NOFILE"):  # on Linux
        with contextlib.suppress(psutil.Error, OSError):
            me = psutil.Process()
            _, most = me.rlimit(psutil.RLIMIT_NOFILE)
            me.rlimit(psutil.RLIMIT_NOFILE, (most, most))


@contextlib.asynccontextmanager
async def half_open_ended() -> AsyncIterator[None]:
    """While it lasts, a connection that does not say what it asks for is closed; uvicorn waits for it for ever.

    Of those of one address that have never asked for anything, the oldest beyond some go at the next look.
    """
    waiting: dict[Any, float] = {}  # connections, and since when nothing is under way on them
    protocol: Any = AutoHTTPProtocol  # h11's, or httptools' where that is installed
    made = protocol.connection_made

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        waiting[self] = asyncio.get_running_loop().time()

    async def look() -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            _end(waiting, asyncio.get_running_loop().time())

    protocol.connection_made = connection_made
    looking = asyncio.create_task(look(), name="half-open connections")
    try:
        yield
    finally:
        looking.cancel()
        protocol.connection_made = made


def _end(waiting: dict[Any, float], now: float) -> None:
    """Close those that have waited too long, and take off the list what is closed or has become a WebSocket."""
    unasked: dict[str, list[Any]] = defaultdict(list)
    for connection, since in list(waiting.items()):
        transport, cycle = connection.transport, connection.cycle
        if transport.is_closing() or transport.get_protocol() is not connection:
            del waiting[connection]
        elif cycle is not None and not cycle.response_complete:
            waiting[connection] = now  # it is being answered
        elif now - since > REQUEST_SECONDS:
            transport.abort()
        elif cycle is None and now - since > LOOK_SECONDS:
            unasked[connection.client[0] if connection.client else ""].append(connection)
    for of_one in unasked.values():
        for connection in of_one[:-UNASKED]:  # the list has the oldest first
            connection.transport.abort()
