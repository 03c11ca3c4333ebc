"""Every page in a real browser: on a phone, and with nonsense in its address."""

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

PAGES = ["", "train", "gradients", "paths", "lesions", "features", "reproduce", "runs"]
DRAWN = {
    "reproduce": "div.interval",
    "train": ".live-chart[data-updates]",
    "gradients": ".live-chart[data-updates]",
    "runs": "canvas",
}
PARAMETERS = ("net", "data", "recipe", "width", "seed", "run", "step", "layer", "guess", "find", "status")
# On a page's own path Streamlit asks there first whether the program has a base path: two 404s of its own.
STREAMLITS_OWN = re.compile(r"/\w+/_stcore/(health|host-config)$")
EVIL = "<img src=x onerror=alert(1)> ![x](https://evil.example/x.png) [x](https://evil.example) www.evil.example"


@pytest.mark.parametrize("place", PAGES)
def test_a_phone_needs_no_scrolling_sideways_the_console_is_quiet_and_nonsense_is_letters_at_most(
    phone: "Page", address: str, place: str
) -> None:
    said: list[str] = []
    phone.on("console", lambda message: said.append(_told(message)) if message.type == "error" else None)
    phone.goto(f"{address}/{place}")
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    phone.wait_for_selector(DRAWN.get(place, ".strip .row"))
    phone.wait_for_timeout(500)
    # Equations are wider until their style sheet is there.
    frames = "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
    phone.wait_for_function(f"{frames}.every((e) => e.scrollWidth <= e.clientWidth && e.clientWidth <= 390)")
    assert [line for line in said if not STREAMLITS_OWN.search(line)] == []

    phone.goto(f"{address}/{place}?" + "&".join(f"{name}={quote(EVIL)}" for name in PARAMETERS))
    expect(phone.get_by_role("heading", level=1)).to_be_visible()
    expect(phone.get_by_test_id("stAlert").first).to_be_visible()
    expect(phone.get_by_test_id("stException")).to_have_count(0)
    assert phone.locator("[href*=evil], [src*=evil], img[onerror]").count() == 0
    if place == "train":
        expect(phone.get_by_test_id("stAlert").filter(has_text="unknown net '<img src=x")).to_have_count(1)
        expect(phone.get_by_role("button", name="Start the race")).to_be_disabled()


def _told(message: "ConsoleMessage") -> str:
    return f"{message.text} {message.location['url']}"
