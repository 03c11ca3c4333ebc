"""The race as a student meets it: a real server, real workers, a real browser."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest
from playwright.sync_api import Page, Request, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from app.base.settings import ROOT
from tests.support.browser import Serve, another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NETS = "net=plain-8:width=4&net=resnet-8:width=4"
TRACES = "(document.querySelector('.live-chart-plot')?.data ?? [])"
CURVES = f"{TRACES}.filter((t) => /-8 train$/.test(t.name))"  # of NETS; not those of a race that was there before


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def address(serve: Serve, store: Path) -> str:
    """A server of the whole program, with two workers, on a store of its own."""
    return serve(ROOT / "app" / "main.py", RESNET_EXPLORER_STORE=str(store), RESNET_EXPLORER_WORKERS="2")


@pytest.fixture(scope="module")
def live(chromium: "Browser", address: str) -> Iterator[str]:
    """The address of a race that goes on until the module's last test is done."""
    with another(chromium) as page:
        start(page, f"{address}/train?{NETS}&recipe=paper")
        yield page.url
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Go on")).to_be_visible()


def opened(page: Page, address: str) -> Page:
    """Go there, and wait until the charts and the strip are drawn."""
    page.goto(address)
    page.wait_for_selector(".live-chart[data-updates] .nsewdrag")
    page.wait_for_selector(".strip .row")
    return page


def start(page: Page, address: str) -> None:
    """Start the race that an address describes, and wait for its first points."""
    opened(page, address)
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile("run="))
    grown(page, 3)


def grown(page: Page, points: int) -> None:
    """Wait until every training curve has more than so many points."""
    page.wait_for_function(f"n => {CURVES}.length === 2 && {CURVES}.every((t) => t.x.length > n)", arg=points)


def points(page: Page) -> int:
    return int(page.evaluate(f"Math.min(...{CURVES}.map((t) => t.x.length))"))


def updated(page: Page, times: int) -> None:
    """Wait until the error chart has been drawn so many times more."""
    now = int(page.locator(".live-chart").first.get_attribute("data-updates") or 0)
    page.wait_for_function("n => Number(document.querySelector('.live-chart').dataset.updates) >= n", arg=now + times)


def names(page: Page, *nets: str) -> None:
    """Wait until these nets, and no others, are on the page."""
    expect(page.locator(".now > span:first-child")).to_have_text(list(nets))


def query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def fine(page: Page) -> None:
    """Nothing on the page says that anything went wrong."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    expect(page.locator(".live-chart-note:visible")).to_have_count(0)


def test_one_click_leads_to_two_curves_that_are_visibly_apart(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("radio", name="preact-56").or_(page.get_by_role("button", name="preact-56")).first.click()
    expect(page).to_have_url(re.compile("guess=preact-56"))
    page.get_by_role("button", name="Start the race").click()
    page.wait_for_url(re.compile(r"/train\?.*run=plain-56-\w+&run=preact-56-\w+"))
    page.wait_for_function(
        f"""() => {{
            const curve = (name) => {TRACES}.find((t) => t.name === `${{name}} train`)?.y ?? [];
            const [plain, residual] = [curve('plain-56'), curve('preact-56')];
            return plain.length > 30 && residual.length > 30 && plain.at(-1) - residual.at(-1) > 8;
        }}"""
    )
    expect(page.get_by_text("points above that of")).to_be_visible()
    assert query(page)["guess"] == ["preact-56"], "the prediction came along"
    fine(page)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Go on")).to_be_visible()


def test_a_worker_that_is_killed_costs_the_page_nothing_and_the_race_ends(
    page: Page, address: str, store: Path
) -> None:
    start(page, f"{address}/train?{NETS}")
    mine = [process for process in psutil.Process().children(recursive=True) if _works_on(process, store)]
    assert len(mine) >= 2
    for process in mine:
        os.kill(process.pid, signal.SIGKILL)
    expect(page.locator(".now").filter(has_text="finished · step 312")).to_have_count(2)
    grown(page, 311)
    fine(page)
    assert points(page) == 312, "every step is there, once"


def _works_on(process: psutil.Process, store: Path) -> bool:
    """True for a worker process of the server on this store."""
    try:
        work = any("spawn_main" in word for word in process.cmdline())
        return work and process.environ().get("RESNET_EXPLORER_STORE") == str(store)
    except psutil.Error:
        return False


AXES = "['xaxis', 'yaxis'].map((axis) => document.querySelector('.live-chart-plot').layout[axis].range)"


def zoom(page: Page) -> None:
    """Drag a box over a part of the error chart."""
    box = page.locator(".live-chart .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] + 170, steps=6)
    page.mouse.up()
    page.wait_for_function(f"{AXES}[0][0] > 0")


def test_zoom_is_kept_while_the_curves_grow(page: Page, live: str) -> None:
    opened(page, live)
    zoom(page)
    zoomed, before = page.evaluate(AXES), points(page)
    updated(page, 3)
    grown(page, before)
    assert page.evaluate(AXES) == zoomed


def test_a_second_browser_on_the_address_sees_the_same_race_live(page: Page, live: str, chromium: "Browser") -> None:
    opened(page, live)
    with another(chromium) as second:
        opened(second, page.url)
        names(second, "plain-8", "resnet-8")
        names(page, "plain-8", "resnet-8")
        assert query(second)["run"] == query(page)["run"]
        for one, other in ((page, second), (second, page)):
            grown(other, points(one))  # within a refresh, what one shows the other shows


def test_a_reload_and_the_way_back_keep_the_race(page: Page, live: str) -> None:
    opened(page, live)
    runs = query(page)["run"]
    page.reload()
    page.wait_for_selector(".strip .row")
    names(page, "plain-8", "resnet-8")
    assert query(page)["run"] == runs
    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("trained here")
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("stacking more layers")
    page.wait_for_selector(".strip .row")
    names(page, "plain-8", "resnet-8")
    assert query(page)["run"] == runs


def test_the_race_stays_chosen_from_page_to_page(page: Page, live: str) -> None:
    opened(page, live)
    runs = query(page)["run"]
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Why do deeper")
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train").click()
    page.wait_for_selector(".strip .row")
    expect(page).to_have_url(re.compile("run="))
    names(page, "plain-8", "resnet-8")
    assert query(page)["run"] == runs


def test_clearing_the_caches_does_not_harm_the_race(page: Page, live: str) -> None:
    page.add_init_script(
        """const Real = WebSocket; window.sockets = [];
        window.WebSocket = class extends Real { constructor(...a) { super(...a); window.sockets.push(this); } };"""
    )
    opened(page, live)
    # What Streamlit's own menu sends; the toolbar that has it is hidden, but any client may.
    message = list(BackMsg(clear_cache=True).SerializeToString())
    page.evaluate("bytes => window.sockets.at(-1).send(new Uint8Array(bytes))", message)
    updated(page, 2)
    grown(page, points(page))
    fine(page)
    names(page, "plain-8", "resnet-8")


def test_what_moves_comes_in_one_answer_for_all_charts_while_the_page_stands(page: Page, live: str) -> None:
    fed: list[str] = []
    asked: list[object] = []

    def sent(request: Request) -> None:
        if "/live?" in request.url:
            fed.append(request.url)

    def heard(frame: object) -> None:
        asked.append(frame)

    page.on("request", sent)
    page.on("websocket", lambda socket: socket.on("framesent", heard))
    opened(page, live)
    updated(page, 2)
    fed.clear()
    asked.clear()
    updated(page, 3)
    assert {"curves", "maps mean", "numbers None", "progress"} <= set(parse_qs(urlsplit(fed[-1]).query)["part"])
    assert len(asked) <= 1, "of Streamlit, nothing but what the sidebar asks now and then"
    fine(page)


def test_a_feed_that_fails_for_a_while_or_is_of_another_server_goes_on(page: Page, live: str) -> None:
    opened(page, live)
    for status, body in ((502, ""), (403, ""), (200, "<html>a proxy's own page</html>")):
        with page.expect_response(lambda response: "/live?" in response.url and response.status == status):  # noqa: B023
            page.route("**/live?*", lambda route: route.fulfill(status=status, body=body))  # noqa: B023
        before = points(page)  # whatever the answer was, nothing that was there is lost
        page.unroute_all()
        updated(page, 1)
        grown(page, before)
        fine(page)
