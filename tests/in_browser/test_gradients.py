"""The gradients page under a hand: a block is followed everywhere, and the address shows the same elsewhere."""

import re
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = "run=reference-plain-20&run=reference-resnet-20"


FIRST_CHART = "document.querySelector('.live-chart-plot')?.data"  # nothing before Plotly has drawn it


def lines(page: Page) -> list[str]:
    """The lines of the first chart, by name, once it is drawn."""
    page.wait_for_function(f"{FIRST_CHART}?.length")
    return [str(name) for name in page.evaluate(f"{FIRST_CHART}.map((t) => t.name)")]


def test_a_block_of_the_strip_is_followed_and_another_browser_sees_the_same(
    page: Page, chromium: "Browser", address: str
) -> None:
    page.goto(f"{address}/gradients?{RUNS}")
    page.wait_for_function(f"{FIRST_CHART}?.some((t) => t.name.endsWith('step 0'))")
    assert [name for name in lines(page) if name.endswith("step 0")] == ["plain-20, step 0", "resnet-20, step 0"]
    page.locator(".strip .row").nth(1).locator('[data-value="block:4"]').first.click()
    expect(page).to_have_url(re.compile("layer=block%3A4"))
    expect(page.get_by_role("heading", name="Step by step, in blocks.4.branch.conv1")).to_be_visible()
    page.get_by_role("radio", name="weights", exact=True).click()
    expect(page).to_have_url(re.compile("gradient=weights"))
    box = page.locator(".live-chart >> nth=1 >> .nsewdrag >> nth=0").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 3)
    stems = page.locator('.strip .item[data-value="stem.conv"]')
    expect(page.locator(".strip .item.hinted")).to_have_count(2)  # the layer under the pointer, in both rows
    expect(stems.first).to_have_class(re.compile("hinted"))
    page.mouse.move(2, 2)
    expect(page.locator(".strip .item.hinted")).to_have_count(0)
    with another(chromium) as other:
        other.goto(page.url)
        expect(other.get_by_text("1/‖w‖")).to_be_visible()
        expect(other.get_by_role("heading", name="Step by step, in blocks.4.branch.conv1")).to_be_visible()
