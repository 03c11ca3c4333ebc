"""The unrolled picture under a hand and a keyboard: a block switched off takes half of the paths."""

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def address(address: str) -> str:
    """This page's."""
    return f"{address}/paths"


def opened(page: Page, address: str) -> Page:
    page.goto(address)
    page.locator(".unrolled .block").first.wait_for()
    return page


def alive(page: Page, count: int) -> None:
    """So many leaves, and so many x₀ in the equation, are still there."""
    expect(page.locator(".unrolled .leaf-row:not(.dead)")).to_have_count(count)
    expect(page.locator(".unrolled .equation .leaf:not(.dead)")).to_have_count(count)


def test_a_block_clicked_off_takes_half_of_the_paths_and_a_reload_keeps_it(page: Page, address: str) -> None:
    opened(page, f"{address}?n=4")
    alive(page, 16)
    page.locator(".unrolled .block").nth(1).click()
    alive(page, 8)
    expect(page.locator(".unrolled .count")).to_contain_text("2⁴ = 16 paths → 2³ = 8 left")
    expect(page.locator(".unrolled .verdict")).to_have_text("none left")
    expect(page).to_have_url(re.compile("off=1"))
    expect(page.get_by_text("2⁸ = 256 are left, half of all")).to_be_visible()
    page.locator('.strip .item[data-value="block:3"]').first.click()  # the strip is the same switch
    alive(page, 4)
    expect(page).to_have_url(re.compile(r"off=1(%2C|,)3"))
    page.reload()
    alive(page, 4)
    page.locator(".unrolled .block").nth(1).click()
    alive(page, 8)


def test_a_path_lights_its_blocks_its_bar_and_its_term_and_a_bar_its_paths(page: Page, address: str) -> None:
    opened(page, f"{address}?n=3")
    page.locator(".unrolled .leaf-row").nth(5).hover()  # through F₁, past F₂, through F₃
    expect(page.locator(".unrolled .block.on")).to_have_text(["F₁", "F₃"])
    expect(page.locator(".unrolled .equation .leaf.on")).to_have_count(1)
    expect(page.locator(".unrolled .which")).to_have_text("One path: through F₁, F₃, past the other block")
    page.locator(".unrolled .bar").nth(1).hover()
    expect(page.locator(".unrolled .leaf-row.on")).to_have_count(3)
    page.locator(".unrolled .equation .leaf").last.hover()
    expect(page.locator(".unrolled .leaf-row.on")).to_have_text(["3 branches"])


CHART = ".live-chart[aria-label^='Share of the paths']"
PARTS = f"document.querySelector({CHART!r} + ' .live-chart-plot').layout.shapes.map((bar) => Math.round(bar.x0 + 0.4))"


def lit(page: Page, *blocks: int) -> None:
    """These blocks of the strip are lit, and no others."""
    items = page.locator(".strip .item.lit")
    expect(items).to_have_count(len(blocks))
    for nth, block in enumerate(blocks):
        expect(items.nth(nth)).to_have_attribute("data-value", f"block:{block}")


def test_paths_light_their_blocks_in_the_strip_and_their_part_of_the_bars_and_the_other_way_round(
    page: Page, address: str
) -> None:
    page.set_viewport_size({"width": 1440, "height": 1800})
    opened(page, f"{address}?run=reference-resnet-56&n=3")  # its paths are counted at once, and nothing is measured
    page.wait_for_selector(f"{CHART}[data-updates] .nsewdrag")
    page.locator(".strip .item").first.wait_for()
    on = page.locator(".unrolled .leaf-row.on")
    page.locator(".unrolled .leaf-row").nth(5).hover()  # through F₁, past F₂, through F₃
    lit(page, 0, 2)
    page.wait_for_function(f"{PARTS}.includes(14) && !{PARTS}.includes(1)")  # 2 branches, and 12 of the other 24
    page.locator(".unrolled .equation .leaf").first.hover()  # past all of them
    page.wait_for_function(f"{PARTS}.includes(12) && !{PARTS}.includes(23)")
    lit(page)

    page.locator('.strip .item[data-value="block:1"]').first.hover()
    expect(on).to_have_count(4)
    lit(page, 1)
    page.locator('.strip .item[data-value="block:9"]').first.hover()
    expect(page.locator(".unrolled .which")).to_contain_text("F₁₀ is not drawn")
    expect(on).to_have_count(0)

    page.locator(f"{CHART} .bars .point").nth(13).hover(force=True)  # plotly.js's own cover is above it
    expect(on).to_have_count(8)
    page.wait_for_function(f"{PARTS}.join() === '13'")
    page.mouse.move(2, 2)
    expect(on).to_have_count(0)
    page.wait_for_function(f"{PARTS}.length === 0")


def test_arrow_keys_walk_the_blocks_and_space_switches(page: Page, address: str) -> None:
    opened(page, address)
    page.locator(".unrolled .block").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    block = page.locator(".unrolled .block").nth(1)
    expect(block).to_be_focused()
    expect(block).to_have_attribute("aria-checked", "false")
    alive(page, 4)
    expect(page).to_have_url(re.compile("off=1"))


def test_another_browser_at_the_same_address_sees_the_same(chromium: "Browser", address: str) -> None:
    with another(chromium, viewport={"width": 390, "height": 800}) as phone:
        opened(phone, f"{address}?n=5&off=0,2&fold=true")
        expect(phone.locator(".unrolled .leaf-row:not(.dead)")).to_have_count(8)
        expect(phone.locator(".unrolled .line")).to_have_count(5)
        assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out on a phone"
