"""Uploading a picture, choosing a layer, clicking a channel: in a real browser, with real workers."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_a_picture_is_uploaded_a_layer_chosen_and_a_channel_clicked(page: "Page", address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/features?source=upload&beside=none&method=saliency")
    file = io.BytesIO()
    Image.new("CMYK", (300, 200), (0, 90, 90, 0)).save(file, "JPEG")
    uploads = page.locator("input[type=file]")
    uploads.set_input_files({"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()})
    expect(page.locator(".sheet figcaption").first).to_have_text("your picture")

    page.locator(".strip .item").nth(4).click()
    maps = page.locator(".sheet .maps canvas")
    expect(maps.last).to_have_attribute("aria-label", re.compile("16 channels of 14 by 14"))
    expect(maps).to_have_count(3)
    assert maps.first.evaluate("canvas => getComputedStyle(canvas).imageRendering") == "pixelated"

    maps.first.hover(position={"x": 20, "y": 20})
    told = page.locator(".sheet .told")
    expect(told).to_contain_text("sees rows")
    said = re.search(r"row \d+, column \d+: (\S+) .*rows (\d+)–(\d+), columns (\d+)–(\d+)", told.inner_text())
    assert said is not None
    float(said[1])
    top, bottom, left, right = map(int, said.groups()[1:])
    frame = page.locator(".sheet .image .mark")
    expect(frame).to_be_visible()
    zoom = page.locator(".sheet .image canvas").evaluate("canvas => canvas.offsetWidth / canvas.width")
    pixels = frame.evaluate("mark => [mark.offsetTop, mark.offsetHeight, mark.offsetLeft, mark.offsetWidth]")
    wanted = [top * zoom, (bottom + 1 - top) * zoom, left * zoom, (right + 1 - left) * zoom]
    assert pixels == pytest.approx(wanted, abs=2)  # of its border

    maps.first.click(position={"x": 20, "y": 20})
    expect(page.get_by_text(re.compile(r"Channel \d+ of"))).to_be_visible()
    assert re.search(r"channel=\d+", page.url)
    expect(page.get_by_text("the patch that does")).to_be_visible()

    uploads.set_input_files({"name": "not.png", "mimeType": "image/png", "buffer": b"not a picture"})
    expect(page.get_by_text("cannot be used: not an image")).to_be_visible()


def test_a_drawing_is_looked_at_as_it_was_drawn_and_can_be_taken_back(page: "Page", address: str) -> None:
    page.goto(f"{address}/features?source=draw&beside=none&method=saliency")
    caption = page.locator(".sheet figcaption").first
    expect(caption).to_have_text("test image 0")
    square = page.locator(".pad canvas")
    square.scroll_into_view_if_needed()
    box = square.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 84, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 84, box["y"] + 180, steps=8)
    page.mouse.up()
    expect(caption).to_have_text("your picture")

    seen = page.locator(".sheet .image canvas")
    rows = seen.evaluate(
        """canvas => { const { data, width } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const at = (x, y) => data[4 * (y * width + x)]; return [at(10, 12), at(20, 12), at(10, 26)]; }"""
    )
    assert rows[0] > 200  # under the stroke: column 84 ÷ 8
    assert max(rows[1:]) == 0

    page.get_by_role("button", name="Undo").click()
    expect(caption).to_have_text("test image 0")
