"""The same over real sockets, against a server in each mode: two browsers, and what one sends of the other's page."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.base.browser_key import COOKIE
from app.base.settings import ROOT
from app.store.run import Run
from app.store.store import Store
from app.values.events import BlockCut
from tests.attack.grounds import NAME, NET
from tests.hostile.visitor import Visitor, asked, visit
from tests.support.browser import Serve
from tests.support.opening import spec, under_way
from tests.support.waiting import until
from tests.visitors.test_sharing import KEYS, OWNERS

pytestmark = pytest.mark.slow


def paused(folder: Path) -> str:
    """A run of A's in a store that no server has opened yet."""
    store = Store(folder)
    run = store.runs.create(spec(NET), NAME, OWNERS["a"])
    engine: Any = SimpleNamespace(store=store)
    under_way(engine, run, [50.0] * 10)
    store.runs.update(run.id, status="paused")
    store.close()
    return run.id


def found(folder: Path, run: str) -> tuple[Run, list[BlockCut]]:
    """The run and its cuts as they stand in the store, which the server has open, too."""
    store = Store(folder)
    try:
        return store.runs.get(run), store.events.cuts(run)
    finally:
        store.close()


async def pressed(address: str, page: str, query: str, label: str, by: str) -> None:
    """Find the button on A's page, and let this browser send that it was pressed, on a page of its own."""
    async with visit(address, page, query, f"{COOKIE}={KEYS['a']}") as owner:
        button = owner.widget("button", label)

    def press(message: BackMsg) -> None:
        message.rerun_script.widget_states.widgets.add(id=button, trigger_value=True)

    async with visit(address, page, query, f"{COOKIE}={KEYS[by]}") as sender:
        await sender.ask(press)


async def shown(address: str, page: str, query: str, by: str) -> Visitor:
    """A page as this browser is sent it."""
    async with visit(address, page, query, f"{COOKIE}={KEYS[by]}") as visitor:
        return visitor


@pytest.mark.parametrize("mode", ["local", "class", "demo"])
def test_what_one_browser_sends_of_anothers_page(serve: Serve, tmp_path: Path, mode: str) -> None:
    run = paused(tmp_path)
    before = found(tmp_path, run)
    address = serve(
        ROOT / "app" / "main.py",
        RESNET_EXPLORER_MODE=mode,
        RESNET_EXPLORER_STORE=str(tmp_path),
        RESNET_EXPLORER_WORKERS="1",
    )
    there = asyncio.run(shown(address, "train", f"run={run}", "b"))
    assert any("has no run" in one for one in there.refusals) == (mode == "demo")
    assert asked(address, "GET", f"/live?run={run}&part=curves&have=")[0] == 403
    asyncio.run(pressed(address, "lesions", f"run={run}&cut=1", "Train it without", "b"))
    if mode == "local":
        until(lambda: found(tmp_path, run) != before, "the cut, which anybody may make")
        return
    assert found(tmp_path, run) == before
    asyncio.run(pressed(address, "train", f"run={run}", "Go on", "b"))
    assert found(tmp_path, run) == before
    asyncio.run(pressed(address, "lesions", f"run={run}&cut=1", "Train it without", "a"))
    until(lambda: len(found(tmp_path, run)[1]) == 1, "what A asks of A's own run")
