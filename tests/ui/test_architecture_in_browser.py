"""The Architecture page as a hand and a keyboard meet it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import Serve

pytestmark = pytest.mark.browser

MAIN = Path(__file__).resolve().parents[2] / "app" / "main.py"


@pytest.fixture(scope="module")
def address(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> str:
    return serve(MAIN, RESNET_EXPLORER_STORE=str(tmp_path_factory.mktemp("store"))) + "/architecture"


def test_choose_hover_walk_zoom_and_unfold(page: Page, address: str) -> None:
    """One visit: the paper's figure, a block by hand and one by keyboard, then a thousand layers that unfold."""
    page.goto(address)
    columns = page.locator(".diagram .column")
    expect(columns).to_have_count(3)
    block = columns.nth(2).locator('.item[data-value="block:3"]')
    block.hover()
    expect(page.locator(".diagram .tip")).to_contain_text("multiply-adds")
    block.click()
    expect(page).to_have_url(re.compile("layer=block(%3A|:)3"))
    expect(block).to_have_attribute("aria-selected", "true")
    expect(page.locator(".katex").first).to_contain_text("F4")

    page.keyboard.press("ArrowLeft")  # the plain net's block that stands beside it
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("of=imagenet-plain-34"))
    expect(page.get_by_role("heading", name=re.compile("A block of imagenet-plain-34"))).to_be_visible()

    page.get_by_role("button", name="the whole net at once").click()
    scroller = page.locator(".diagram .scroller")
    assert scroller.evaluate("e => e.scrollHeight <= e.clientHeight + 4")

    page.goto(f"{address}?net=resnet-1202")
    fold = page.get_by_role("option", name=re.compile("196 more blocks"))
    fold.first.click()
    expect(page.locator('.diagram .item[data-value="block:100"]')).to_have_count(1)


def test_on_a_phone_the_page_never_scrolls_sideways(page: Page, address: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    expect(page.locator(".diagram .column")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    words = page.locator(".diagram .layer text").first
    assert (words.bounding_box() or {"height": 0})["height"] >= 11
