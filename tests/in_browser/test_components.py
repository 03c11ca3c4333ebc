"""The components as a hand and a keyboard meet them, in a real browser, while their data changes."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import Serve

SCRATCH = Path(__file__).parent / "scratch" / "main.py"


@pytest.fixture(scope="module")
def address(serve: Serve) -> str:
    return serve(SCRATCH)


@pytest.fixture
def live(page: Page, address: str) -> Page:
    page.goto(address)
    page.wait_for_selector("#root .live-chart[data-updates] .nsewdrag")
    page.wait_for_selector(".strip .row")
    return page


def says(page: Page, text: str | re.Pattern[str]) -> None:
    """The server has been told `text`."""
    expect(page.get_by_test_id("stText")).to_contain_text(text)


def block(page: Page, row: int, index: int) -> Locator:
    return page.locator(f'.strip >> nth=0 >> .item[data-row="{row}"][data-value="block:{index}"]')


def axis_range(page: Page) -> list[float]:
    return list(page.locator(".live-chart-plot").first.evaluate("plot => plot.layout.xaxis.range"))


def updates(page: Page) -> int:
    return int(page.locator(".live-chart").first.get_attribute("data-updates") or 0)


def wait_for_updates(page: Page, more: int) -> None:
    wanted = updates(page) + more
    page.wait_for_function("n => Number(document.querySelector('.live-chart').dataset.updates) >= n", arg=wanted)


def test_a_click_selects_the_block_in_every_row_and_in_the_address(live: Page) -> None:
    block(live, 0, 4).click()
    says(live, "layer=block:4")
    expect(block(live, 1, 4)).to_have_attribute("aria-selected", "true")
    expect(live).to_have_url(re.compile(r"layer=block%3A4|layer=block:4"))


def test_the_layers_of_the_selected_block_can_be_chosen(live: Page) -> None:
    block(live, 1, 3).click()
    live.get_by_role("button", name=re.compile("conv2 ")).click()
    says(live, "layer=blocks.3.branch.conv2")


def test_arrow_keys_move_and_enter_selects(live: Page) -> None:
    live.get_by_role("option", name=re.compile("^stem.conv")).first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        live.keyboard.press(key)
    says(live, "layer=block:2")
    live.keyboard.press("Escape")
    says(live, "layer=None")


def test_one_item_of_the_strip_is_in_the_tab_order(live: Page) -> None:
    in_order = live.locator(".strip >> nth=0 >> .item[tabindex='0']")
    expect(in_order).to_have_count(1)


def test_a_long_net_is_folded_and_unfolds(live: Page) -> None:
    fold = live.get_by_role("option", name=re.compile("more blocks")).first
    expect(fold).to_have_attribute("aria-label", re.compile("^196 more"))
    fold.click()
    expect(live.locator('.item[data-value="block:100"]')).to_have_count(1)
    assert live.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page itself never scrolls"


def test_in_the_cut_mode_a_click_takes_a_block_out_and_puts_it_back(live: Page) -> None:
    target = live.locator('.strip >> nth=1 >> .item[data-value="block:2"]')
    target.click()
    says(live, "cut=[2]")
    target.click()
    says(live, "cut=[]")


def test_the_slider_answers_to_keys_and_reports_when_they_rest(live: Page) -> None:
    slider = live.get_by_role("slider", name=re.compile("step"))
    slider.focus()
    live.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    for _ in range(3):
        live.keyboard.press("ArrowRight")
    says(live, "step=3 ")
    live.keyboard.press("PageUp")
    says(live, "step=78 ")
    live.keyboard.press("End")
    says(live, "step=None")


def test_the_slider_is_dragged_and_goes_back_to_live(live: Page) -> None:
    track = live.get_by_role("slider", name=re.compile("step"))
    box = track.bounding_box()
    assert box is not None
    middle = box["y"] + 19
    live.mouse.move(box["x"] + 10, middle)
    live.mouse.down()
    live.mouse.move(box["x"] + box["width"] * 60 / 312, middle, steps=5)
    live.mouse.up()
    expect(live).to_have_url(re.compile(r"step=\d+"))
    chosen = int(track.get_attribute("aria-valuenow") or 0)
    assert 45 <= chosen <= 75
    says(live, f"step={chosen} ")
    wait_for_updates(live, 2)
    expect(track).to_have_attribute("aria-valuenow", str(chosen))
    live.get_by_role("button", name="back to live").click()
    says(live, "step=None")


def test_zoom_is_kept_while_the_data_changes(live: Page) -> None:
    box = live.locator(".live-chart .nsewdrag").first.bounding_box()
    assert box is not None
    live.mouse.move(box["x"] + 40, box["y"] + 40)
    live.mouse.down()
    live.mouse.move(box["x"] + 160, box["y"] + 160, steps=6)
    live.mouse.up()
    range_of = "document.querySelector('.live-chart-plot').layout.xaxis.range"
    live.wait_for_function(f"{range_of}[1] - {range_of}[0] < 200")
    zoomed = axis_range(live)
    plot = live.locator(".live-chart-plot").first
    plot.evaluate("plot => { plot.dataset.same = 'yes' }")
    points = plot.evaluate("plot => plot.data[0].x.length")
    says(live, re.compile("newest=12[2-9]"))  # the axis has grown meanwhile
    wait_for_updates(live, 1)
    assert axis_range(live) == zoomed
    assert plot.evaluate("plot => plot.data[0].x.length") > points, "the data did change"
    assert plot.get_attribute("data-same") == "yes", "the element was never replaced"
    live.mouse.dblclick(box["x"] + 60, box["y"] + 60)
    live.wait_for_function(f"{range_of}[0] < 0 && {range_of}[1] > 312")


def test_a_click_on_the_map_selects_its_step_and_layer(live: Page) -> None:
    box = live.locator(".live-chart >> nth=1 >> .nsewdrag >> nth=0").bounding_box()
    assert box is not None
    live.mouse.click(box["x"] + 20, box["y"] + box["height"] - 3)
    says(live, "layer=stem.conv")
    expect(live).to_have_url(re.compile(r"step=\d+"))


def test_another_browser_on_the_same_address_shows_the_same(live: Page, address: str) -> None:
    live.goto(f"{address}/?step=42&layer=block:3")
    says(live, "step=42 layer=block:3")
    expect(block(live, 1, 3)).to_have_attribute("aria-selected", "true")


def test_nonsense_in_the_address_is_dropped_with_a_sentence(live: Page, address: str) -> None:
    live.goto(f"{address}/?step=minus&layer=<b>x</b>&net=plain-57")
    says(live, "step=None layer=None")
    expect(live.get_by_test_id("stAlert")).to_have_count(3)


def test_the_charts_work_under_a_base_path_and_ask_for_nothing_beside_it(page: Page, serve: Serve) -> None:
    address = serve(SCRATCH, base="class/resnets")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/")
    page.wait_for_selector(".live-chart[data-updates] .nsewdrag")
    page.wait_for_selector(".strip .row")
    assert any("/vendor/" in url for url in asked)
    assert not [url for url in asked if url.startswith("http") and not url.startswith(f"{address}/")]


def test_a_chart_without_its_library_says_so(page: Page, serve: Serve) -> None:
    page.goto(serve(SCRATCH, WITHOUT_PLOTLY="1"))
    expect(page.locator(".live-chart-note").first).to_contain_text("could not be drawn")


def test_on_a_phone_the_page_never_scrolls_sideways(phone: Page, address: str) -> None:
    phone.emulate_media(color_scheme="dark")
    phone.goto(address)
    phone.wait_for_selector(".live-chart[data-updates]")
    phone.wait_for_selector(".strip .row")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    sides = phone.locator(".strip .box").first.bounding_box()
    assert sides is not None
    assert sides["width"] >= 10
