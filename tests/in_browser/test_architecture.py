"""The diagram under a hand and a keyboard: what is chosen there is taken apart beside it, and stands in the address."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NETS = "net=plain-20&net=resnet-110"
FOLD = re.compile("more blocks, folded")


@pytest.fixture(scope="module")
def address(address: str) -> str:
    """This page's."""
    return f"{address}/architecture"


@pytest.fixture(scope="module")
def seen(chromium: "Browser", address: str) -> Iterator[Page]:
    """The page with a short plain net and a long residual one, opened once."""
    with another(chromium) as page:
        yield opened(page, f"{address}?{NETS}")


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    item(page, 0, "stem.conv").wait_for()
    return page


def item(page: Page, net: int, value: str) -> Locator:
    return page.locator(f'.diagram .item[data-net="{net}"][data-value="{value}"]')


def chosen(page: Page, net: int, value: str, heading: str) -> None:
    """It is marked, the equation is that net's, and both stand in the address."""
    expect(item(page, net, value)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("heading", name=f"A block of {heading}")).to_be_visible()
    expect(page).to_have_url(re.compile(f"layer={value.replace(':', '%3A')}"))


def test_a_click_chooses_the_net_and_its_block(seen: Page) -> None:
    item(seen, 0, "block:2").click()
    chosen(seen, 0, "block:2", "plain-20")
    expect(seen).to_have_url(re.compile("of=plain-20"))


def test_arrow_keys_walk_and_enter_chooses(seen: Page) -> None:
    item(seen, 0, "block:2").focus()
    for key, net, value in (
        ("ArrowDown", 0, "block:3"),
        ("ArrowUp", 0, "block:2"),
        ("ArrowRight", 1, "block:2"),
        ("ArrowUp", 1, "block:1"),
    ):
        seen.keyboard.press(key)
        expect(item(seen, net, value)).to_be_focused()
    seen.keyboard.press("Enter")
    chosen(seen, 1, "block:1", "resnet-110")
    expect(item(seen, 1, "block:1")).to_be_focused()  # the keyboard goes on from there
    seen.keyboard.press("ArrowLeft")
    seen.keyboard.press("Enter")
    chosen(seen, 0, "block:1", "plain-20")
    expect(seen).to_have_url(re.compile("of=plain-20"))


def test_the_pointer_reads_shapes_and_costs(seen: Page) -> None:
    item(seen, 1, "block:0").locator(".layer").first.hover()
    tip = seen.locator(".diagram .tip")
    expect(tip).to_contain_text("block 0, stage 1")
    expect(tip).to_contain_text("32×32×16 → 32×32×16")


def test_a_fold_opens_and_closes_by_keyboard(seen: Page) -> None:
    expect(item(seen, 1, "block:10")).to_have_count(0)
    seen.get_by_role("option", name=FOLD).first.focus()
    seen.keyboard.press("Enter")
    expect(item(seen, 1, "block:10")).to_have_count(1)
    seen.get_by_role("option", name="Fold this stage again").click()
    expect(item(seen, 1, "block:10")).to_have_count(0)


def test_the_drawing_is_enlarged_and_shown_whole(seen: Page) -> None:
    def wide() -> float:
        return float(seen.locator(".diagram svg").get_attribute("width") or 0)

    before = wide()
    item(seen, 0, "block:1").focus()
    seen.keyboard.press("+")
    assert wide() == pytest.approx(1.25 * before)
    seen.get_by_role("button", name="the whole net at once").click()
    below = "d => d.querySelector('.scroller').scrollHeight - d.querySelector('.scroller').clientHeight"
    assert seen.locator(".diagram").evaluate(below) <= 1
    seen.get_by_role("button", name="letters at full size").click()
    assert wide() == pytest.approx(before)


def test_another_browser_on_the_same_address_shows_the_same(page: Page, address: str) -> None:
    opened(page, f"{address}?{NETS}&of=plain-20&layer=block%3A2")
    chosen(page, 0, "block:2", "plain-20")
    page.get_by_text("Read the code: plain-20").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("class Net(nn.Module)")
