"""Training: its events, its figures against autograd by hand, and going on from a checkpoint bit for bit."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from app.data.images import Images, order, prepare
from app.store.files.checkpoints import kept, weights_file
from app.training.evaluation import evaluate
from app.training.loop import resolve, train
from app.values.datasets import DataSet
from app.values.events import (
    CheckpointSaved,
    EpochEvaluated,
    Event,
    RunDiverged,
    RunFinished,
    RunStarted,
    RunStopped,
    StepMeasured,
)
from app.values.run_spec import Recipe, RunSpec
from models.nets.net import Net, build, weight_layers
from models.spec import NetSpec
from tests.support.noise import ABOUT, noise


@pytest.fixture
def images() -> Images:
    return noise()


def spec(net: str = "resnet-8:width=4", **recipe: object) -> RunSpec:
    recipe = {"epochs": 3, "batch": 8, "lr": 0.05, **recipe}
    return RunSpec(
        net=NetSpec.parse(net).fitted(1, 3),
        data=ABOUT.name,
        recipe=Recipe.model_validate(recipe),
        precision="float32",
        threads=1,
    )


def timeless(events: list[Event]) -> list[dict[str, object]]:
    """Events without times, and without the checkpoints that only time decides."""
    return [
        event.model_dump(exclude={"seconds", "images_per_second"})
        for event in events
        if not (isinstance(event, CheckpointSaved) and not event.moment)
    ]


def test_events_come_in_the_order_in_which_things_happen(images: Images, tmp_path: Path) -> None:
    events = list(train(spec(epochs=2), images, tmp_path))
    first = ["step", "checkpoint", "step", "step", "step", "step", "epoch", "checkpoint"]
    second = ["step", "step", "step", "step", "step", "epoch", "checkpoint"]
    assert [event.kind for event in events] == ["started", "checkpoint", *first, *second, "finished"]
    assert [event.step for event in events if isinstance(event, StepMeasured)] == list(range(10))
    assert [event.step for event in events if isinstance(event, EpochEvaluated)] == [5, 10]
    assert isinstance(events[-1], RunFinished)


def test_weights_are_kept_at_the_moments_of_the_design(images: Images, tmp_path: Path) -> None:
    list(train(spec(epochs=3), images, tmp_path))
    assert kept(tmp_path) == [0, 1, 5, 10, 15]


@pytest.mark.parametrize(
    "net",
    [
        "plain-8:width=4",
        "resnet-8:width=4:shortcut=B",
        "preact-8:width=4",
        "highway-8:width=4",
        "se-8:width=4",
        "dense-bc-16-4",
        "wide-10-2:width=4",
    ],
)
def test_gradient_norms_are_those_of_autograd_by_hand(net: str, images: Images) -> None:
    asked = spec(net)
    started, first = [event for event in train(asked, images, until=1) if event.kind in ("started", "step")]
    assert isinstance(started, RunStarted)
    assert isinstance(first, StepMeasured)
    same = build(asked.net, asked.seed)
    chosen = order(40, 0, 0)[:8]
    x = (images.train[chosen].float() / 255 - 0.4) / 0.3
    loss = F.cross_entropy(same(x), images.train_labels[chosen])
    weights = list(weight_layers(same).values())
    by_hand = [float(g.pow(2).sum().sqrt()) for g in torch.autograd.grad(loss, weights)]
    assert first.loss == pytest.approx(loss.item(), rel=1e-5)
    assert first.norms == pytest.approx(by_hand, rel=1e-4)
    assert len(started.layers) == len(first.norms)


def test_a_branch_that_was_dropped_has_no_gradient_and_is_not_updated(images: Images, tmp_path: Path) -> None:
    asked = spec("stochastic-20:width=4:survival=0.01", weight_decay=0.0)
    events = list(train(asked, images, tmp_path, until=1))
    [first] = [event for event in events if isinstance(event, StepMeasured)]
    layers = next(event.layers for event in events if isinstance(event, RunStarted))
    before, after = build(asked.net, asked.seed).state_dict(), load_file(weights_file(tmp_path, 1))
    dropped = [name for name, norm in zip(layers, first.norms, strict=True) if norm == 0]
    assert "blocks.8.branch.conv1" in dropped
    assert "stem.conv" not in dropped
    for name in layers:
        assert torch.equal(before[f"{name}.weight"], after[f"{name}.weight"]) == (name in dropped)


def test_one_update_is_the_one_of_the_papers_formula(images: Images, tmp_path: Path) -> None:
    asked = spec(weight_decay=0.01, schedule="constant")
    list(train(asked, images, tmp_path, until=1))
    net = build(asked.net, asked.seed)
    chosen = order(40, 0, 0)[:8]
    loss = F.cross_entropy(net(prepare(images.train[chosen], ABOUT, torch.float32)), images.train_labels[chosen])
    weight = net.get_parameter("head.fc.weight")
    gradient = torch.autograd.grad(loss, weight)[0]
    expected = weight - 0.05 * (gradient + 0.01 * weight)
    torch.testing.assert_close(load_file(weights_file(tmp_path, 1))["head.fc.weight"], expected, rtol=1e-4, atol=1e-6)


def test_the_same_spec_gives_the_same_events(images: Images) -> None:
    assert timeless(list(train(spec(), images))) == timeless(list(train(spec(), images)))


def test_another_seed_gives_other_events(images: Images) -> None:
    other = spec().model_copy(update={"seed": 1})
    assert timeless(list(train(spec(), images)))[1] != timeless(list(train(other, images)))[1]


def test_a_plain_net_and_its_twin_see_the_same_batches(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[torch.Tensor] = []

    def spy(x: torch.Tensor, info: DataSet, dtype: torch.dtype) -> torch.Tensor:
        seen.append(x.clone())
        return prepare(x, info, dtype)

    monkeypatch.setattr("app.training.step.prepare", spy)
    list(train(spec("plain-8:width=4", augment=True), images))
    plain, seen = seen, []
    list(train(spec("resnet-8:width=4", augment=True), images))
    assert len(plain) == len(seen)
    assert all(torch.equal(a, b) for a, b in zip(plain, seen, strict=True))


@pytest.mark.parametrize(
    ("net", "step"),
    [
        ("resnet-8:width=4", 3),
        ("resnet-8:width=4", 5),
        ("resnet-8:width=4", 12),
        ("stochastic-8:width=4:survival=0.3", 3),
        ("wide-10-2:width=4:dropout=0.3", 12),
        ("highway-8:width=4", 3),
        ("dense-bc-16-4", 3),
        ("vgg-11:width=4", 3),
        ("se-8:width=4", 3),
        ("preact-8:width=4:shortcut_dropout=0.5", 3),
    ],
)
def test_going_on_from_a_checkpoint_changes_no_bit_and_no_event(
    net: str, step: int, images: Images, tmp_path: Path
) -> None:
    asked = spec(net, augment=True)
    whole = list(train(asked, images, tmp_path / "whole"))
    first = list(train(asked, images, tmp_path / "parts", until=step))
    rest = list(train(asked, images, tmp_path / "parts", start=step))
    assert isinstance(first[-1], RunStopped)
    assert timeless(first)[:-1] + timeless(rest)[1:] == timeless(whole)
    for path in ("0000015.safetensors", "0000015.momentum.safetensors"):
        one, two = load_file(tmp_path / "whole" / path), load_file(tmp_path / "parts" / path)
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_stops_when_asked_and_keeps_its_weights(images: Images, tmp_path: Path) -> None:
    answers = iter([False, False, True])
    events = list(train(spec(), images, tmp_path, stop=lambda: next(answers)))
    assert events[-1] == RunStopped(step=3)
    [saved] = [event for event in events if isinstance(event, CheckpointSaved) and event.step == 3]
    assert (saved.moment, len(saved.weights), len(saved.momentum)) == (False, 64, 64)
    assert kept(tmp_path) == [0, 1, 3]


def test_divergence_names_the_layer_where_it_began_and_keeps_what_was(images: Images, tmp_path: Path) -> None:
    asked = spec("plain-8:width=4:norm=none", lr=10, epochs=20)
    events = list(train(asked, images, tmp_path))
    last = events[-1]
    assert isinstance(last, RunDiverged)
    state = load_file(weights_file(tmp_path, last.step))
    assert all(bool(torch.isfinite(value).all()) for value in state.values() if last.what == "gradient")
    net = build(asked.net)
    net.load_state_dict(state)
    epoch, nth = divmod(last.step, 5)
    x = prepare(images.train[order(40, 0, epoch)[nth * 8 : nth * 8 + 8]], ABOUT, torch.float32)
    broken: list[str] = []
    for name, module in net.named_modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(
                lambda _m, _i, out, name=name: None if out.isfinite().all() else broken.append(name)
            )
    net.train()(x)
    assert last.what == "gradient" or broken[0] == last.layer


def test_a_diverged_activation_is_found_at_its_layer(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    def poisoned(net: NetSpec, seed: int) -> Net:
        built = build(net, seed)
        with torch.no_grad():
            built.get_parameter("blocks.1.branch.conv2.weight").fill_(float("inf"))
        return built

    monkeypatch.setattr("app.training.step.build", poisoned)
    events = list(train(spec("plain-8:width=4:norm=none"), images))
    assert events[-1] == RunDiverged(step=0, layer="blocks.1.branch.conv2", what="activation")


def test_evaluation_is_the_share_of_wrong_answers_in_evaluation_mode(images: Images) -> None:
    net = build(spec().net)
    result = evaluate(net, images, 7)
    net.eval()
    logits = net((images.test[:7].float() / 255 - 0.4) / 0.3)
    assert result.images == 7
    assert result.error == pytest.approx(100 * float((logits.argmax(1) != images.test_labels[:7]).float().mean()))
    assert result.loss == pytest.approx(float(F.cross_entropy(logits, images.test_labels[:7])), rel=1e-5)


def test_resolving_leaves_no_auto() -> None:
    resolved = resolve(RunSpec(net=NetSpec.parse("resnet-20").fitted(1, 10)))
    assert resolved.device in ("cpu", "cuda")
    assert resolved.precision in ("float32", "bfloat16")
    assert resolved.threads >= 1
    assert resolve(resolved) == resolved


def test_without_measuring_there_are_no_norms_and_the_same_losses(images: Images) -> None:
    blind = spec().model_copy(update={"measure": False})
    with_norms = [event for event in train(spec(), images) if isinstance(event, StepMeasured)]
    without = [event for event in train(blind, images) if isinstance(event, StepMeasured)]
    assert [event.loss for event in without] == [event.loss for event in with_norms]
    assert all(event.norms == () for event in without)
