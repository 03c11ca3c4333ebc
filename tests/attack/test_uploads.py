"""Files that are sent beside the widget: counted before they are read, by page and of all."""

import asyncio
from collections import Counter

import pytest
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.base.settings import MODES
from app.server import uploads
from app.server.guard import Guard

MB = 1_000_000
DEMO = {name: MODES["demo"][name] for name in ("upload_mb", "uploads_mb")}


class Streamlit:
    """Takes what it is sent, and keeps it, as Streamlit does."""

    def __init__(self) -> None:
        self.held: Counter[str] = Counter()
        self.reading: Counter[str] = Counter()  # requests whose body it has begun to read

    def told(self, session: str) -> tuple[int, int]:
        """What the private door says."""
        return self.held[session], self.held.total()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = scope["path"].split("/")[-2]
        self.reading[session] += 1
        self.held[session] += len(await Request(scope, receive).body())
        await Response(status_code=204)(scope, receive, send)


@pytest.fixture
def streamlit(monkeypatch: pytest.MonkeyPatch) -> Streamlit:
    """In its place."""
    there = Streamlit()
    monkeypatch.setattr(uploads, "held_uploads", there.told)
    return there


async def put(guard: Guard, session: str, size: int, announced: int | None = -1, body: Receive | None = None) -> int:
    """Send a file; the status of the answer. `announced`: another length than it has, None: none."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(size), "more_body": False}

    length = size if announced == -1 else announced
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    path = f"/resnets/_stcore/upload_file/{session}/a-file"
    await guard({"type": "http", "method": "PUT", "path": path, "headers": headers}, body or receive, send)
    status = int(sent[0]["status"])
    if status == 503:
        assert Headers(raw=sent[0]["headers"])["retry-after"]
    return status


def test_a_page_sends_two_files_of_the_largest_size_and_is_refused_a_third(streamlit: Streamlit) -> None:
    guard = Guard(streamlit, **DEMO)

    async def tried() -> list[int]:
        return [await put(guard, "a", 10 * MB) for _ in range(4)]

    assert asyncio.run(tried()) == [204, 204, 413, 413]
    assert streamlit.reading["a"] == 2, "the others were not read"
    streamlit.held.clear()  # the page has taken them back, or is closed
    assert asyncio.run(put(guard, "a", 10 * MB)) == 204


def test_all_pages_together_hold_what_the_server_has_room_for(streamlit: Streamlit) -> None:
    guard = Guard(streamlit, **DEMO)

    async def tried() -> list[int]:
        return [await put(guard, f"page {page}", 10 * MB) for page in range(24)]

    assert Counter(asyncio.run(tried())) == {204: 4, 503: 20}
    assert streamlit.held.total() <= 40 * MB


def test_files_that_are_under_way_count_before_they_have_come(streamlit: Streamlit) -> None:
    guard = Guard(streamlit, **DEMO)

    async def tried() -> list[int]:
        return await asyncio.gather(*(put(guard, f"page {page}", 10 * MB) for page in range(24)))

    assert Counter(asyncio.run(tried())) == {204: 4, 503: 20}


@pytest.mark.parametrize(("announced", "status"), [(None, 411), (10**12, 413), (10**20, 411)])
def test_a_length_is_said_and_believed(streamlit: Streamlit, announced: int | None, status: int) -> None:
    assert asyncio.run(put(Guard(streamlit, **DEMO), "a", 10, announced)) == status
    assert not streamlit.reading


def test_who_sends_a_byte_now_and_then_gives_its_room_back(
    streamlit: Streamlit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "SECONDS", 0.0)
    monkeypatch.setattr(uploads, "PACE", 1000 * MB)
    guard = Guard(streamlit, **DEMO)

    async def never() -> Message:
        await asyncio.sleep(60)
        return {"type": "http.request"}

    async def tried() -> int:
        with pytest.raises(ClientDisconnect):
            await asyncio.wait_for(put(guard, "a", 10, 20 * MB, never), 5)
        return await put(guard, "a", 20 * MB)

    assert asyncio.run(tried()) == 204


def test_one_person_s_own_machine_counts_nothing(streamlit: Streamlit) -> None:
    guard = Guard(streamlit, upload_mb=50, uploads_mb=0)

    async def tried() -> list[int]:
        return [await put(guard, "a", MB) for _ in range(150)]

    assert set(asyncio.run(tried())) == {204}
