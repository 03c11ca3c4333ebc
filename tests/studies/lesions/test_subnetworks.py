"""Sub-networks against nets evaluated one by one, each with its own blocks cut."""

from math import comb

import numpy as np
import pytest
import torch
from torch import Tensor

from app.studies.subnetworks.measurement import sub_networks, walk
from app.studies.subnetworks.words import against_whole
from app.training.cut_forward import block_output
from models.nets.net import Net, blocks_of
from tests.support.nets import lively

torch.set_num_threads(1)


def images(count: int = 12) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return torch.randn(count, 3, 8, 8, generator=rng), torch.randint(0, 10, (count,), generator=rng)


def alone(net: Net, x: Tensor, kept: np.ndarray) -> Tensor:
    """The logits of one sub-network, evaluated by itself."""
    x = net.stem(x)
    for block, keep in zip(blocks_of(net), kept, strict=True):
        x = block_output(block, x, float(keep))
    return net.head(x)


@pytest.mark.parametrize("name", ["resnet-14:width=4", "preact-14:width=4", "highway-8:width=4", "dense-10-4:width=6"])
def test_the_walk_gives_what_separate_evaluations_give(name: str) -> None:
    net, (x, y) = lively(name), images()
    result = sub_networks(net, x, y)
    assert result.exhaustive
    assert len({tuple(row) for row in result.kept.tolist()}) == 2 ** len(net.blocks) == len(result.errors)
    with torch.no_grad():
        out = dict(walk(blocks_of(net), net.stem(x), result.kept))
        for row, kept in enumerate(result.kept):
            logits = alone(net, x, kept)
            assert torch.equal(net.head(out[row]), logits)
            wrong, whole = ((out != y).numpy() for out in (logits.argmax(1), net(x).argmax(1)))
            assert result.errors[row] == pytest.approx(100 * wrong[1::2].mean())
            assert result.chosen_errors[row] == pytest.approx(100 * wrong[::2].mean())
            assert result.lost[row] == sum(bool(a and not b) for a, b in zip(wrong[1::2], whole[1::2], strict=True))
            assert result.gained[row] == sum(bool(b and not a) for a, b in zip(wrong[1::2], whole[1::2], strict=True))


def test_shared_blocks_are_computed_once() -> None:
    net, (x, y) = lively("resnet-14:width=4"), images()
    calls = [0] * 6
    for i, block in enumerate(blocks_of(net)):

        def count(*_: object, i: int = i) -> None:
            calls[i] += 1

        block.get_submodule("branch.conv1").register_forward_hook(count)
    sub_networks(net, x, y)
    assert calls == [1, 2, 4, 8, 16, 32]


def test_best_and_worst_of_each_size() -> None:
    net, (x, y) = lively("resnet-14:width=4"), images(40)
    result = sub_networks(net, x, y)
    assert result.sizes.tolist() == list(range(7))
    assert result.counts == tuple(str(comb(6, k)) for k in range(7))
    for i, size in enumerate(result.sizes):
        group = result.errors[result.kept.sum(1) == size]
        chosen = result.chosen_errors[result.kept.sum(1) == size]
        assert result.chosen_errors[result.best[i]] == chosen.min()
        assert result.chosen_errors[result.worst[i]] == chosen.max()
        assert result.kept[result.best[i]].sum() == result.kept[result.worst[i]].sum() == size
        assert result.low[i] == result.means[i] == result.high[i] == pytest.approx(group.mean())


def test_a_plain_net_keeps_the_blocks_that_cannot_be_cut() -> None:
    result = sub_networks(lively("plain-14:width=4"), *images())
    assert result.kept.shape == (16, 6)
    assert result.kept[:, [2, 4]].all()
    assert result.sizes.tolist() == [2, 3, 4, 5, 6]
    assert result.counts == ("1", "4", "6", "4", "1")


def test_a_deeper_net_gives_a_seeded_sample_with_its_band() -> None:
    net, (x, y) = lively("resnet-32:width=2"), images(20)
    result = sub_networks(net, x, y, draws=16, seed=3)
    again, other = (sub_networks(net, x, y, draws=16, seed=seed) for seed in (3, 4))
    assert not result.exhaustive
    sizes = result.kept.sum(1)
    assert [int((sizes == k).sum()) for k in result.sizes] == [min(comb(15, int(k)), 16) for k in result.sizes]
    assert np.array_equal(result.kept, again.kept)
    assert not np.array_equal(result.kept, other.kept)
    assert (result.low <= result.means).all()
    assert (result.means <= result.high).all()
    assert result.low[0] == result.high[0]
    with torch.no_grad():
        for row in (0, 20, 100, len(sizes) - 1):
            wrong = alone(net, x, result.kept[row]).argmax(1) != y
            assert result.errors[row] == pytest.approx(100 * float(wrong[1::2].float().mean()))


def test_images_come_in_batches_and_progress_counts_them() -> None:
    net, (x, y) = lively("resnet-8:width=2"), images(120)
    seen: list[tuple[int, int]] = []
    result = sub_networks(net, x, y, progress=lambda *at: seen.append(at))
    assert seen == [(i, 16) for i in range(1, 17)]
    with torch.no_grad():
        assert result.errors[-1] == pytest.approx(100 * float((net(x).argmax(1) != y)[1::2].float().mean()))
    assert result.images == 60


def test_the_best_of_many_equals_is_no_better_where_it_was_not_chosen() -> None:
    """A net that guesses, labels drawn: all that makes one sub-network best is luck."""
    net, (x, _) = lively("resnet-20:width=2"), images(100)
    gaps = []
    for seed in range(3):
        labels = torch.randint(0, 10, (100,), generator=torch.Generator().manual_seed(seed))
        result = sub_networks(net, x, labels)
        best = result.best[len(result.sizes) // 2]
        gaps.append(result.errors[best] - result.means[len(result.sizes) // 2])
        assert result.chosen_errors[best] < result.chosen_errors.mean() - 3
    assert abs(np.mean(gaps)) < 5


def test_a_sub_network_against_the_whole_net_is_the_bootstrap_of_its_images() -> None:
    net, (x, y) = lively("resnet-14:width=4"), images(200)
    result = sub_networks(net, x, y)
    place = int(result.worst[3])
    with torch.no_grad():
        cut = (alone(net, x, result.kept[place]).argmax(1) != y)[1::2].numpy()
        whole = (net(x).argmax(1) != y)[1::2].numpy()
    found = against_whole(result, place)
    rng = np.random.default_rng(1)
    drawn = [100 * (cut[at].mean() - whole[at].mean()) for at in rng.integers(0, 100, (4000, 100))]
    assert found.value == pytest.approx(100 * (cut.mean() - whole.mean()))
    assert [found.low, found.high] == pytest.approx(np.percentile(drawn, [1, 99]), abs=1.01)
    assert found.count == 100
