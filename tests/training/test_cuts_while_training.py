"""Blocks cut while a net trains: against a net trained without them by hand, and going on among cuts bit for bit."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from app.data.images import Images, order, prepare
from app.store.files.checkpoints import weights_file
from app.training.loop import train
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut, EpochEvaluated, RunStarted, StepMeasured
from models.nets.net import build
from tests.support.noise import ABOUT, noise
from tests.training.test_loop import spec, timeless

CUTS = (BlockCut(step=4, cut=CutSpec.parse("1")), BlockCut(step=11, cut=CutSpec()))


@pytest.fixture
def images() -> Images:
    return noise()


def test_what_is_cut_while_it_trains_is_a_net_trained_without_it_by_hand(images: Images, tmp_path: Path) -> None:
    asked = spec(schedule="constant")
    events = list(train(asked, images, tmp_path, cuts=CUTS))
    net = build(asked.net, asked.seed)
    sgd = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=asked.recipe.weight_decay)
    losses, errors = [], []
    for step in range(15):
        epoch, nth = divmod(step, 5)
        chosen = order(40, 0, epoch)[nth * 8 : nth * 8 + 8]

        def forward(x: torch.Tensor, whole: bool = not 4 <= step < 11) -> torch.Tensor:
            first, middle, last = net.blocks
            x = first(net.stem(x))
            # Option A's shortcut where the resolution is halved: every second pixel, four channels of zeros.
            x = middle(x) if whole else F.relu(F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)))
            logits: torch.Tensor = net.head(last(x))
            return logits

        net.train()
        loss = F.cross_entropy(
            forward(prepare(images.train[chosen], ABOUT, torch.float32)), images.train_labels[chosen]
        )
        sgd.zero_grad()
        loss.backward()
        losses.append(loss.item())
        sgd.step()
        if step % 5 == 4:
            net.eval()
            wrong = forward(prepare(images.test, ABOUT, torch.float32)).argmax(1) != images.test_labels
            errors.append(100 * float(wrong.float().mean()))
    assert [event.loss for event in events if isinstance(event, StepMeasured)] == pytest.approx(losses, rel=1e-4)
    assert [event.test_error for event in events if isinstance(event, EpochEvaluated)] == pytest.approx(errors)
    after = load_file(weights_file(tmp_path, 15))
    for name, value in net.state_dict().items():
        torch.testing.assert_close(after[name], value, rtol=1e-3, atol=1e-4)


def test_a_branch_that_is_cut_gets_no_gradient_and_stays_what_it_was(images: Images, tmp_path: Path) -> None:
    events = list(train(spec(), images, tmp_path, cuts=CUTS[:1], until=10))
    layers = next(event.layers for event in events if isinstance(event, RunStarted))
    cut = [at for at, name in enumerate(layers) if name.startswith("blocks.1.branch")]
    for event in events:
        if isinstance(event, StepMeasured):
            assert all((event.norms[at] == 0) == (at in cut and event.step >= 4) for at in range(len(layers)))
    list(train(spec(), images, tmp_path / "before", until=4))
    before, after = load_file(weights_file(tmp_path / "before", 4)), load_file(weights_file(tmp_path, 10))
    for name, value in before.items():
        assert torch.equal(value, after[name]) == name.startswith("blocks.1.branch")


@pytest.mark.parametrize("step", [2, 4, 8, 11, 13])
def test_going_on_among_cuts_changes_no_bit_and_no_event(step: int, images: Images, tmp_path: Path) -> None:
    asked = spec("stochastic-8:width=4:survival=0.7", augment=True)
    whole = list(train(asked, images, tmp_path / "whole", cuts=CUTS))
    first = list(train(asked, images, tmp_path / "parts", until=step, cuts=CUTS))
    rest = list(train(asked, images, tmp_path / "parts", start=step, cuts=CUTS))
    assert timeless(first)[:-1] + timeless(rest)[1:] == timeless(whole)
    for path in ("0000015.safetensors", "0000015.momentum.safetensors"):
        one, two = load_file(tmp_path / "whole" / path), load_file(tmp_path / "parts" / path)
        assert all(torch.equal(one[name], two[name]) for name in one)
