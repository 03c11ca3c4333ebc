"""The numbers that a server shows, against sums by hand."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.server.metrics import exposition
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


def test_the_speed_is_that_of_all_running_runs_together_each_by_its_own_batch(served: Any) -> None:
    measured(served.store, spec(64), pace=0.01, steps=5)
    measured(served.store, spec(32), pace=0.02, steps=5)
    measured(served.store, spec(64), pace=0.01, steps=0)
    measured(served.store, spec(64), pace=0.01, steps=5, finished=True)
    assert "resnet_explorer_images_per_second 8000\n" in exposition(served)  # 6,400 and 1,600
    assert 'resnet_explorer_runs{status="running"} 3\n' in exposition(served)


def test_where_nothing_trains_the_speed_is_zero_and_labels_are_escaped(served: Any) -> None:
    text = exposition(served)
    assert "resnet_explorer_images_per_second 0\n" in text
    assert 'resnet_explorer_refusals_total{limit="a \\"limit\\"\\\\"} 3\n' in text
    assert 'resnet_explorer_workers{lane="study"} 5\n' in text
