"""Pages as a session opens them: through app/shell.py, on an engine that trains nothing."""

import json
import re
from collections.abc import Callable, Sequence
from html import unescape
from typing import Any

import torch
from streamlit.testing.v1 import AppTest

from app.analysis.answering import answer
from app.analysis.subject import Subject
from app.base.settings import ROOT, Settings, load
from app.engine import worker
from app.engine.engine import Engine
from app.store.run import Run
from app.ui.widgets.component import built
from app.values.datasets import DATASETS
from app.values.events import CheckpointSaved, EpochEvaluated, Event, RunFinished, RunStarted, StepMeasured
from app.values.results import to_bytes
from app.values.run_spec import Recipe, RunSpec
from models.plan import plan
from models.spec import NetSpec
from tests.support.waiting import PATIENCE

EPOCH = 10  # steps

# What a person, a link or a program may write into an address.
HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "markdown": "![x](https://evil.example/x.png) [here](https://evil.example) **bold** :red-badge[x] $x$ `x`",
    "a link": "www.evil.example",
    "very long": "x" * 5000,
    "a path": "../../etc/passwd",
    "a negative number": "-1",
    "a huge number": "9" * 30,
    "foreign digits": "٣",
    "not a number": "nan",
    "nothing": "",
    "control characters": "\x00\x1b[31m\n# heading",
    "a quote": "' OR 1=1 --",
}
PARAMETERS = ("net", "data", "recipe", "width", "seed", "run", "step", "layer", "lecture", "guess", "find", "status")


class NoCluster:
    """A cluster without workers: whatever is submitted stays queued, and nothing takes time."""

    def __init__(self, _settings: Settings, _lanes: Sequence[str]) -> None:
        pass

    def subscribe(self, *_: object) -> None:
        """Nobody will say anything."""

    def connected(self) -> bool:
        """There is nothing to wait for."""
        return True

    def raise_flag(self, _name: str) -> None:
        """Nobody looks."""

    def lower_flag(self, _name: str) -> None:
        """Nobody looks."""

    def workers(self, _lane: str) -> list[str]:
        """None."""
        return []

    def close(self) -> None:
        """Nothing was opened."""


class Answering(NoCluster):
    """A cluster that answers every question at once, here."""

    def submit(self, _lane: str, work: object, *asked: Any, **_options: object) -> "Answered":
        """Only questions are put to it."""
        question, spec, folder, epoch_steps, digests, *_ = asked
        assert work is worker.answer
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return Answered(answer(question, Subject(spec, folder, epoch_steps, digests, load())))
        except (ValueError, OSError) as error:
            return Answered(error)
        finally:
            torch.set_num_threads(threads)


class Answered:
    """A future that has come: with a result, or the error that it ended with."""

    def __init__(self, ended: object) -> None:
        self._ended = ended
        self.status = "error" if isinstance(ended, Exception) else "finished"

    def result(self) -> bytes:
        """As a worker packs it."""
        return to_bytes(self._ended)

    def exception(self) -> object:
        """What went wrong."""
        return self._ended

    def add_done_callback(self, call: Callable[["Answered"], None]) -> None:
        """It is done."""
        call(self)


def opened(page: str = "start", **query: str | list[str]) -> AppTest:
    """A first visit to a page, at an address with this query."""
    session = AppTest.from_file(str(ROOT / "app" / "shell.py"), default_timeout=PATIENCE)
    session.query_params.update(query)
    if page != "start":
        session.switch_page(f"../pages/{page}.py")
    return session.run()


def well(session: AppTest) -> AppTest:
    """The page is there, without an exception, and nothing from outside became a link, a picture or an element."""
    assert not session.exception, [one.value for one in session.exception]
    assert session.title
    for element in (*session.error, *session.warning, *session.markdown, *session.caption, *session.success):
        assert not getattr(element, "allow_html", False)
        shown = re.sub(r"\\.", "", element.value)  # without what is escaped
        assert not re.search(r"evil\.example\)|<script|<img|OR 1=1 --`", shown), element.value
        assert "www.evil" not in re.sub(r"`[^`]*`", "", shown), element.value
    for html in session.get("html"):
        own = html.proto.unsafe_allow_javascript and html.proto.body == f"<script>{built('history.js')}</script>"
        assert own or ("<script" not in str(html.proto) and not html.proto.unsafe_allow_javascript)
        assert "evil" not in str(html.proto)
    return session


def words(session: AppTest) -> str:
    """All that the page says, notes of what went wrong apart."""
    said = (str(one.value) for one in (*session.title, *session.markdown, *session.caption, *session.info))
    return "\n".join([*said, *(unescape(re.sub("<[^>]+>", "", text)) for text in live_texts(session))])


def live_texts(session: AppTest) -> list[str]:
    """The passages of HTML that follow a run."""
    given = [json.loads(one.proto.json or "null") for one in session.get("bidi_component")]
    return [one["html"] for one in given if isinstance(one, dict) and "html" in one]


def press(session: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    return next(button for button in session.button if button.label == label).click().run()


def spec(name: str, steps: int = 40, **changes: Any) -> RunSpec:
    """A run of a small net on the bundled images."""
    recipe = Recipe(steps=steps, batch=64)
    return RunSpec(net=NetSpec.parse(name).fitted(1, 10), recipe=recipe, threads=1, **changes)


def under_way(engine: Engine, run: Run, errors: Sequence[float], *, finished: bool = False) -> None:
    """Let a run have measured these training errors (percent), one a step, as a worker would have sent them."""
    layers = tuple(layer.name for layer in plan(run.spec.net).layers)
    total = run.spec.length(DATASETS[run.spec.data].train_images).steps
    events: list[Event] = [
        RunStarted(
            step=0,
            layers=layers,
            total_steps=total,
            epoch_steps=EPOCH,
            train_images=640,
            device="cpu",
            precision="float32",
            threads=1,
        ),
        CheckpointSaved(step=0, moment=True),
    ]
    for step, error in enumerate(errors):
        norms = tuple(0.1 * (layer + 1) for layer in range(len(layers)))
        events.append(StepMeasured(step=step, loss=error / 40, error=error, lr=0.1, seconds=0.01, norms=norms))
        if (done := step + 1) % EPOCH == 0:
            events.append(CheckpointSaved(step=done, moment=True))
            events.append(
                EpochEvaluated(
                    step=done,
                    epoch=done // EPOCH,
                    test_error=error + 1,
                    test_loss=error / 30,
                    test_images=200,
                    images_per_second=1000,
                )
            )
    if finished:
        events.append(RunFinished(step=len(errors)))
    engine.store.runs.update(run.id, attempt=1)
    engine.store.events.record(run.id, 1, events)


def arrived(net: NetSpec, error: float | None) -> list[Event]:
    """The events of weights that were trained elsewhere, with their test error on arrival, if it is known."""
    layers = tuple(layer.name for layer in plan(net).layers)
    about: dict[str, Any] = {"device": "cpu", "precision": "float32", "threads": 1, "train_images": 0}
    evaluated = {"step": 0, "epoch": 0, "test_loss": 1.0, "test_images": 2000, "images_per_second": 0.0}
    return [
        RunStarted(step=0, layers=layers, total_steps=0, epoch_steps=1, **about),
        CheckpointSaved(step=0, moment=True),
        *([] if error is None else [EpochEvaluated.model_validate(evaluated | {"test_error": error})]),
        RunFinished(step=0),
    ]
