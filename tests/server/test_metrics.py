"""The numbers that a server shows, against sums by hand."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request

from app.base.settings import Settings
from app.server.live_feed import live
from app.server.metrics import exposition
from app.server.routes import metrics
from app.store.store import Store
from app.values.run_spec import Recipe, RunSpec
from models.spec import NetSpec
from tests.support.runs import measured


def spec(batch: int) -> RunSpec:
    net = NetSpec.parse("plain-8:width=2").fitted(1, 10)
    return RunSpec(net=net, recipe=Recipe(steps=40, batch=batch), images=640)


@pytest.fixture
def served(tmp_path: Path) -> Any:
    return SimpleNamespace(store=Store(tmp_path), workers=len, refusals={'a "limit"\\': 3})


Sample = tuple[str, ...]  # a name and its labels' values


def samples(text: str) -> dict[Sample, float]:
    """What a collector reads."""
    return {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_the_speed_is_that_of_all_running_runs_together_each_by_its_own_batch(served: Any) -> None:
    measured(served.store, spec(64), pace=0.01, steps=5)
    measured(served.store, spec(32), pace=0.02, steps=5)
    measured(served.store, spec(64), pace=0.01, steps=0)
    measured(served.store, spec(64), pace=0.01, steps=5, finished=True)
    sample = samples(exposition(served))
    assert sample["resnet_explorer_images_per_second",] == pytest.approx(8000)  # 6,400 and 1,600
    assert sample["resnet_explorer_runs", "running"] == 3


def test_where_nothing_trains_the_speed_is_zero_and_labels_are_escaped(served: Any) -> None:
    text = exposition(served)
    assert 'resnet_explorer_refusals_total{limit="a \\"limit\\"\\\\"}' in text
    sample = samples(text)
    assert sample["resnet_explorer_images_per_second",] == 0
    assert sample["resnet_explorer_refusals_total", 'a "limit"\\'] == 3
    assert sample["resnet_explorer_workers", "study"] == 5


def test_the_names_that_collectors_rely_on_are_there_as_they_were(served: Any) -> None:
    kinds = {family.name: family.type for family in text_string_to_metric_families(exposition(served))}
    assert kinds == {
        "resnet_explorer_sessions": "gauge",
        "resnet_explorer_sessions_refused": "counter",  # a sample of it ends in _total
        "resnet_explorer_runs": "gauge",
        "resnet_explorer_workers": "gauge",
        "resnet_explorer_images_per_second": "gauge",
        "resnet_explorer_refusals": "counter",
        "resnet_explorer_answer_seconds": "histogram",
        "resnet_explorer_feed_seconds": "histogram",
    }
    assert ("resnet_explorer_sessions_refused_total",) in samples(exposition(served))


def test_they_are_told_as_the_text_format_that_they_were(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    served.settings = Settings()
    monkeypatch.setattr("app.server.routes.process.engine", lambda: served)
    scope = {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "client": ("127.0.0.1", 1)}
    answer = asyncio.run(metrics(Request(scope)))
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(bytes(answer.body).decode())["resnet_explorer_sessions",] == 0


def test_an_answer_of_the_feed_is_timed_whatever_it_says(served: Any) -> None:
    before = samples(exposition(served))["resnet_explorer_feed_seconds_count",]
    scope = {"type": "http", "method": "GET", "path": "/live", "query_string": b"run=one&key=no", "headers": []}
    assert live(Request(scope)).status_code == 403
    assert samples(exposition(served))["resnet_explorer_feed_seconds_count",] == before + 1
