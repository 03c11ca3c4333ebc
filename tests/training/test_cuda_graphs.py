"""Steps of a GPU. On a CPU: all but the recording; on pretended GPU tensors: that nothing waits; on a GPU: the graph.

The witness is `Steps`, one step at a time, which tests/training/test_loop.py holds against autograd by hand.
"""

import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

import app.data.images
from app.data.images import prepare
from app.training.cuda_graphs import MOST, Ahead
from app.training.cut_forward import cut_output
from app.training.loop import train
from app.training.step import Steps
from app.values.cut_spec import WHOLE, CutSpec
from app.values.events import BlockCut, RunDiverged, RunFinished, StepMeasured
from app.values.run_spec import Recipe, RunSpec
from models.nets.net import Net, build
from models.spec import NetSpec
from tests.support.noise import ABOUT, noise

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
CUTS = (BlockCut(step=17, cut=CutSpec.parse("1")), BlockCut(step=33, cut=WHOLE))


def spec(net: str = "resnet-8:width=4", device: str = "cpu", precision: str = "float32", **recipe: object) -> RunSpec:
    recipe = {"epochs": 2, "batch": 8, "lr": 1 / 64, "schedule": "constant", "augment": True, **recipe}
    run = {"net": NetSpec.parse(net).fitted(1, 3), "data": ABOUT.name, "device": device, "precision": precision}
    return RunSpec.model_validate({**run, "recipe": Recipe.model_validate(recipe), "threads": 1})


def taken(run: Steps, last: int) -> list[StepMeasured]:
    made: list[StepMeasured] = []
    while len(made) < last and all(one.finite for one in made[-1:]):
        made += run.take(len(made), last)
    return made


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nets in float64: fifty steps of a small net make a difference in float32's last digit a hundred thousand times
    larger, and nothing could be told from it.
    """
    monkeypatch.setattr("app.training.step.build", lambda net, seed: build(net, seed).double())
    monkeypatch.setattr("app.training.step.prepare", lambda x, info, _: prepare(x, info).double())


def close(a: list[StepMeasured], b: list[StepMeasured], rel: float) -> None:
    assert [one.step for one in a] == [one.step for one in b]
    for one, other in zip(a, b, strict=True):
        assert one.loss == pytest.approx(other.loss, rel=rel)
        assert one.norms == pytest.approx(other.norms, rel=rel)
        assert one.lr == pytest.approx(other.lr, rel=1e-6)


@pytest.mark.parametrize(
    "net", ["plain-8:width=4", "resnet-8:width=4", "stochastic-8:width=4:survival=0.5", "wide-10-2:width=4:dropout=0.3"]
)
@pytest.mark.usefixtures("exact")
def test_fifty_steps_asked_for_ahead_are_those_made_one_by_one(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.cuda_graphs.READ_SECONDS", 1000.0)
    by_one, ahead = Steps(spec(net), noise(240), ()), Ahead(spec(net), noise(240), ())
    close(taken(ahead, 50), taken(by_one, 50), rel=1e-5)
    assert ahead.most > 1  # several were read together
    for name, value in by_one.net.state_dict().items():
        torch.testing.assert_close(ahead.net.state_dict()[name], value, rtol=1e-5, atol=1e-7)


@pytest.mark.usefixtures("exact")
def test_cuts_fall_on_their_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.cuda_graphs.READ_SECONDS", 1000.0)
    ahead = Ahead(spec(), noise(240), CUTS)
    close(taken(ahead, 50), taken(Steps(spec(), noise(240), CUTS), 50), rel=1e-5)


def test_no_step_is_taken_beyond_a_moment_a_cut_or_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.cuda_graphs.READ_SECONDS", 1000.0)
    ahead = Ahead(spec(), noise(240), CUTS)
    ahead.most = MOST
    ends = [0]
    while ends[-1] < 50:
        ends.append(ends[-1] + len(ahead.take(ends[-1], 50)))
        ahead.most = MOST
    assert ends == [0, 1, 10, 17, 30, 33, 50]  # moments 1, 10, and 30, the epoch's end; cuts at 17 and 33


def test_after_a_step_that_is_not_finite_no_weight_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.training.cuda_graphs.READ_SECONDS", 1000.0)
    wild = spec("plain-8:width=4:norm=none", lr=10, epochs=20)
    by_one, ahead = Steps(wild, noise(), ()), Ahead(wild, noise(), ())
    one, other = taken(by_one, 600), taken(ahead, 600)
    assert not one[-1].finite
    assert not other[-1].finite
    assert one[-1].step == other[-1].step > 1
    assert by_one.trouble(one[-1]) == ahead.trouble(other[-1])
    for name, value in by_one.net.named_parameters():
        assert bool(ahead.net.get_parameter(name).isfinite().all())
        torch.testing.assert_close(ahead.net.get_parameter(name), value, rtol=1e-2, atol=1e-3)


def test_a_poisoned_step_in_the_middle_is_the_last_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = Ahead(spec(), noise(240), ())
    taken(ahead, 10)
    ahead.most = MOST
    figures, asked = ahead.figures, iter(range(100))

    def poisoned(x: Tensor, y: Tensor, cut: CutSpec) -> Tensor:
        return figures(x, y, cut) * (math.nan if next(asked) == 6 else 1.0)

    monkeypatch.setattr(ahead, "figures", poisoned)
    before: dict[int, Tensor] = {}
    step = ahead.sgd.step

    def watched() -> None:
        before[len(before)] = ahead.net.get_parameter("head.fc.weight").detach().clone()
        step()

    monkeypatch.setattr(ahead.sgd, "step", watched)
    told = ahead.take(10, 30)
    assert [one.step for one in told] == list(range(10, 17))
    assert [one.finite for one in told] == [True] * 6 + [False]
    assert len(before) == 20  # those after it had been asked for already
    assert not torch.equal(before[5], before[6])
    assert torch.equal(before[6], ahead.net.get_parameter("head.fc.weight"))


def test_where_no_graph_can_be_recorded_it_goes_on_without_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "resnet_explorer"):
        assert len(taken(Ahead(spec("stochastic-8:width=4"), noise(240), ()), 12)) == 12
    said = [record.fields["reason"] for record in caplog.records if record.message == "step not recorded"]  # type: ignore[attr-defined]
    assert len(said) == 1  # once a run, not once a step
    assert "dropped" in said[0]


class Copies(TorchDispatchMode):
    """What comes from the host while it is on."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        devices = {value.device.type for value in (*args, out) if isinstance(value, Tensor) and value.ndim}
        if len(devices) > 1:
            self.seen.append(str(func))
        return out


@pytest.fixture
def without_values() -> Iterator[None]:
    """Tensors that have a shape and a device only: reading one fails, and a GPU's can be had where there is none."""
    constants = (app.data.images._border, app.data.images._scale_and_shift)
    for cached in constants:
        cached.cache_clear()
    with FakeTensorMode():
        yield
    for cached in constants:
        cached.cache_clear()


NETS = ["plain-8:width=4", "resnet-8:width=4:shortcut=B", "wide-10-2:width=4:dropout=0.3", "se-8:width=4"]


def pretended(device: str, monkeypatch: pytest.MonkeyPatch, net: str, precision: str = "float32") -> Ahead:
    """A run on tensors of `device` without values, whose constants have reached the device."""

    def build(spec: NetSpec, _seed: int) -> Net:
        with torch.device(device):
            built = Net(spec)
        built.to = lambda *_args, **_kwargs: built  # type: ignore[method-assign]  # it is there already
        return built

    monkeypatch.setattr("app.training.step.build", build)
    run = Ahead(spec(net, device, precision), noise(240, device=device), ())
    run.inputs(run.drawn)
    return run


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.usefixtures("without_values")
def test_nothing_in_a_step_is_read(net: str, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Reading a tensor without values fails; on a GPU, it would wait for all that was asked.
    run = pretended("cpu", monkeypatch, net, precision)
    run._step(WHOLE)
    with pytest.raises(DataDependentOutputException):
        run.read.tolist()


@pytest.mark.parametrize("net", NETS)
@pytest.mark.usefixtures("without_values")
def test_a_step_on_a_gpu_takes_nothing_from_the_host(net: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = pretended("cuda", monkeypatch, net)  # no GPU is needed, but no gradient can be had without one
    with Copies() as copies:
        x, y = run.inputs(run.drawn)
        loss = F.cross_entropy(cut_output(run.net, x, WHOLE), y)
        torch.maximum(run.refused, (~loss.isfinite()).to(run.refused.dtype), out=run.refused)
    assert copies.seen == []
    with Copies() as copies:
        run.drawn.copy_(torch.zeros(run.drawn.shape, dtype=torch.int64, device="cpu"))
    assert copies.seen == ["aten.copy_.default"]


@GPU
@pytest.mark.parametrize("net", ["plain-8:width=4", "resnet-20:width=8", "preact-8:width=4"])
@pytest.mark.usefixtures("exact")
def test_fifty_steps_of_a_graph_are_those_of_the_eager_net(net: str) -> None:
    images = noise(240, device="cuda")
    run, by_one = Ahead(spec(net, "cuda"), images, CUTS), Steps(spec(net, "cuda"), images, CUTS)
    close(taken(run, 50), taken(by_one, 50), rel=1e-5)
    assert_recorded(run)


@GPU
def test_in_bfloat16_a_graph_learns_as_the_eager_net_does() -> None:
    images, asked = noise(240, device="cuda"), spec("resnet-20:width=8", "cuda", "bfloat16", batch=120, epochs=25)
    run, by_one = Ahead(asked, images, ()), Steps(asked, images, ())
    graph, eager = taken(run, 50), taken(by_one, 50)
    # bfloat16 has three digits.
    assert [one.loss for one in graph] == pytest.approx([one.loss for one in eager], rel=0.03)
    assert_recorded(run)


def assert_recorded(run: Ahead) -> None:
    for ready in run.ready.values():
        assert isinstance(getattr(ready, "__self__", None), torch.cuda.CUDAGraph)


@GPU
def test_a_run_on_a_gpu_ends_as_one_on_a_cpu() -> None:
    events = list(train(spec(device="cuda"), noise(240, device="cuda")))
    assert isinstance(events[-1], RunFinished)
    assert sum(isinstance(event, StepMeasured) for event in events) == 60
    wild = spec("plain-8:width=4:norm=none", "cuda", lr=10, epochs=20)
    assert isinstance(list(train(wild, noise(device="cuda")))[-1], RunDiverged)
