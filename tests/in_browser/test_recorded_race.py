"""A race that has ended, as a hand meets it: all of it shown again, moments and layers chosen, all in the address."""

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Locator, Page, expect

from tests.in_browser.test_race import AXES, opened, query, zoom
from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name=re.compile("step"))


def block(page: Page, index: int) -> Locator:
    return page.locator(f'.strip .item[data-row="0"][data-value="block:{index}"]')


def test_a_button_and_a_double_click_show_all_of_a_finished_race_again(page: Page, address: str) -> None:
    opened(page, f"{address}/train")
    whole = page.evaluate(AXES)
    zoom(page)
    page.locator(".live-chart").first.hover()
    page.locator('.live-chart >> nth=0 >> [data-title="Show all"]').click()
    page.wait_for_function(f"whole => JSON.stringify({AXES}) === JSON.stringify(whole)", arg=whole)
    zoom(page)
    box = page.locator(".live-chart .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.dblclick(box["x"] + 80, box["y"] + 80)
    page.wait_for_function(f"whole => JSON.stringify({AXES}) === JSON.stringify(whole)", arg=whole)


def test_moment_and_layer_are_in_the_address_and_another_browser_shows_them(
    page: Page, address: str, chromium: "Browser"
) -> None:
    opened(page, f"{address}/train")
    slider(page).focus()
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("step=4"))
    block(page, 5).click()
    expect(page).to_have_url(re.compile("layer=block(%3A|:)5"))
    with another(chromium) as second:
        opened(second, page.url)
        expect(slider(second)).to_have_attribute("aria-valuenow", "4")
        expect(block(second, 5)).to_have_attribute("aria-selected", "true")
        expect(second.get_by_text("At step 4 the first layer")).to_be_visible()


def test_a_click_into_the_map_selects_its_layer_and_step(page: Page, address: str) -> None:
    opened(page, f"{address}/train?run=reference-plain-56&run=reference-resnet-56")
    box = page.locator(".live-chart >> nth=1 >> .nsewdrag >> nth=0").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)
    expect(page).to_have_url(re.compile(r"step=1[3-7]\d&layer=stem\.conv|layer=stem\.conv&step=1[3-7]\d"))
    expect(page.get_by_role("heading", name="Step by step, in stem.conv")).to_be_visible()


def test_the_menus_are_in_the_address_by_name(page: Page, address: str) -> None:
    opened(page, f"{address}/train?recipe=paper&data=cifar-10")
    recipe = page.get_by_role("combobox", name=re.compile("Recipe"))
    expect(recipe).to_have_value("paper · 64,000 steps")
    recipe.click()
    page.get_by_role("option", name=re.compile("warmed up")).click()
    expect(page).to_have_url(re.compile("recipe=paper-warmup"))
    assert query(page)["data"] == ["cifar-10"]
