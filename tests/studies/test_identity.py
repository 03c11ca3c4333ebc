"""The deeper net by construction: its logits against the shallow net's; what a stack learns of what it is asked."""

import numpy as np
import pytest
import torch
from torch import nn

from app.base.settings import load as load_settings
from app.data.images import Images, load
from app.studies.cuts.over_images import unpacked
from app.studies.identity.measurement import BATCH, CHANNELS, SIZE, deepen, deepened, learn, stack, train_on
from app.training.loop import train
from app.values.datasets import BUNDLED
from app.values.events import StepMeasured
from app.values.run_spec import Recipe, RunSpec
from models.nets.net import Net, build
from models.spec import NetSpec

torch.set_num_threads(1)


def trained(text: str) -> Net:
    """A net whose weights and running statistics are nobody's initial ones."""
    net = build(NetSpec.parse(text).fitted(1, 10))
    own = torch.Generator().manual_seed(3)
    for _ in range(3):
        net(torch.randn(16, 1, 14, 14, generator=own))
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=own)
            nn.init.normal_(module.bias, 0, 0.3, generator=own)
    return net.eval()


@pytest.mark.parametrize("text", ["plain-20:width=8", "plain-20:width=8:norm=none"])
@torch.no_grad()
def test_inserted_identities_leave_the_logits_as_they_were(text: str) -> None:
    net = trained(text)
    own = torch.Generator().manual_seed(4)
    deeper = deepen(net, 56, torch.randn(32, 1, 14, 14, generator=own))
    x = torch.randn(64, 1, 14, 14, generator=own)  # others than those of the statistics
    assert len(deeper.blocks) == 27
    assert float((deeper(x) - net(x)).abs().max()) < 1e-5
    deeper.get_parameter("blocks.4.branch.conv1.weight").mul_(1.01)
    assert float((deeper(x) - net(x)).abs().max()) > 1e-4  # the added blocks are on the way


def test_the_check_says_what_both_nets_do() -> None:
    whole = load(BUNDLED, load_settings())
    images = Images(whole.info, whole.train[:64], whole.train_labels[:64], whole.test[:50], whole.test_labels[:50])
    net = trained("plain-8:width=4")
    state, check = deepened(net, 14, images)
    assert check.largest_difference < 1e-5
    assert check.error == check.deeper_error
    assert check.added == (1, 3, 5)
    assert check.images == 50
    build(NetSpec.parse(check.deeper)).load_state_dict(state)


@torch.no_grad()
def test_training_mode_finds_the_identity_nearly_unchanged_too() -> None:
    net = trained("plain-8:width=4")
    x = torch.randn(256, 1, 14, 14, generator=torch.Generator().manual_seed(5))
    deeper = deepen(net, 14, x)
    y = deeper.blocks[0](deeper.stem(x))
    assert torch.allclose(deeper.blocks[1].train()(y), y, atol=1e-3)


@pytest.mark.parametrize("text", ["resnet-20", "plain-20:activation=elu", "plain-bottleneck-20"])
def test_what_cannot_be_deepened_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="plain nets"):
        deepen(trained(f"{text}:width=2"), 56, torch.zeros(2, 1, 8, 8))
    with pytest.raises(ValueError, match="not deeper"):
        deepen(trained("plain-20:width=2"), 14, torch.zeros(2, 1, 8, 8))


def test_the_net_that_was_made_is_trained_on_from_where_it_was_beside_one_from_scratch() -> None:
    whole = load(BUNDLED, load_settings())
    images = Images(whole.info, whole.train[:96], whole.train_labels[:96], whole.test[:50], whole.test_labels[:50])
    recipe = Recipe(steps=4, batch=32, schedule="constant", lr=1e-6)
    net = trained("plain-8:width=4")
    spec = RunSpec(net=net.spec, recipe=recipe, precision="float32", device="cpu", threads=1)
    told: list[tuple[int, int]] = []
    found = train_on(net, spec, 14, images, lambda done, total: told.append((done, total)))
    assert found.error.shape == (2, 4)
    assert told == [(step, 8) for step in range(1, 9)]
    # The engine's own steps, of the net that was made and of the seed's.
    state, check = deepened(net, 14, images)
    spec = spec.model_copy(update={"net": NetSpec.parse(check.deeper)})
    for row, given in zip(found.error, (state, None), strict=True):
        batches = [e.error for e in train(spec, images, given=given) if isinstance(e, StepMeasured)]
        assert row == pytest.approx(np.cumsum(batches) / np.arange(1, 5))
    given, after, scratch = unpacked(found.wrong, found.images)
    assert 100 * given.mean() == pytest.approx(check.deeper_error)
    assert (given == after).mean() > 0.9  # a rate of 1e-6 changes next to nothing
    assert scratch.mean() > 0.5
    assert not any(found.diverged)


def test_a_net_that_diverges_ends_its_curve_and_not_the_other_s() -> None:
    whole = load(BUNDLED, load_settings())
    images = Images(whole.info, whole.train[:96], whole.train_labels[:96], whole.test[:50], whole.test_labels[:50])
    recipe = Recipe(steps=3, batch=32, schedule="constant")
    net = trained("plain-8:width=4")
    with torch.no_grad():
        net.get_parameter("head.fc.weight").mul_(1e39)
    spec = RunSpec(net=net.spec, recipe=recipe, precision="float32", device="cpu", threads=1)
    found = train_on(net, spec, 14, images)
    assert found.diverged == (True, False)
    assert np.isfinite(found.error).sum(1).tolist() == [1, 3]


def test_stacks_learn_what_they_are_asked_and_twins_start_equal() -> None:
    lesson = learn("identity", blocks=(1,), steps=60)
    assert lesson.families == ("plain", "resnet")
    assert lesson.loss[1, -1] < 0.2 * lesson.loss[1, 0]
    assert lesson.loss[1, -1] < lesson.loss[0, -1]
    zero = learn("zero", blocks=(1,), steps=30)
    x = torch.relu(torch.randn(BATCH, CHANNELS, SIZE, SIZE))
    with torch.no_grad():
        plain, residual = stack("plain", 2, seed=7)[0], stack("resnet", 2, seed=7)[0]
        f = plain.get_submodule("branch")(x)
        assert torch.allclose(residual(x), torch.relu(x + f), atol=1e-6)
    assert zero.loss[0, -1] < 0.3 * zero.loss[0, 0]
    assert (learn("zero", blocks=(1,), steps=3).loss == zero.loss[:, :3]).all()
