"""Recorded steps are believed only where they train as eager ones do; wrong ones of every kind are found out."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from app.data.images import Images
from app.training import graph_check
from app.training.cuda_graphs import Ahead
from app.training.graph_check import checked, graphs_hold
from app.training.step import Steps
from app.values.events import BlockCut, StepMeasured
from app.values.run_spec import RunSpec


class StaleBatch(Steps):
    """Reads the batch that was there when it was recorded."""

    def draw(self, step: int) -> torch.Tensor:
        return super().draw(0)


class StaleRate(Steps):
    """Goes on at a rate that is not the step's."""

    def rate(self, step: int) -> float:
        return 3 * super().rate(step)


class WithoutMomentum(Steps):
    """Forgets its momentum at every step."""

    def take(self, step: int, last: int) -> list[StepMeasured]:
        for state in self.sgd.state.values():
            state["momentum_buffer"].zero_()
        return super().take(step, last)


class NoGradient(Steps):
    """Its updates never arrive."""

    def take(self, step: int, last: int) -> list[StepMeasured]:
        before = {name: value.clone() for name, value in self.net.state_dict().items()}
        taken = super().take(step, last)
        self.net.load_state_dict(before)
        return taken


class Broken(Steps):
    """What a driver may do."""

    def take(self, step: int, last: int) -> list[StepMeasured]:
        raise RuntimeError("operation not permitted when stream is capturing")


def test_steps_asked_for_ahead_are_believed_where_they_are_right() -> None:
    assert checked("cpu", Ahead) == "recorded"
    assert checked("cpu", Steps) == "recorded"


@pytest.mark.parametrize("wrong", [StaleBatch, StaleRate, WithoutMomentum, NoGradient, Broken])
def test_wrong_steps_are_found_out_and_said(wrong: type[Steps], caplog: pytest.LogCaptureFixture) -> None:
    assert checked("cpu", wrong) == "eager"
    assert [record.message for record in caplog.records if record.name.endswith("graph_check")] != []


def test_the_verdict_is_found_once_for_all_workers_of_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def once() -> str:
        asked.append("here")
        return "eager"

    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A card")
    monkeypatch.setattr(graph_check, "_checked_here", once)
    assert not graphs_hold(tmp_path)
    assert not graphs_hold(tmp_path)
    assert asked == ["here"]
    [place] = tmp_path.glob("steps-*.txt")
    assert place.read_text("utf-8").startswith("eager\nA card, torch ")


def test_a_run_on_a_card_is_made_by_the_way_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.training import loop

    made: list[str] = []

    def noted(name: str, make: type[Steps]) -> object:
        def begin(spec: RunSpec, images: Images, cuts: Sequence[BlockCut]) -> Steps:
            made.append(name)
            return make(spec.model_copy(update={"device": "cpu"}), images, cuts)

        return begin

    monkeypatch.setattr(loop, "Ahead", noted("recorded", Steps))
    monkeypatch.setattr(loop, "Steps", noted("eager", Steps))
    for holds in (True, False):
        monkeypatch.setattr(loop, "graphs_hold", lambda _, holds=holds: holds)
        spec = graph_check.spec("cuda")
        list(loop.train(spec, graph_check.noise("cpu"), until=1))
    assert made == ["recorded", "eager"]
