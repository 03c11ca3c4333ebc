"""What a store, an answer, an address and a command show, as JSON.

The samples were made at commit 2ee7035, by tests/kept/make.py as it stands in commit 5532886; tests/test_kept.py looks
again with the same functions, and never makes them anew. What is taken from the project is imported here, at the top.
"""

import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

from app.base import studies
from app.base.settings import PREFIX, ROOT, Settings
from app.cli.main import main
from app.data.images import load_for
from app.store.store import Store
from app.training.evaluation import evaluate_run
from app.training.loop import train
from app.ui.page.address import parse
from app.values.cut_spec import CutSpec
from app.values.datasets import DATASETS, uploaded
from app.values.events import StepMeasured, to_json
from app.values.questions import Question
from app.values.results import from_bytes
from app.values.run_spec import RunSpec, net_address
from models.spec import NetSpec
from tests.support.opening import Answering, opened

KEPT = Path(__file__).parent
IMAGES = 200  # on which weights are evaluated
SHOWN = ("chosen", "selected", "cut", "turned", "order", "mode", "step", "newest", "total", "moments", "epoch")
ANSWERED = ("pictures", "confused", "features", "kernels", "attribution", "gradients", "signal")  # of nets this small
WIDGETS = (
    *("text_input", "number_input", "selectbox", "multiselect", "button_group", "toggle"),
    *("radio", "slider", "select_slider"),
)


def sample(name: str) -> Any:
    """One of the JSON files beside this one."""
    return json.loads((KEPT / name).read_text("utf-8"))


def plain(value: Any) -> Any:
    """As JSON has it: tuples are lists, a value that has no JSON is its text."""
    return json.loads(json.dumps(value, default=str))


# ── the store ──


def run_shown(store: Store, run: str, settings: Settings) -> dict[str, Any]:
    """All that the store knows of a run, and what its weights are worth."""
    found, history, diverged = store.runs.get(run), store.events.history(run), store.events.diverged(run)
    series = history.series()
    arrays = {name: value for name, value in vars(series).items() if isinstance(value, np.ndarray)}
    return {
        "run": found.model_dump(mode="json"),
        "moments": store.events.moments(run),
        "steps": {
            "count": history.next_step,
            "digest": _digest(to_json(store.events.steps(run, 0, 10_000))),
        },
        "epochs": [one.model_dump() for one in store.events.epochs(run)],
        "cuts": json.loads(to_json(store.events.cuts(run))),
        "diverged": diverged.model_dump() if diverged else None,
        "series": {name: _summary(value) for name, value in arrays.items()},
        "errors": {
            str(step): vars(evaluate_run(found.spec, store.weights.folder(run), step, settings, IMAGES))
            for step in store.events.moments(run)
        },
    }


def next_loss(store: Store, run: str, settings: Settings) -> float:
    """The loss of the step that a paused run makes next, from the weights that were kept."""
    found = store.runs.get(run)
    images, folder = load_for(found.spec, settings), store.weights.folder(run)
    events = train(found.spec, images, folder, found.step, found.step + 1, cuts=store.events.cuts(run))
    return next(event.loss for event in events if isinstance(event, StepMeasured))


def answer_shown(store: Store, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The key of a question, and what is kept under it."""
    key = question(asked).key
    packed = store.answers.get(key)
    return {"question": dict(asked), "key": key, "result": None if packed is None else _unpacked(packed)}


def question(asked: Mapping[str, Any]) -> Question:
    """A question from its JSON, of the kind that it names."""
    kinds = {kind.model_fields["kind"].default: kind for kind in reversed(_kinds(Question))}
    return kinds[asked["kind"]].model_validate(asked)


def defaults() -> list[dict[str, Any]]:
    """One question of each kind, with its defaults where it has any."""
    own = {"net": "resnet-8:width=2", "nets": ["resnet-8:width=2"], "layer": "head.fc", "pictures": []}
    found = {}
    for kind in _kinds(Question):
        needed = {name: own[name] for name, field in kind.model_fields.items() if name in own and field.is_required()}
        if kind.model_fields["kind"].default:
            found[kind.model_fields["kind"].default] = kind.model_validate(needed).model_dump(mode="json")
    return list(found.values())


def shared(store: Store) -> dict[str, Any]:
    """What of a store is no run's."""
    return {
        "identity": store.identity,
        "nicknames": store.owners.nicknames(),
        "sent": [list(one) for one in store.owners.uploads()],
        "data": [about.model_dump(mode="json") for about in uploaded(store.folder)],
    }


def _kinds(of: type[Question]) -> list[type[Question]]:
    stated = [kind for module in studies.modules("questions") for kind in vars(module).values()]
    found = [kind for kind in stated if isinstance(kind, type) and issubclass(kind, of)]
    return [kind for kind in found if isinstance(kind.model_fields["kind"].default, str)]


def _unpacked(packed: bytes) -> dict[str, Any]:
    result = from_bytes(packed)
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    return {"type": type(result).__name__} | {
        name: [str(value.dtype), list(value.shape), _digest(value.tobytes())]
        if isinstance(value, np.ndarray)
        else plain(value)
        for name, value in values.items()
    }


def _digest(content: str | bytes) -> str:
    return blake2b(content.encode() if isinstance(content, str) else content, digest_size=12).hexdigest()


def _summary(values: np.ndarray) -> list[Any]:
    """Shape, smallest, largest and mean; of what is not finite only that there is some."""
    known = values[np.isfinite(values)]
    numbers = [float(known.min()), float(known.max()), float(known.mean())] if known.size else []
    return [list(values.shape), *numbers]


# ── addresses, and the spellings in them ──


def address_shown(query: Mapping[str, list[str]]) -> dict[str, Any]:
    """What the shared parameters mean: as they are written again, and what was left out."""
    read, dropped = parse(query)
    return {"says": read.query(), "dropped": dropped}


def net_shown(text: str) -> dict[str, Any]:
    """A net by its spelling."""
    net = NetSpec.parse(text)
    return {"net": net.model_dump(mode="json"), "text": str(net), "address": net_address(net)}


def cut_shown(text: str) -> dict[str, Any]:
    """A cut by its spelling."""
    cut = CutSpec.parse(text)
    return {"cut": cut.model_dump(mode="json"), "text": str(cut)}


def spec_shown(text: str) -> dict[str, Any]:
    """A run's spec by its JSON, all that it does not say filled in."""
    spec = RunSpec.model_validate_json(text)
    shown = {"spec": spec.model_dump(mode="json"), "title": spec.title}
    known = DATASETS.get(spec.data)  # of an uploaded set, four steps were foreseen then: a fault, mended since
    return shown | ({"steps": spec.length(known.train_images).steps} if known else {})


def page_shown(page: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """What a page at an address shows: its controls, what its strips and sliders were given, what it says is wrong."""
    visit = opened(page, **query)
    assert not visit.exception, [one.value for one in visit.exception]
    return {
        "title": visit.title[0].value,
        "controls": _controls(visit),
        "strips": _strips(visit),
        "channel": [one.value for one in visit.markdown if one.value.startswith("**Channel")],
        "listed": [list(one.value["name"]) for one in visit.dataframe if "status" in one.value],
        "buttons": [one.label for one in visit.button],
        "warnings": [one.value for one in visit.warning],
        "errors": [one.value for one in visit.error],
        "query": {name: visit.query_params[name] for name in sorted(visit.query_params)},
    }


def _controls(visit: AppTest) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in WIDGETS:
        for one in visit.get(kind):
            if isinstance(one, Widget):
                found[one.label + " (another)" * (one.label in found)] = plain(one.value)
    return found


def _strips(visit: AppTest) -> list[dict[str, Any]]:
    given = [json.loads(one.proto.json or "null") for one in visit.get("bidi_component")]
    told = [
        {name: one[name] for name in SHOWN if name in one}
        | ({"nets": [row["name"] for row in one["rows"]]} if "rows" in one else {})
        for one in given
        if isinstance(one, dict)
    ]
    return [one for one in told if one]


class Quickly(Answering):
    """A cluster that answers at once what controls wait for or what is quick, and nothing else ever."""

    def submit(self, _lane: str, work: object, *asked: Any, **_options: object) -> Any:
        """By what is asked."""
        return super().submit(_lane, work, *asked) if asked[0].kind in ANSWERED else Pending()


class Pending:
    """A future that never comes."""

    status = "pending"

    def add_done_callback(self, _call: Callable[..., None]) -> None:
        """It will not be called."""


# ── the command line ──


def command_shown(words: str, store: Path, patch: pytest.MonkeyPatch) -> Any:
    """What a command prints with `--json`, folders of this machine apart."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        patch.delenv(name)
    patch.setenv(f"{PREFIX}STORE", str(store))
    patch.setenv(f"{PREFIX}DATA", str(store / "none"))
    patch.setattr(sys, "argv", ["app", *words.split(), "--json"])
    torch.set_num_threads(1)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0, words
    told = printed.getvalue().replace(str(store), "STORE").replace(str(ROOT), "ROOT")
    return json.loads(told, parse_constant=pytest.fail)
