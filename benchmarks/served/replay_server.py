"""The app with two recorded runs in it that look live, for `watching`: `streamlit run` this file.

What 40 sessions that watch a race cost is asked of the server alone. Training the race meanwhile would take the same
cores, so nothing trains here: once `/replay` is asked for, a thread records the bundled runs' own events anew, as runs
that are under way, at the pace of two cores. Store, pages and all between them cannot tell the difference; left out is
only Dask's message that brings an event from a worker.
"""

import gzip
import json
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # as in app/main.py

import streamlit as st  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import JSONResponse  # noqa: E402
from starlette.routing import Route  # noqa: E402

from app import main  # noqa: E402
from app.base.settings import ASSETS, load  # noqa: E402
from app.engine import process  # noqa: E402
from app.server.routes import routes  # noqa: E402
from app.store.store import Store  # noqa: E402
from app.values.events import Event, RunFinished, StepMeasured, from_json  # noqa: E402
from app.values.run_spec import RunSpec  # noqa: E402

REFERENCES = ("reference-plain-56", "reference-resnet-56")
STEPS_PER_SECOND = 4.0  # of each run
ALREADY = 60  # steps made before anybody watches

Recorded = dict[str, list[Event]]


def enter() -> Recorded:
    """A run for each reference in this server's store, paused: the engine, not yet started, would queue it again."""
    store = Store(load().store)
    entered: Recorded = {}
    for name in REFERENCES:
        folder = ASSETS / "reference" / name
        spec = RunSpec.model_validate(json.loads((folder / "run.json").read_text())["spec"])
        run = store.runs.create(spec).id
        store.runs.update(run, status="paused")
        entered[run] = from_json(gzip.decompress((folder / "events.json.gz").read_bytes()))
    store.close()
    return entered


def replay(recorded: Recorded) -> None:
    """Record every run's events, its first steps at once, and never its end."""
    store = process.engine().store
    for run, events in recorded.items():
        begun = events.index(next(event for event in events if event.step == ALREADY))
        store.events.record(run, 0, events[:begun])
        store.runs.update(run, status="running")
        del events[:begun]
    while any(recorded.values()):
        for run, events in recorded.items():
            time.sleep(1 / STEPS_PER_SECOND / len(recorded))
            due = next((at for at, event in enumerate(events) if isinstance(event, StepMeasured)), len(events) - 1) + 1
            store.events.record(run, 0, [event for event in events[:due] if not isinstance(event, RunFinished)])
            del events[:due]


async def start(request: Request) -> JSONResponse:
    """Begin, and say which runs to watch."""
    threading.Thread(target=replay, args=(recorded,), name="replay", daemon=True).start()
    return JSONResponse(list(recorded))


@asynccontextmanager
async def lifespan(own: object) -> AsyncIterator[None]:
    """The app's own, with the runs in its store before it begins."""
    recorded.update(enter())
    async with main.lifespan(own):
        yield


recorded: Recorded = {}
app = st.App(
    ROOT / "app" / "shell.py",
    lifespan=lifespan,
    routes=[*routes(), Route("/replay", start)],
)
