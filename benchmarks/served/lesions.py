"""What cuts cost: all single-block lesions of ResNet-56, and one cut of ResNet-20 from the click to its error.

A cut costs the same whatever the weights are: ResNet-56 has its initial ones. The study is set beside 27 evaluations of
the whole net by the engine itself, of which a few are timed and counted for all; both in evaluation mode and float32,
on the 2,000 bundled test images. Single cuts are clicked in a browser, on a reference run, one block at a time; the
clock is the page's own, from the click to the frame in which the strip has crossed the block out, and to the one in
which the page tells the new error. Another session clicks the same cuts: their answers are kept.
"""

from typing import TYPE_CHECKING

from app.base.settings import load
from app.data.images import load as load_data
from app.studies.lesions.measurement import single_lesions
from app.training.evaluation import evaluate
from app.values.datasets import BUNDLED
from benchmarks.nets.engine_step import timed, two_cores
from benchmarks.report.figures import Device, Figure, Row, Say, at_most, interleaved
from benchmarks.served.live_server import browser, live_server
from models.nets.net import build
from models.spec import NetSpec
from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FORWARDS = "27 forward passes"
SINGLE = Row("ResNet-56, all single lesions ÷ 27 forward passes", "s", {"cpu": at_most(0.6)}, FORWARDS)
MARK = Row("a click on a block, to its cross in the strip", "s", {"cpu": at_most(0.1)})
CUT = Row("a click on a block, to the new error: ResNet-20 width 8, 1,000 images", "s", {"cpu": at_most(1.0)})
AGAIN = Row("the same click in another session, to the error", "s", {"cpu": at_most(0.3)})
ROWS = (SINGLE, MARK, CUT, AGAIN)

IMAGES = 2000
REPETITIONS = 2
PASSES = 3  # timed of the 27
WARM_UP = 500  # images

QUERY = "run=reference-resnet-20&study="  # no study by itself
BLOCKS = 9
PATIENCE = 120_000.0  # milliseconds

WATCH_THE_BLOCK = """(item) => {
  const seen = (window.seen = {});
  addEventListener('click', () => { seen.clicked = performance.now(); }, { capture: true, once: true });
  const look = () => { if (item.classList.contains('cut')) seen.marked ??= performance.now(); };
  new MutationObserver(look).observe(item, { attributeFilter: ['class'] });
}"""
NEW_ERROR = """(said) => {
  const told = document.querySelector('[data-testid="stMain"]').textContent.includes(said);
  return told && [seen.marked - seen.clicked, performance.now() - seen.clicked];
}"""


def measure(device: Device, say: Say) -> list[Figure]:
    """The study and the passes in turn; then every block's cut, new and again."""
    with two_cores(device):
        figures = [_study(device), *_clicks()]
    for figure in figures:
        say(f"{figure.row.name}: {figure.judged:.3f}")
    return figures


def _study(device: Device) -> Figure:
    images = load_data(BUNDLED, load())
    net = build(NetSpec.parse("resnet-56").fitted(images.info.channels, images.info.classes))

    def passes() -> None:
        for _ in range(PASSES):
            evaluate(net, images, IMAGES)

    evaluate(net, images, WARM_UP)
    found = interleaved(
        {
            "lesions": lambda: timed(lambda: single_lesions(net, images, IMAGES), device),
            FORWARDS: lambda: timed(passes, device) * len(net.blocks) / PASSES,
        },
        REPETITIONS,
    )
    return SINGLE.beside(found["lesions"], found[FORWARDS], f"{IMAGES:,} images")


def _clicks() -> list[Figure]:
    """One session cuts each block alone, then another, on an open page that shows the whole net."""
    with browser() as chromium, live_server() as server:
        sessions = []
        for _ in range(2):
            server.wait_until_quiet()
            sessions.append(_session(chromium, f"{server.address}/lesions?{QUERY}"))
    (first, marked), (second, _) = sessions
    return [MARK.alone(marked), CUT.alone(first), AGAIN.alone(second)]


def _session(chromium: "Browser", address: str) -> tuple[list[float], list[float]]:
    """Seconds from each click to the new error, and to the block crossed out."""
    told, marked = [], []
    with another(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        for block in range(BLOCKS):
            page.get_by_text("Nothing is cut").wait_for()
            page.wait_for_timeout(500)  # a reader looks
            item = page.locator(f'.strip .item[data-value="block:{block}"]')
            item.evaluate(WATCH_THE_BLOCK)
            item.click()
            times = page.wait_for_function(NEW_ERROR, arg=f"without block {block} errs", polling="raf").json_value()
            marked.append(times[0] / 1000)
            told.append(times[1] / 1000)
            page.get_by_role("button", name="Put all back").click()
        return told, marked
