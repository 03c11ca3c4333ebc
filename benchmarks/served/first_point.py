"""Seconds from pressing "Start the race" to the first point on the error chart, in a browser, on a warm server.

The clock is the page's own: it starts with the click and stops at the first frame in which the chart of the new runs
holds a point. Between two races the runs are stopped, and the server is waited for until it is quiet.
"""

from typing import TYPE_CHECKING

from benchmarks.report.figures import Device, Figure, Row, Say, at_most
from benchmarks.served.live_server import browser, live_server
from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

POINT = Row("button to first point, warm server", "s", {"cpu": at_most(3.0)})
ROWS = (POINT,)

BUTTON = "Start the race"
REPETITIONS = 5
PATIENCE = 60_000.0  # milliseconds

WATCH_THE_BUTTON = f"""
addEventListener('click', (event) => {{
  if (event.target.closest('button')?.innerText.includes('{BUTTON}')) window.pressed = performance.now();
}}, true);
"""
FIRST_POINT = """() => {
  const chart = document.querySelector('.st-key-errors .js-plotly-plot');
  const drawn = window.pressed && chart?.data?.some((trace) => trace.y?.length > 0);
  return drawn ? performance.now() - window.pressed : false;
}"""


def measure(device: Device, say: Say) -> list[Figure]:
    """Several races on one server, each in a fresh browser session."""
    seconds = []
    with browser() as chromium, live_server() as server:
        for _ in range(REPETITIONS):
            server.wait_until_quiet()
            seconds.append(_race(chromium, server.address))
            say(f"first point after {seconds[-1]:.2f} s")
    return [POINT.alone(seconds, "default race")]


def _race(chromium: "Browser", address: str) -> float:
    """Start the default race, see its first point, stop it."""
    with another(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_THE_BUTTON)
        page.goto(address)
        button = page.get_by_role("button", name=BUTTON)
        button.wait_for()
        page.wait_for_timeout(1000)  # a reader has come to the end of the page
        button.click()
        seconds = float(page.wait_for_function(FIRST_POINT, polling="raf").json_value()) / 1000
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("button", name="Go on").wait_for()
        return seconds
