"""Two browsers at one server of a class: each owns what it starts, and the teacher's word reaches both."""

import re
from typing import TYPE_CHECKING

import pytest

from app.base.settings import ROOT
from tests.support.browser import Serve

playwright = pytest.importorskip("playwright.sync_api")

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

KEY = "open sesame"


def test_a_race_is_stopped_by_its_owner_and_by_the_teacher_and_by_nobody_else(
    chromium: "Browser", page: "Page", serve: Serve, tmp_path_factory: pytest.TempPathFactory
) -> None:
    expect = playwright.expect
    store = str(tmp_path_factory.mktemp("store"))
    address = serve(
        ROOT / "app" / "main.py",
        RESNET_EXPLORER_STORE=store,
        RESNET_EXPLORER_MODE="class",
        RESNET_EXPLORER_TEACHER_KEY=KEY,
    )
    page.goto(f"{address}/train?net=plain-56&width=32")
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url("**run=plain-56-*")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    [cookie] = [one for one in page.context.cookies() if one.get("name") == "resnet-explorer"]
    assert cookie.get("httpOnly")
    assert str(cookie.get("value")) not in page.url

    context = chromium.new_context()
    other = context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("Right now")).to_be_visible()
    expect(other.get_by_role("button", name="Start the race")).to_be_visible()
    assert other.get_by_role("button", name="Stop", exact=True).count() == 0

    other.goto(f"{address}/class")
    other.get_by_label("The teacher's key").fill(KEY)
    other.get_by_role("button", name="Open").click()
    other.get_by_role("textbox", name="Message").fill("Look <b>here</b>")
    other.get_by_role("button", name="Show to all").click()
    expect(page.get_by_text("Look <b>here</b>")).to_be_visible()
    numbers = page.request.get(f"{address}/metrics").text()
    assert re.search(r"^resnet_explorer_sessions 2(\.0)?$", numbers, re.MULTILINE)
    assert page.request.get(f"{address}/healthz").text() == "ok"
    context.close()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()
