"""In a real browser: weights from elsewhere are brought in, looked at, and taken away again."""

import zipfile
from pathlib import Path

import torch
from playwright.sync_api import Page, expect

from models.nets.net import build
from models.spec import NetSpec


def choose_first_run(page: Page) -> None:
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    table = page.get_by_test_id("stDataFrame").bounding_box()
    assert table is not None
    page.mouse.click(table["x"] + 15, table["y"] + 52)


def test_weights_are_brought_in_and_taken_away(page: Page, address: str, tmp_path: Path) -> None:
    net = build(NetSpec.parse("resnet-8:width=4").fitted(1, 10), seed=3)
    torch.save({"state_dict": {f"module.{k}": value for k, value in net.state_dict().items()}}, tmp_path / "mine.pt")
    (tmp_path / "bad.pt").write_bytes(b"\x80\x04 no pickle")
    page.goto(f"{address}/runs")
    page.get_by_text("Import weights from elsewhere").click()
    page.get_by_label("Net", exact=True).fill("resnet-8:width=4")
    for file, answer in (("bad.pt", "Nothing was kept"), ("mine.pt", "is now among the runs")):
        page.locator("input[type=file]").set_input_files(tmp_path / file)
        expect(page.get_by_text(file)).to_be_visible()
        page.get_by_test_id("stFormSubmitButton").get_by_role("button").click()
        expect(page.get_by_text(answer)).to_be_visible()
    choose_first_run(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Weights, events, spec and script").click()
    download.value.save_as(tmp_path / "run.zip")
    assert len(zipfile.ZipFile(tmp_path / "run.zip").namelist()) == 7
    page.get_by_role("tab", name="Code").click()
    expect(page.get_by_test_id("stCode")).to_contain_text("return torch.relu(self.shortcut(x) + self.branch(x))")
    page.get_by_test_id("stBaseButton-primary").filter(has_text="Open").first.click()
    page.wait_for_url("**/train?run=resnet-8-*")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("was trained elsewhere")).to_contain_text("on 2,000 test images")
    expect(page.get_by_test_id("stException")).to_have_count(0)
