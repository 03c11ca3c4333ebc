"""The route behind a live page's feed: of some runs, the parts that are asked for and have changed."""

import re
from collections.abc import Callable
from typing import get_args

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.base.histograms import FEED_SECONDS
from app.figures.norm_map import CellOf
from app.server.guard import NEVER
from app.ui.live.scene import Picture, Scene, scene
from app.ui.widgets.feed import Part, framed, signed
from app.ui.widgets.strip import selection

MOST_PARTS = 16
LONGEST = 120  # characters of a part's name


@FEED_SECONDS.time()
def live(request: Request) -> Response:
    """`run`, `key` and `following` as the page was given them; for each `part`, in `have` the etag of what it has.

    403: the key is not of this server, not for these runs, or too old; 404: a run is gone; 400: no such part.
    """
    query = request.query_params
    runs = tuple(query.getlist("run"))
    if not signed(runs, query.get("key", "")):
        return PlainTextResponse("These runs are not shown here.", 403, NEVER)
    names, have = query.getlist("part"), query.getlist("have")
    if len(names) > MOST_PARTS or len(have) != len(names) or any(len(name) > LONGEST for name in names):
        return PlainTextResponse("That is not asked by a page.", 400, NEVER)
    try:
        now = scene(runs)
        if "following" in query:
            now = now.followed()
        parts = [part(now, name) for name in names]
    except KeyError:
        return PlainTextResponse("One of these runs is gone.", 404, NEVER)
    except ValueError as error:
        return PlainTextResponse(str(error), 400, NEVER)
    new = [piece.body if piece.etag != there else b"" for piece, there in zip(parts, have, strict=True)]
    head = {
        "shape": now.shape,
        "parts": [[name, piece.etag, len(body)] for name, piece, body in zip(names, parts, new, strict=True)],
    }
    return Response(framed(head, b"".join(new)), 200, NEVER, "application/octet-stream")


def part(now: Scene, name: str) -> Part:
    """What a page knows under this name, which a scene gave it. Raises ValueError where no scene gives such a name."""
    what, _, of = name.removeprefix("caption ").partition(" ")
    if what in _PICTURES:
        picture = _PICTURES[what](now, of)
        return picture.caption.part if name.startswith("caption ") else picture.chart.part
    if what in _TEXTS:
        return _TEXTS[what](now, of)
    raise ValueError("There is no such part.")


def _words(now: Scene, of: str) -> Part:
    step, _, guess = of.partition(" ")
    return now.words(_step(step), guess or None).part


def _step(text: str) -> int | None:
    if text == "None":
        return None
    if re.fullmatch(r"[0-9]{1,8}", text):
        return int(text)
    raise ValueError("A step is a whole number.")


def _cells(text: str) -> CellOf:
    for known in get_args(CellOf):
        if text == known:
            return known
    raise ValueError("A cell is the mean, the largest or the smallest.")


_PICTURES: dict[str, Callable[[Scene, str], Picture]] = {
    "curves": lambda now, _: now.curves(),
    "maps": lambda now, of: now.maps(_cells(of)),
    "lines": lambda now, of: now.lines(_step(of)),
    "layer": lambda now, of: now.layer(now.layer_of(selection(of))),
}
_TEXTS: dict[str, Callable[[Scene, str], Part]] = {
    "numbers": lambda now, of: now.numbers(_step(of)).part,
    "words": _words,
    "progress": lambda now, _: now.progress(),
}
