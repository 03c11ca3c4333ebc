"""A tiny server for the components' tests: nothing but the components, and plotly.js where the launcher has it."""

import os
from pathlib import Path

import plotly
import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


async def plotly_js(_request: Request) -> FileResponse:
    """plotly.js, as app/main.py serves it."""
    return FileResponse(PLOTLY_JS, media_type="text/javascript")


routes = [] if os.environ.get("WITHOUT_PLOTLY") else [Route("/vendor/plotly.min.js", plotly_js)]
app = st.App(Path(__file__).with_name("page.py"), routes=routes)
