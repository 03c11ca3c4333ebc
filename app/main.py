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

AGAIN, IN_VAIN = 1, 2  # exit statuses: to start it again may help, or not; deploy/resnet-explorer.service reads them
ROOT = Path(__file__).resolve().parents[1]
# Streamlit puts app/ first; with it there, `app.figures` and `figures` would be two modules.
sys.path[0] = str(ROOT)

import streamlit as st  # noqa: E402
from starlette.middleware import Middleware  # noqa: E402
from streamlit import config  # noqa: E402

from app.base import logs  # noqa: E402
from app.base.memory import give_back_large_blocks  # noqa: E402
from app.base.prose_check import missing_passages  # noqa: E402
from app.base.settings import load  # noqa: E402
from app.server.guard import Guard  # noqa: E402
from app.server.origins import LOOPBACK  # noqa: E402
from app.server.routes import routes  # noqa: E402
from app.streamlit_doors import half_open_ended, send_at_once, take_more_connections  # noqa: E402

log = logs.events(__name__)


def _guarded() -> dict[str, Any]:
    """What the guard has to know of the settings."""
    st.secrets.load_if_toml_exists()  # a host that has no environment to set gives settings as Streamlit's secrets
    try:
        settings = load()
    except ValueError:  # said when the engine starts
        return {}
    if settings.mode != "local":
        config.set_option("client.showErrorDetails", "none")  # the log has them
    config.set_option("server.maxUploadSize", settings.upload_mb)
    hosts = [name.strip() for name in settings.allowed_hosts.split(",") if name.strip()]
    return {
        "most_open": settings.max_sessions,
        "frame_ancestors": settings.frame_ancestors,
        "hosts": hosts,
        "own_alone": settings.mode == "local",
        "trusted_proxies": settings.trusted_proxies,
        "most_from_one": settings.address_sessions,
        "upload_mb": settings.upload_mb,
        "uploads_mb": settings.uploads_mb,
        "metrics_key": settings.metrics_key.get_secret_value() if settings.metrics_key else "",
    }


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """The engine lives as long as the server."""
    from app.engine import process

    give_back_large_blocks()
    try:
        settings = load()
        logs.begin(settings)
        if missing := missing_passages():
            raise ValueError(f"assets/prose lacks {', '.join(missing)}; nothing was started")
        process.start(settings)
    except (RuntimeError, ValueError, OSError) as error:
        print(f"ResNet Explorer cannot start: {error}", file=sys.stderr, flush=True)
        # Not raised: uvicorn would bury the sentence under a traceback, and nothing has begun that could be lost. What
        # the system refuses may go well the next time, a scheduler that is not up yet; wrong settings or a store in use
        # will not.
        os._exit(AGAIN if isinstance(error, OSError) else IN_VAIN)
    if settings.mode != "local" and config.get_option("server.address") in LOOPBACK:
        told = "a proxy of this machine hands on what others ask, or --server.address 0.0.0.0 lets them ask"
        log.info("only this machine is answered", address=config.get_option("server.address"), others=told)
    send_at_once()
    take_more_connections()
    gc.collect()
    gc.freeze()  # no collection looks at what was there before the first page
    try:
        async with half_open_ended():
            yield
    finally:
        process.stop()


app = st.App(
    Path(__file__).with_name("shell.py"),
    lifespan=lifespan,
    routes=routes(),
    middleware=[Middleware(Guard, **_guarded())],
)
