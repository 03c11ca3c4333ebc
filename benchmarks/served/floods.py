"""A demo's server, and one client that wants it for itself: silent sockets, half-open requests, uploads.

A newcomer's first paint lasts from the navigation of a new browser to the title, while 60 sockets say nothing and 3,000
connections have begun a request and do not end it; all come from this machine, so that the newcomer shares the address
with them. The flood of uploads is 6 pages that send 24 files of 10 MB each, at once, and 24 of 50 MB.
"""

import asyncio
import contextlib
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import psutil

from benchmarks.report.figures import CannotMeasureError, Device, Figure, Row, Say, at_most
from benchmarks.served.live_server import LiveServer, browser, live_server
from benchmarks.served.sessions import connected
from tests.hostile.visitor import Visitor, multipart, visit, xsrf_token

PAINT = Row("a newcomer's first paint beside 60 silent sockets and 3,000 half-open requests", "s", {"cpu": at_most(5)})
MEMORY = Row("memory of a demo's server under a flood of uploads ÷ before", "", {"cpu": at_most(1.3)})
ROWS = (PAINT, MEMORY)

SILENT, HALF_OPEN = 60, 3000
NEWCOMERS = 3
PAGES, FILES, MB = 6, 24, 1_000_000
SIZES = (10, 50)  # MB
DEMO = partial(live_server, RESNET_EXPLORER_MODE="demo", RESNET_EXPLORER_WORKERS="1")


def measure(device: Device, say: Say) -> list[Figure]:
    """Each on a server of its own."""
    figures = []
    try:
        with DEMO() as server:
            server.wait_until_quiet()
            seconds = asyncio.run(_newcomers(server.address))
            say(f"first paints: {', '.join(f'{one:.2f} s' for one in seconds)}")
            figures.append(PAINT.alone(seconds))
    except CannotMeasureError as missing:
        say(str(missing))
    with DEMO() as server:
        server.wait_until_quiet()
        before, most, answers = asyncio.run(_uploads(server))
        say(f"{before:.0f} MB before, {most:.0f} MB at most; answers: {dict(answers)}")
        figures.append(MEMORY.alone([most / before], f"{before:.0f} → {most:.0f} MB"))
    return figures


# ── a newcomer ──


async def _newcomers(address: str) -> list[float]:
    """Seconds until each of some browsers, one after another, sees the title."""
    async with AsyncExitStack() as held:
        for _ in range(SILENT):
            await held.enter_async_context(connected(address))
        await held.enter_async_context(_half_open(address))
        return await asyncio.to_thread(_paints, address)


def _paints(address: str) -> list[float]:
    seconds = []
    with browser() as chromium:
        for _ in range(NEWCOMERS):
            context = chromium.new_context()
            page = context.new_page()
            begun = time.perf_counter()
            page.goto(address)
            page.get_by_role("heading", level=1).wait_for(timeout=60_000)
            seconds.append(time.perf_counter() - begun)
            context.close()
    return seconds


@asynccontextmanager
async def _half_open(address: str) -> AsyncIterator[None]:
    """So many connections that have begun to ask. One that the server closes is opened anew, while it lasts."""
    here = urlsplit(address)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    async def one() -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(here.hostname, here.port)
                try:
                    writer.write(b"GET / HTTP/1.1\r\nHost: ")
                    await reader.read(1)
                finally:
                    writer.close()
            await asyncio.sleep(1)

    tasks = [asyncio.create_task(one()) for _ in range(HALF_OPEN)]
    await asyncio.sleep(2)
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# ── uploads ──


async def _uploads(server: LiveServer) -> tuple[float, float, Counter[int]]:
    """Memory in MB with the pages open and at most while all their files come; how often each status was answered."""
    async with AsyncExitStack() as held:
        pages = [await held.enter_async_context(visit(server.address, "train")) for _ in range(PAGES)]
        token = await asyncio.to_thread(xsrf_token, server.address)
        before, answers = server.memory_mb(), Counter[int]()
        seen = [before]
        watch = asyncio.create_task(_look(server.process, seen))
        for size in SIZES:
            sent = [_put(server.address, page, token, size, number) for number in range(FILES) for page in pages]
            answers += Counter(await asyncio.gather(*sent))
        await asyncio.sleep(1)
        watch.cancel()
        return before, max(seen), answers


async def _look(process: psutil.Process, seen: list[float]) -> None:
    while True:
        seen.append(float(process.memory_info().rss) / 1e6)
        await asyncio.sleep(0.02)


async def _put(address: str, page: Visitor, token: str, size: int, number: int) -> int:
    """Send a file beside the widget, as far as the server reads it; the status of the answer, 0: none came."""
    here = urlsplit(address)
    body, kind = multipart("a.zip", bytes(size * MB))
    path = f"/_stcore/upload_file/{page.session}/{size}-{number}"
    headers: dict[str, Any] = {
        "Host": here.netloc,
        "Content-Type": kind,
        "Content-Length": len(body),
        "X-Xsrftoken": token,
        "Cookie": f"_streamlit_xsrf={token}",
        "Connection": "close",
    }
    said = f"PUT {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    reader, writer = await asyncio.open_connection(here.hostname, here.port)
    try:
        writer.write(said.encode())
        sending = asyncio.create_task(_send(writer, body))
        answer = await asyncio.wait_for(reader.readline(), 60)
        sending.cancel()
        return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0
    except (OSError, TimeoutError):
        return 0
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, body: bytes) -> None:
    with contextlib.suppress(OSError):
        for start in range(0, len(body), 1 << 16):
            writer.write(body[start : start + (1 << 16)])
            await writer.drain()
