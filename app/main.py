"""`streamlit run app/main.py`: starts the engine, then serves `shell.py` and the plotly.js that Python ships.

No torch in this process: it paints in a second, and a crash in training cannot take the class down.
"""

import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Streamlit puts app/ first; with it there, `app.figures` and `figures` would be two modules.
sys.path[0] = str(ROOT)

import streamlit as st  # noqa: E402
from starlette.concurrency import run_in_threadpool  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import FileResponse, PlainTextResponse, Response  # noqa: E402
from starlette.routing import Route  # noqa: E402
from streamlit import config  # noqa: E402

from app.base import logs  # noqa: E402
from app.base.memory import give_back_large_blocks  # noqa: E402
from app.base.settings import load  # noqa: E402
from app.server.guard import NEVER, Guard, may_measure  # noqa: E402
from app.server.live_feed import live  # noqa: E402
from app.server.sockets import send_at_once  # noqa: E402
from app.ui.widgets.component import MODULES, PLOTLY_JS, PLOTLY_NAME  # noqa: E402

KEEP = {"Cache-Control": "public, max-age=31536000, immutable"}  # every name changes with what it names


async def vendor(request: Request) -> Response:
    """The components' modules, and the plotly.js that the Python package ships: a page needs no other host."""
    name = request.path_params["name"]
    if name == PLOTLY_NAME:  # 4.8 MB, 1.5 MB gzipped
        return FileResponse(PLOTLY_JS, media_type="text/javascript", headers=KEEP)
    if name in MODULES:
        return Response(MODULES[name], media_type="text/javascript", headers=KEEP)
    return Response(status_code=404)


async def healthz(_request: Request) -> Response:
    """200 while the engine takes what happens and the disk takes what it stores; else 503, and why."""
    from app.engine import process
    from app.server.metrics import health

    wrong = health(process.engine())
    return PlainTextResponse(wrong or "ok", 503 if wrong else 200, NEVER)


async def metrics(request: Request) -> Response:
    """The numbers that Prometheus collects, for those who may read them."""
    from app.engine import process
    from app.server.metrics import exposition

    engine = process.engine()
    key = engine.settings.metrics_key
    if not may_measure(request.scope, key.get_secret_value() if key else ""):
        return Response(
            status_code=401 if key else 403, headers=NEVER | ({"WWW-Authenticate": "Bearer"} if key else {})
        )
    text = await run_in_threadpool(exposition, engine)
    return PlainTextResponse(text, 200, NEVER, "text/plain; version=0.0.4")


OURS = {"/vendor/{name}": vendor, "/live": live, "/healthz": healthz, "/metrics": metrics}


def routes() -> list[Route]:
    """What the server answers besides Streamlit, at the root and, where there is one, below the base path.

    A proxy may forward only the base path; without these routes Streamlit answers there too, with its page.
    """
    base = config.get_option("server.baseUrlPath").strip("/")
    below = ["", f"/{base}"] if base else [""]
    return [Route(start + path, answer) for start in below for path, answer in OURS.items()]


def _guarded() -> dict[str, Any]:
    """What the guard has to know of the settings."""
    st.secrets.load_if_toml_exists()  # a host that has no environment to set gives settings as Streamlit's secrets
    try:
        settings = load()
    except ValueError:  # said when the engine starts
        return {}
    if settings.mode != "local":
        config.set_option("client.showErrorDetails", "none")  # the log has them
    hosts = [name.strip() for name in settings.allowed_hosts.split(",") if name.strip()]
    return {"most_open": settings.max_sessions, "frame_ancestors": settings.frame_ancestors, "hosts": hosts}


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """The engine lives as long as the server."""
    from app.engine import process

    give_back_large_blocks()
    try:
        settings = load()
        logs.begin(settings)
        process.start(settings)
    except (RuntimeError, ValueError) as error:
        print(f"ResNet Explorer cannot start: {error}", file=sys.stderr, flush=True)
        os._exit(2)  # uvicorn would bury the sentence under a traceback; nothing has begun that could be lost
    send_at_once()
    gc.collect()
    gc.freeze()  # no collection looks at what was there before the first page
    try:
        yield
    finally:
        process.stop()


app = st.App(
    Path(__file__).with_name("shell.py"),
    lifespan=lifespan,
    routes=routes(),
    middleware=[Middleware(Guard, **_guarded())],
)
