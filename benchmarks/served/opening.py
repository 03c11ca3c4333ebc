"""Seconds until the heatmap of a finished run is there, in a browser, on a warm server that has not yet read the run.

The clock is the page's own: it starts with the click on the run in the menu of Gradients, beside a run that is there
already, and stops at the first frame whose map holds it. Runs of 4 epochs are the bundled ones; long ones are entered
into the store beforehand, step by step, with norms drawn from a seed.

A page on a reference run is opened by its address in a new browser, on a server whose store has answered nothing yet.
The clock starts with the navigation, and stops at the last change of the page before half a second without any, once
Streamlit has run the script and no progress is shown.
"""

from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from app.store.store import Store
from app.values.datasets import BUNDLED
from app.values.events import RunFinished, RunStarted, StepMeasured
from app.values.run_spec import RunSpec
from benchmarks.report.figures import Device, Figure, Row, Say, at_most, p95
from benchmarks.served.live_server import browser, live_server
from models.plan import plan
from models.spec import NetSpec
from tests.support.browser import another

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LONG_STEPS = 100_000
SHORT = Row("a finished run of 4 epochs: chosen to its heatmap", "s", {"cpu": at_most(1)})
LONG = Row(f"a finished run of {LONG_STEPS:,} steps: chosen to its heatmap", "s", {"cpu": at_most(1)})
WHOLE = Row("a page on a reference run, fresh store: to its complete picture, p95", "s", {"cpu": at_most(2)})
ROWS = (SHORT, LONG, WHOLE)

THERE = "reference-plain-20"
BUNDLED_RUNS = ("plain-56", "resnet-56", "resnet-20", "preact-20")
LONG_RUNS = ("plain-56", "resnet-56")
AT_ONCE = 5000  # steps entered together
PATIENCE = 60_000.0  # milliseconds

WATCH_THE_MENU = """
addEventListener('click', (event) => {
  if (event.target.closest('[role=option]')) window.chosen = performance.now();
}, true);
"""
MAPS = "document.querySelector('.st-key-gradient-map .js-plotly-plot')?.data"
PAGES = ("gradients", "paths", "lesions", "features")
REFERENCES = ("plain-20", "plain-56", "resnet-20", "resnet-56", "preact-20", "preact-56")

WATCH_THE_PAGE = """
window.changed = 0;
new MutationObserver(() => { window.changed = performance.now(); })
  .observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""
COMPLETE = """() => document.querySelector('[data-test-script-state=notRunning]') && document.querySelector('h1')
  && !document.querySelector('[data-testid=stProgress]') && performance.now() - window.changed > 500
  ? window.changed : false"""
DRAWN = f"""(net) => window.chosen && {MAPS}?.some((trace) => trace.name === net)
  ? performance.now() - window.chosen : false"""


def measure(device: Device, say: Say) -> list[Figure]:
    """Every run once: the second time it is in memory."""
    figures = []
    with browser() as chromium, live_server(fill=enter_long_runs) as server:
        for row, nets, title in ((SHORT, BUNDLED_RUNS, "{} · width 8 (reference)"), (LONG, LONG_RUNS, "long {}")):
            seconds = []
            for net in nets:
                server.wait_until_quiet()
                seconds.append(_opened(chromium, server.address, net, title.format(net)))
                say(f"{row.name}: {net}, {seconds[-1]:.2f} s")
            figures.append(row.alone(seconds, "each from the store"))
    return [*figures, _complete(say)]


def _complete(say: Say) -> Figure:
    """Every page on every reference run of the bundled images, once."""
    seconds = []
    with browser() as chromium, live_server() as server:
        _seen(chromium, f"{server.address}/architecture")  # whatever is loaded once a server
        for net in REFERENCES:
            for page in PAGES:
                server.wait_until_quiet()
                seconds.append(_seen(chromium, f"{server.address}/{page}?run=reference-{net}"))
                say(f"{page} on {net}: {seconds[-1]:.2f} s")
    return WHOLE.alone([p95(seconds)], f"{len(seconds)} pages, median {median(seconds):.2f} s")


def _seen(chromium: "Browser", address: str) -> float:
    """Seconds until nothing more changes."""
    with another(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_THE_PAGE)
        page.goto(address)
        return float(page.wait_for_function(COMPLETE, polling=50).json_value()) / 1000


def enter_long_runs(folder: Path) -> None:
    """Put the long runs into the store of a server that has not yet started."""
    store = Store(folder)
    for name in LONG_RUNS:
        net = NetSpec.parse(f"{name}:width=8").fitted(1, 10)
        layers = tuple(layer.name for layer in plan(net).layers)
        run = store.runs.create(RunSpec(net=net, data=BUNDLED), f"long {name}").id
        about = partial(RunStarted, epoch_steps=391, train_images=50_000, device="cpu", precision="float32", threads=1)
        store.events.record(run, 0, [about(step=0, layers=layers, total_steps=LONG_STEPS)])
        noise = np.random.default_rng(0)
        for begin in range(0, LONG_STEPS, AT_ONCE):
            norms = np.exp(noise.normal(size=(AT_ONCE, len(layers)))).tolist()
            step = partial(StepMeasured, loss=1.0, error=50.0, lr=0.1, seconds=0.1)
            store.events.record(run, 0, [step(step=begin + i, norms=tuple(row)) for i, row in enumerate(norms)])
        store.events.record(run, 0, [RunFinished(step=LONG_STEPS)])
    store.close()


def _opened(chromium: "Browser", address: str, net: str, title: str) -> float:
    """Choose one more run in the menu, and see its map."""
    with another(chromium) as page:
        page.set_default_timeout(PATIENCE)
        page.add_init_script(WATCH_THE_MENU)
        page.goto(f"{address}/gradients?run={THERE}")
        page.get_by_role("heading", name="What you see").wait_for()
        page.wait_for_function(f"{MAPS}?.length")
        page.wait_for_timeout(2000)  # a reader has looked at it
        page.locator(".st-key-measured-runs input").fill(title)
        page.get_by_role("option", name=title).click()
        return float(page.wait_for_function(DRAWN, arg=net, polling="raf").json_value()) / 1000
