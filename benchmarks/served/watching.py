"""Sessions that watch one live race, at 1 Hz: how long a refresh takes, and what the server needs for all of them.

The race is a recorded one, replayed (`replay_server.py`), so that no training takes the server's cores; in the last row
it trains, on the same cores. The clients speak Streamlit's protocol (`sessions.py`) and cost some of those cores
themselves: figures are a little worse than with browsers elsewhere. Processor time is that of the server and its idle
workers together.
"""

import asyncio
import json
import time
import urllib.request
from functools import partial
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

from app.base.settings import ROOT
from app.store.store import Store
from app.values.datasets import BUNDLED, DATASETS
from app.values.run_spec import RECIPES, RunSpec
from benchmarks.report.figures import Device, Figure, Row, Say, at_most, p95
from benchmarks.served.live_server import LiveServer, live_server
from benchmarks.served.sessions import APART, Session, gather
from models.spec import NetSpec

SESSIONS, CLASS = 40, 120
REFRESH = Row(f"{SESSIONS} sessions watching at 1 Hz: p95 of a refresh", "ms", {"cpu": at_most(60)})
SHARE = Row(f"{SESSIONS} sessions watching at 1 Hz: server CPU", "% of a core", {"cpu": at_most(60)})
FULL = Row(f"{CLASS} sessions watching at 1 Hz: p95 of a refresh", "ms", {"cpu": at_most(80)})
TRAINING = Row(f"{SESSIONS} sessions watching two runs that train here: p95 of a refresh", "ms", {"cpu": at_most(400)})
ROWS = (REFRESH, SHARE, FULL, TRAINING)

NETS = ("plain-56:width=8", "resnet-56:width=8")
PERIODS = (0.9, 1.1)  # of what is asked about: the feed of a live page, once a second
SECONDS = 30.0
SLICE = 5.0  # a repetition


def measure(device: Device, say: Say) -> list[Figure]:
    """Watch for half a minute each; each slice of it counts as a repetition."""
    figures = []
    with live_server(ROOT / "benchmarks" / "served" / "replay_server.py") as server:
        server.wait_until_quiet()
        with urllib.request.urlopen(f"{server.address}/replay", timeout=10) as answer:
            runs = json.load(answer)
        for row, count in ((REFRESH, SESSIONS), (FULL, CLASS)):
            p95s, shares, note = _watch(server, runs, count, say)
            figures.append(row.alone(p95s, note))
            if row is REFRESH:
                figures.append(SHARE.alone(shares, "server and idle workers"))
    runs = []
    with live_server(fill=partial(_queue, runs)) as server:
        p95s, _, note = _watch(server, runs, SESSIONS, say)
        figures.append(TRAINING.alone(p95s, note))
    return figures


def _queue(runs: list[str], folder: Path) -> None:
    """Two runs in a store that no engine has yet, longer than anybody looks; their ids are put into `runs`."""
    store, about = Store(folder), DATASETS[BUNDLED]
    for net in NETS:
        spec = RunSpec(net=NetSpec.parse(net).fitted(about.channels, about.classes), recipe=RECIPES["paper"], threads=1)
        runs.append(store.runs.create(spec).id)
    store.close()


def _watch(server: LiveServer, runs: list[str], count: int, say: Say) -> tuple[list[float], list[float], str]:
    """Milliseconds (p95) and shares of a core, slice by slice, and a note on how many refreshes there were."""
    sessions = [Session("train", urlencode({"run": runs}, doseq=True)) for _ in range(count)]
    shares = asyncio.run(_watched(server, sessions))
    if shown := [text for session in sessions for text in session.exceptions]:
        raise RuntimeError(f"{len(shown)} times the page showed an exception, the first time {shown[0]}")
    seen = [[took for period, took in session.refreshes if PERIODS[0] < period < PERIODS[1]] for session in sessions]
    if min(map(len, seen)) < 3:
        raise RuntimeError("a session was not refreshed: the race that it watches is not live")
    slices = round(SECONDS / SLICE)
    p95s = [1000 * p95(_part(seen, nth, slices)) for nth in range(slices)]
    refreshes = sum(map(len, seen))
    kilobytes = sum(session.received for session in sessions) / 1000 / refreshes
    note = f"{refreshes / SECONDS:.0f} refreshes/s, {kilobytes:.0f} kB each"
    say(f"{count} sessions: p95 {max(p95s):.0f} ms at worst; {note}")
    return p95s, shares, note


async def _watched(server: LiveServer, sessions: list[Session]) -> list[float]:
    """Let the sessions watch. Returns the server's share of one core in percent, slice by slice, once all are there."""
    watching = asyncio.create_task(gather(sessions, server.address, SECONDS))
    await asyncio.sleep(APART * len(sessions))
    marks = []
    for _ in range(round(SECONDS / SLICE)):
        marks.append((time.perf_counter(), server.cpu_seconds()))
        await asyncio.sleep(SLICE - 0.1)
    await watching
    return [100 * (used - before) / (at - since) for (since, before), (at, used) in pairwise(marks)]


def _part(seen: list[list[float]], nth: int, parts: int) -> list[float]:
    """The nth part of every session's refreshes, together."""
    return [
        took
        for refreshes in seen
        for took in refreshes[len(refreshes) * nth // parts : len(refreshes) * (nth + 1) // parts]
    ]
