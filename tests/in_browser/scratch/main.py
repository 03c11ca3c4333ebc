"""A tiny server for the components' tests: nothing but the components, and what the launcher serves for them."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[0] = str(ROOT)  # as in app/main.py

import streamlit as st  # noqa: E402
from starlette.requests import Request  # noqa: E402
from starlette.responses import Response  # noqa: E402
from starlette.routing import Route  # noqa: E402

from app.server.routes import routes as served  # noqa: E402
from app.server.routes import vendor  # noqa: E402
from app.ui.widgets.component import PLOTLY_NAME  # noqa: E402


async def without_plotly(request: Request) -> Response:
    """All but plotly.js."""
    name = request.path_params["name"]
    return Response(status_code=404) if name == PLOTLY_NAME else await vendor(request)


routes = [Route("/vendor/{name}", without_plotly)] if os.environ.get("WITHOUT_PLOTLY") else served()
app = st.App(Path(__file__).with_name("page.py"), routes=routes)
