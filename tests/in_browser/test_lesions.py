"""The cutting table under a hand: cut, undo, another order, a run cut while it trains; an address brings it back."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUERY = "run=reference-resnet-20&study="  # no study by itself


@pytest.fixture(scope="module")
def address(address: str) -> str:
    """This page's."""
    return f"{address}/lesions"


@pytest.fixture(scope="module")
def seen(chromium: "Browser", address: str) -> Iterator[Page]:
    """The page, opened once."""
    with another(chromium) as page:
        page.goto(f"{address}?{QUERY}")
        expect(page.get_by_text("Nothing is cut")).to_be_visible()
        yield page


def block(page: Page, index: int) -> Locator:
    return page.locator(f'.strip .item[data-value="block:{index}"]')


def order(page: Page) -> list[str]:
    values = "all => all.map((one) => one.dataset.value).filter((value) => value.startsWith('block:'))"
    return [value.removeprefix("block:") for value in page.locator(".strip .item").evaluate_all(values)]


def cut_is(page: Page, text: str) -> None:
    expect(page.get_by_role("textbox", name="The cut")).to_have_value(text)


def error(page: Page) -> str:
    """The cut net's error, once it is there."""
    expect(page.get_by_text("is coming")).to_have_count(0)
    return page.locator(".now b").nth(1).inner_text()


def test_a_click_cuts_at_once_and_the_address_brings_the_same_error(seen: Page) -> None:
    # The class is looked for in the same turn of the browser's loop: no server can have answered.
    at_once = "b => { b.dispatchEvent(new MouseEvent('click', {bubbles: true})); return b.classList.contains('cut'); }"
    assert block(seen, 4).evaluate(at_once)
    expect(seen).to_have_url(re.compile(r"cut=4"))
    expect(seen.get_by_text("without block 4 errs")).to_be_visible()
    measured = error(seen)
    seen.reload()
    expect(seen.get_by_text("without block 4 errs")).to_be_visible()
    expect(block(seen, 4)).to_have_class(re.compile(r"\bcut\b"))
    assert error(seen) == measured
    seen.get_by_role("button", name="Put all back").click()
    expect(seen.get_by_text("Nothing is cut")).to_be_visible()
    expect(seen).not_to_have_url(re.compile(r"cut="))
    seen.get_by_role("button", name="Undo").click()
    cut_is(seen, "4")
    seen.get_by_role("button", name="Put all back").click()
    cut_is(seen, "")


def test_a_block_is_dragged_within_its_stage_and_nowhere_else(seen: Page) -> None:
    block(seen, 1).drag_to(block(seen, 4))
    block(seen, 1).drag_to(block(seen, 2))
    cut_is(seen, "2-1")
    assert order(seen) == ["0", "2", "1", "3", "4", "5", "6", "7", "8"]
    expect(block(seen, 1)).to_have_class(re.compile(r"\bmoved\b"))


def test_alt_and_an_arrow_key_move_a_block(seen: Page) -> None:
    block(seen, 1).focus()
    seen.keyboard.press("Alt+ArrowLeft")
    cut_is(seen, "")
    expect(block(seen, 1)).to_be_focused()
    seen.keyboard.press("Alt+ArrowLeft")
    cut_is(seen, "1-0")
    seen.keyboard.press("Alt+ArrowLeft")  # the stage ends there
    cut_is(seen, "1-0")


def test_a_run_is_cut_while_it_trains_and_the_event_stays_with_it(seen: Page, address: str) -> None:
    seen.goto(f"{address.removesuffix('lesions')}train?net=resnet-8&width=4&recipe=paper")  # outlasts any test
    seen.get_by_role("button", name="Start the race").click()
    seen.wait_for_url(re.compile("run="))
    seen.wait_for_function(
        "() => document.querySelector('.st-key-errors .js-plotly-plot')?.data?.some((one) => one.y?.length > 0)"
    )
    run = parse_qs(urlparse(seen.url).query)["run"][0]
    seen.goto(f"{address}?run={run}&study=&cut=1")
    expect(seen.get_by_text("without block 1 errs")).to_be_visible()  # drawn again meanwhile, it may lose a click
    seen.get_by_role("button", name="Train it without block 1").click()
    expect(seen.get_by_text("It trains without block 1.")).to_be_visible()
    seen.get_by_role("button", name="Put its blocks back").click()
    expect(seen.get_by_text("It trains whole.")).to_be_visible()
    seen.reload()
    cut = seen.get_by_text(re.compile(r"From step [\d,]+ on without block 1: [\d.]+ % of its training images wrong"))
    expect(cut).to_be_visible()
    expect(seen.get_by_text(re.compile(r"From step [\d,]+ on with all blocks back: "))).to_be_visible()
