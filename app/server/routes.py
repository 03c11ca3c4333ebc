"""What the server answers besides Streamlit: the components, the feed of live pages, its health and its numbers."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from streamlit import config

from app.engine import process
from app.server.guard import NEVER, may_measure
from app.server.live_feed import live
from app.server.metrics import CONTENT_TYPE, exposition, health
from app.ui.page.frame import NAMES
from app.ui.widgets.component import MODULES, PLOTLY_JS, PLOTLY_NAME

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
    wrong = health(process.engine())
    return PlainTextResponse(wrong or "ok", 503 if wrong else 200, NEVER)


async def metrics(request: Request) -> Response:
    """The numbers that Prometheus collects, for those who may read them."""
    engine = process.engine()
    key = engine.settings.metrics_key
    if not may_measure(request.scope, key.get_secret_value() if key else ""):
        return Response(
            status_code=401 if key else 403, headers=NEVER | ({"WWW-Authenticate": "Bearer"} if key else {})
        )
    text = await run_in_threadpool(exposition, engine)
    return Response(text, 200, NEVER | {"Content-Type": CONTENT_TYPE})


async def page(request: Request) -> Response:
    """Streamlit answers below a page too, with one that finds none of its scripts: lead to the page itself.

    What a script asks there is not found: so Streamlit's own looks for the server's base path.
    """
    if "text/html" not in request.headers.get("accept", ""):
        return Response(status_code=404)
    path = request.url.path.removesuffix(request.path_params["rest"]).rstrip("/")
    return RedirectResponse(path + (f"?{request.url.query}" if request.url.query else ""), 307, NEVER)


OURS = {"/vendor/{name}": vendor, "/live": live, "/healthz": healthz, "/metrics": metrics}


def routes() -> list[Route]:
    """At the root and, where there is one, below the base path.

    A proxy may forward only the base path; without these routes Streamlit answers there too, with its page.
    """
    base = config.get_option("server.baseUrlPath").strip("/")
    here = f"/{base}" if base else ""
    ours = [Route(start + path, answer) for start in dict.fromkeys(("", here)) for path, answer in OURS.items()]
    # Not at the root where there is a base path: it may begin with the name of a page, as class/resnets does.
    return [*ours, *(Route(f"{here}/{name}/{{rest:path}}", page) for name in NAMES)]
