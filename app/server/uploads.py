"""Uploads are counted before they are read: Streamlit takes as many as are sent, and keeps them in memory."""

import asyncio
import re
import secrets
from collections import Counter

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.base import logs
from app.streamlit_doors import UPLOAD, held_uploads

PLACE = re.compile(rf"{UPLOAD}/([^/]+)/[^/]+$")
MB = 1_000_000
FILES = 2  # of the largest size, that one page may have sent and not taken back
FORM = 100_000  # bytes of a form around its file, and more
SECONDS, PACE = 30.0, 20_000  # an upload may take so long, and a second more for so many bytes

log = logs.events(__name__)


class Uploads:
    """Takes what a page may have sent, and all pages together. In MB, of one file and of all; 0: no limit."""

    def __init__(self, app: ASGIApp, upload_mb: int = 0, uploads_mb: int = 0) -> None:
        self.app, self.upload_mb, self.uploads_mb = app, upload_mb, uploads_mb
        self._coming: Counter[str] = Counter()  # bytes that are under way, by session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a file that there is no room for, before a byte of it is read."""
        place = PLACE.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if place is None or not self.uploads_mb:
            await self.app(scope, receive, send)
            return
        session, announced = place[1], Headers(scope=scope).get("content-length", "")
        length = int(announced) if re.fullmatch(r"[0-9]{1,15}", announced) else None
        if wrong := self._refused(session, length):
            status, told = wrong
            log.warning("refused", request=secrets.token_hex(4), limit="upload_mb" if status == 413 else "uploads_mb")
            await PlainTextResponse(told, status, {"Retry-After": "60"} if status == 503 else None)(
                scope, receive, send
            )
            return
        assert length is not None
        self._coming[session] += length
        try:
            await self.app(scope, _in_time(receive, SECONDS + length / PACE), send)
        finally:
            self._coming[session] -= length
            self._coming += Counter()  # forgets those that have none

    def _refused(self, session: str, length: int | None) -> tuple[int, str] | None:
        """Status and sentence for a file that is not taken."""
        if length is None:
            return 411, "An upload has to say how long it is."
        of_page, of_all = held_uploads(session)
        most = FILES * self.upload_mb * MB + FORM
        if of_page + self._coming[session] + length > most:
            return 413, f"This page has sent {FILES * self.upload_mb} MB. What it sent is kept; reload it to send more."
        if of_all + self._coming.total() + length > self.uploads_mb * MB:
            return 503, "Others are sending files, and this server has no room for more. Try again in a minute."
        return None


def _in_time(receive: Receive, seconds: float) -> Receive:
    """Gives up on who sends a byte now and then."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds

    async def heard() -> Message:
        try:
            async with asyncio.timeout_at(until):
                return await receive()
        except TimeoutError:
            return {"type": "http.disconnect"}

    return heard
