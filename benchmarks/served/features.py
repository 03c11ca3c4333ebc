"""The page Features: from choosing a layer to its sheet, what is left in the browser after many, and attributions.

Each block of the recorded ResNet-56 is chosen for the first time on a warm server, so that its maps are computed and
not fetched from the store. The clock is the page's own: it starts with the click and stops at the first frame in which
the sheet is that block's. Then blocks go on changing, all of them known: after garbage collection, as many nodes must
be in the document as before. The heap holds compiled code too, which browsers add to for as long as a page is used.
Integrated gradients have one thread, as on the page.
"""

from itertools import cycle, islice
from typing import TYPE_CHECKING

import torch

from app.base.settings import load
from app.studies.attributions.measurement import attribute
from app.studies.attributions.questions import STEPS
from benchmarks.nets.engine_step import cifar_images, timed
from benchmarks.report.figures import CannotMeasureError, Device, Figure, Row, Say, at_most
from benchmarks.served.live_server import browser, live_server
from models.nets.net import build
from models.spec import NetSpec
from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

CHANGES = 100
SHEET = Row("ResNet-56, a layer chosen, to its sheet", "s", {"cpu": at_most(0.5)})
NODES = Row(f"{CHANGES} changes of layer: nodes more in the browser", "", {"cpu": at_most(0)})
HEAP = Row(f"{CHANGES} changes of layer: heap more in the browser", "MB", {"cpu": at_most(1.5)})
INTEGRATED = Row(f"ResNet-20, integrated gradients, {STEPS} steps", "s", {"cpu": at_most(3.0)})
ROWS = (SHEET, NODES, HEAP, INTEGRATED)

PAGE = "features?run=reference-resnet-56&beside=reference-plain-56&layer=block:26"
BLOCKS = range(26)
PATIENCE = 60_000.0  # milliseconds
SETTLES = 600.0  # milliseconds, that a person looks at a sheet
PICTURES = 5

WATCH_THE_STRIP = """
addEventListener('click', () => { window.pressed = performance.now(); }, true);
"""
DRAWN = """(at) => {
  const host = [...document.querySelectorAll('.st-key-sheet-own *')].find((element) => element.shadowRoot);
  const drawn = host?.shadowRoot.querySelector('.maps canvas')?.ariaLabel.startsWith(`${at},`);
  return drawn ? performance.now() - window.pressed : false;
}"""


def measure(device: Device, say: Say) -> list[Figure]:
    """Every block once, then many times more; attributions in this process."""
    figures = [_integrated()]
    try:
        figures = [*_in_the_browser(), *figures]
    except CannotMeasureError as missing:
        say(str(missing))
    for figure in figures:
        say(f"{figure.row.name}: {figure.value:.3g} {figure.row.unit}")
    return figures


def _in_the_browser() -> list[Figure]:
    with browser() as chromium, live_server() as server, another(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_THE_STRIP)
        page.goto(f"{server.address}/{PAGE}")
        page.locator(".sheet .maps canvas").first.wait_for()
        server.wait_until_quiet()
        seconds = [_choose(page, block) for block in BLOCKS]
        for block in BLOCKS:  # a second time, until all that is kept of each is kept
            _choose(page, block)
        devtools = page.context.new_cdp_session(page)
        before = _kept(devtools)
        for block in islice(cycle(BLOCKS), CHANGES):
            _choose(page, block)
        nodes, heap = (after - begun for after, begun in zip(_kept(devtools), before, strict=True))
    return [
        SHEET.alone(seconds, "new to the server"),
        NODES.alone([nodes]),
        HEAP.alone([heap / 1e6], f"of {before[1] / 1e6:.0f} MB"),
    ]


def _choose(page: "Page", block: int) -> float:
    """Seconds from the click on a block of the first net to its sheet."""
    page.locator(f'.strip .item[data-row="0"][data-value="block:{block}"]').click()
    drawn = page.wait_for_function(DRAWN, arg=f"blocks.{block}", polling="raf")
    seconds = float(drawn.json_value()) / 1000
    page.wait_for_timeout(SETTLES)
    return seconds


def _kept(devtools: "CDPSession") -> tuple[int, int]:
    """Nodes, and bytes of the heap, once nothing is left to collect."""
    devtools.send("Performance.enable")
    for _ in range(3):  # what the first sets free may hold more
        devtools.send("HeapProfiler.collectGarbage")
    found = {one["name"]: one["value"] for one in devtools.send("Performance.getMetrics")["metrics"]}
    return int(found["Nodes"]), int(found["JSHeapUsedSize"])


def _integrated() -> Figure:
    images, note = cifar_images(load(), "cpu")
    net = build(NetSpec.parse("resnet-20").fitted(images.info.channels, images.info.classes))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = [
            timed(lambda one=one: attribute(net, one, images.info, "integrated-gradients"), "cpu")  # type: ignore[misc]
            for one in images.test[: PICTURES + 1]
        ]
    finally:
        torch.set_num_threads(threads)
    return INTEGRATED.alone(seconds[1:], note)
