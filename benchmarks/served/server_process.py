"""The server process: its memory, alone and with 40 sessions, whether torch is in it, and how soon it paints.

Paint: from starting the process to the title of the first page, in a browser that is already there; the server is
asked ten times a second whether it is up. Torch cannot be loaded without mapping its libraries: so many mapped files,
so many traces of it. The 40 sessions stay on the page Train; as many have come to Start and to Runs before, and gone.
"""

import asyncio
import time

from benchmarks.report.figures import CannotMeasureError, Device, Figure, Row, Say, at_most
from benchmarks.served.live_server import LiveServer, browser, live_server
from benchmarks.served.sessions import APART, Session, gather

PAINT = Row("server: start to first paint", "s", {"cpu": at_most(4.0)})
AFTER_START = Row("server: resident memory after start", "MB", {"cpu": at_most(250)})
WITH_SESSIONS = Row("server: resident memory with 40 sessions", "MB", {"cpu": at_most(250)})
TORCH = Row("server: files of torch mapped", "", {"cpu": at_most(0)})
ROWS = (PAINT, AFTER_START, WITH_SESSIONS, TORCH)

SESSIONS = 40
BEFORE = ("", "runs")  # pages visited by others before
STAY_SECONDS = 6.0
STARTS = 3
VISITS = 2


def measure(device: Device, say: Say) -> list[Figure]:
    """Several starts with a browser, then two that take in 40 sessions."""
    figures = []
    try:
        figures.append(PAINT.alone(_paints(say)))
    except CannotMeasureError as missing:
        say(str(missing))
    inside = [_inside() for _ in range(VISITS)]
    for row, values in zip((AFTER_START, WITH_SESSIONS, TORCH), zip(*inside, strict=True), strict=True):
        figures.append(row.alone(values))
        say(f"{row.name}: {figures[-1].value:.0f} {row.unit}")
    return figures


def _paints(say: Say) -> list[float]:
    """Seconds from start to title, of servers started one after another."""
    seconds = []
    with browser() as chromium:
        for _ in range(STARTS):
            page = chromium.new_page()
            begun = time.perf_counter()
            with live_server() as server:
                page.goto(server.address)
                page.get_by_role("heading", level=1).wait_for(timeout=60_000)
                seconds.append(time.perf_counter() - begun)
                page.close()
            say(f"first paint after {seconds[-1]:.2f} s")
    return seconds


def _inside() -> tuple[float, float, float]:
    """Memory after start, memory with 40 sessions, mapped files of torch."""
    with live_server() as server:
        server.wait_until_quiet()
        after_start = server.memory_mb()
        return after_start, asyncio.run(_with_sessions(server)), float(server.torch_files())


async def _with_sessions(server: LiveServer) -> float:
    """Memory while 40 sessions are there, each with its page open, as many others having come and gone before."""
    for page in BEFORE:
        await gather([Session(page) for _ in range(SESSIONS)], server.address, 0.5)
    async with asyncio.TaskGroup() as staying:
        staying.create_task(gather([Session("train") for _ in range(SESSIONS)], server.address, STAY_SECONDS))
        await asyncio.sleep(SESSIONS * APART + STAY_SECONDS / 2)
        return server.memory_mb()
