"""Recorded steps are believed only where they train as eager ones do; wrong ones of every kind are found out."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from app.base.settings import ROOT
from app.data.images import Images
from app.training import graph_check
from app.training.cuda_graphs import Ahead
from app.training.graph_check import graphs_hold, trouble
from app.training.remembered import LOCK
from app.training.step import Steps
from app.values.events import BlockCut, StepMeasured
from app.values.run_spec import RunSpec

Step = Callable[[], None]


class Recorded(Ahead):
    """Steps whose record repeats them as they are asked for: what a graph is where all is well."""

    def record(self, step: Step) -> Step:
        return step


class StaleBatch(Recorded):
    """Reads the batch that was there when it was recorded."""

    def record(self, step: Step) -> Step:
        first = self.drawn.clone()

        def replay() -> None:
            self.drawn.copy_(first)
            step()

        return replay


class StaleRate(Recorded):
    """Goes on at the rate that was there when it was recorded."""

    def record(self, step: Step) -> Step:
        first = self.rate(0)

        def replay() -> None:
            self.lr.fill_(first)
            step()

        return replay


class LateRate(Recorded):
    """Goes on at the rate of the step before."""

    def rate(self, step: int) -> float:
        return super().rate(max(0, step - 1))


class WithoutMomentum(Recorded):
    """Forgets its momentum at every step."""

    def record(self, step: Step) -> Step:
        def replay() -> None:
            for state in self.sgd.state.values():
                state["momentum_buffer"].zero_()
            step()

        return replay


class WithoutDecay(Recorded):
    """Lets the weights be as large as they like."""

    def optimiser(self) -> torch.optim.SGD:
        sgd = super().optimiser()
        for group in sgd.param_groups:
            group["weight_decay"] = 0.0
        return sgd


class StillRefused(Recorded):
    """Updates are refused, as while a step is warmed up, for ever."""

    def record(self, step: Step) -> Step:
        self.refused.fill_(1)
        return step


class OldRoundedWeights(Recorded):
    """In bfloat16 the gradient is that of the weights before the first step: a cast that is kept too long."""

    def record(self, step: Step) -> Step:
        if not self.autocast:
            return step
        first = [weight.detach().clone() for weight in self.net.parameters()]
        figures = self.figures

        def of_the_first(*arguments: Any) -> torch.Tensor:
            now = [weight.detach().clone() for weight in self.net.parameters()]
            self.put(first)
            result = figures(*arguments)
            self.put(now)
            return result

        self.figures = of_the_first  # type: ignore[method-assign, assignment]
        return step

    @torch.no_grad()
    def put(self, weights: Sequence[torch.Tensor]) -> None:
        for weight, value in zip(self.net.parameters(), weights, strict=True):
            weight.copy_(value)


class NoNumber(Recorded):
    """Its first gradient is none."""

    def figures(self, *arguments: Any) -> torch.Tensor:
        return super().figures(*arguments) * torch.nan


class Broken(Ahead):
    """What a driver may do beyond refusing to record."""

    def take(self, step: int, last: int) -> list[StepMeasured]:
        raise OSError("the card has fallen off the bus\nand more")


WRONG = [
    StaleBatch, StaleRate, LateRate, WithoutMomentum, WithoutDecay, StillRefused, OldRoundedWeights, NoNumber
]  # fmt: skip


def test_recorded_steps_that_are_right_are_believed() -> None:
    assert trouble("cpu", Recorded) == ""


@pytest.mark.parametrize("wrong", WRONG)
def test_recorded_steps_that_are_wrong_are_found_out(wrong: type[Ahead]) -> None:
    assert "they differ" in trouble("cpu", wrong)


def test_steps_that_cannot_be_recorded_are_not_believed_though_they_are_right() -> None:
    assert trouble("cpu") == "CUDA graphs need a GPU"
    assert trouble("cpu", Broken) == "the card has fallen off the bus"


def ends(program: str) -> tuple[str, ...]:
    """The command of a check that ends in this way."""
    return (sys.executable, "-c", f"import os, time\n{program}")


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A card, of which nothing is known yet."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A card")
    checked = graph_check._checked_here
    checked.cache_clear()
    yield
    checked.cache_clear()


@pytest.mark.parametrize(
    ("program", "holds", "reason"),
    [
        ("print('Warning: something')\nprint('recorded')", True, ""),
        ("print('eager: they differ by 0.3 in float64')", False, "they differ by 0.3 in float64"),
        ("os.abort()", False, "the check ended with "),
        ("print('recorded', flush=True)\nos.abort()", False, "the check ended with "),
        ("pass", False, "the check ended with 0"),
        ("time.sleep(600)", False, "no answer within 2 seconds"),
    ],
)
@pytest.mark.usefixtures("card")
def test_however_the_check_ends_training_goes_on_and_the_log_says_why(
    program: str, holds: bool, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(graph_check, "CHECK", ends(program))
    monkeypatch.setattr(graph_check, "PATIENCE", 2.0 if "sleep" in program else 60.0)
    with caplog.at_level("WARNING", "resnet_explorer"):
        assert graphs_hold(tmp_path) == holds
    reasons = [record.fields["reason"] for record in caplog.records]
    assert [said.startswith(reason) for said in reasons] == ([] if holds else [True])
    graph_check._checked_here.cache_clear()
    monkeypatch.setattr(graph_check, "CHECK", ends("print('this is not asked any more')"))
    assert graphs_hold(tmp_path) == holds
    [place] = tmp_path.glob("steps-*.txt")
    assert place.read_text("utf-8") == f"{'recorded' if holds else 'eager'}\nA card, torch {torch.__version__}\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what a machine without a GPU says")
def test_the_check_as_a_process_says_what_it_found() -> None:
    done = subprocess.run(graph_check.CHECK, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("eager: ")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_this_card_recorded_steps_train_as_eager_ones_do() -> None:
    assert trouble("cuda") == ""


@pytest.mark.usefixtures("card")
def test_of_workers_that_begin_together_one_asks_the_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def slowly() -> str:
        asked.append(threading.get_ident())
        time.sleep(0.5)
        return "recorded"

    monkeypatch.setattr(graph_check, "_checked_here", slowly)
    found: list[bool] = []
    workers = [threading.Thread(target=lambda: found.append(graphs_hold(tmp_path))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == [True] * 4
    assert len(asked) == 1
    assert {path.suffix for path in tmp_path.iterdir()} <= {".txt", Path(LOCK).suffix}


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
