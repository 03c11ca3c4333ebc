"""Lesions against nets built without the block, equations by hand, separate evaluation, and SciPy."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.stats import kendalltau
from torch import Tensor, nn

from app.base.settings import load as settings
from app.data.images import Images, load, prepare
from app.studies.cuts.measurement import cut_logits, cut_probabilities, evaluate_cuts
from app.studies.cuts.over_images import unpacked
from app.studies.lesions.draws import kendall_tau, random_orders, random_removals
from app.studies.lesions.measurement import random_lesions, reorderings, single_lesions
from app.training.cut_forward import block_output
from app.training.evaluation import evaluate
from app.values.cut_spec import WHOLE, CutSpec, removable
from app.values.datasets import BUNDLED
from models.nets.net import Net, blocks_of, build
from models.spec import NetSpec
from tests.support.nets import lively

torch.set_num_threads(1)

IMAGES = 60


@pytest.fixture(scope="module")
def images() -> Images:
    return load(BUNDLED, settings())


@pytest.fixture(scope="module")
def net() -> Net:
    return lively("resnet-14:width=4:channels=1")


def noise(channels: int = 3) -> Tensor:
    return torch.randn(4, channels, 16, 16, generator=torch.Generator().manual_seed(0))


def under(net: Net, text: str, x: Tensor) -> Tensor:
    [(_, logits)] = cut_logits(net, x, [CutSpec.parse(text)])
    return logits


# ── what a cut net is ──


@pytest.mark.parametrize(
    ("deep", "shallow"),
    [
        ("resnet-14", "resnet-8"),
        ("resnet-14:order=relu-before-add", "resnet-8:order=relu-before-add"),
        ("resnet-bottleneck-20", "resnet-bottleneck-11"),
        ("preact-14", "preact-8"),
        ("se-14", "se-8"),
        ("plain-14", "plain-8"),
    ],
)
def test_a_cut_net_is_the_net_that_was_built_without_those_blocks(deep: str, shallow: str) -> None:
    """Identity shortcuts with ReLU, or no σ at all: the second block of each stage is as if it had never been."""
    cut, built = lively(f"{deep}:width=4"), build(NetSpec.parse(f"{shallow}:width=4")).eval()
    state = {}
    for name, value in cut.state_dict().items():
        room, *rest = name.split(".")
        if room == "blocks" and int(rest[0]) % 2 == 0:
            state[".".join([room, str(int(rest[0]) // 2), *rest[1:]])] = value
        elif room != "blocks":
            state[name] = value
    built.load_state_dict(state)
    with torch.no_grad():
        assert torch.equal(under(cut, "1,3,5", noise()), built(noise()))


@torch.no_grad()
def test_an_elu_after_the_addition_acts_on_the_shortcut_alone() -> None:
    net = lively("resnet-14:width=4:activation=elu")
    b = blocks_of(net)
    by_hand = net.head(b[5](b[4](b[3](b[2](F.elu(b[0](net.stem(noise()))))))))
    assert torch.equal(under(net, "1", noise()), by_hand)


@torch.no_grad()
def test_moved_blocks_are_passed_in_their_new_order_with_their_own_scales() -> None:
    net = lively("resnet-20:width=4")
    b = blocks_of(net)
    x = b[1](net.stem(noise()))
    x = (x + 0.5 * b[2].branch(x)).relu()
    x = b[8](b[7](b[6](b[5](b[4](b[3](b[0](x)))))))
    torch.testing.assert_close(under(net, "2:0.5,1-2-0", noise()), net.head(x))


def test_a_scale_of_zero_is_removal_and_of_one_the_whole_net(net: Net) -> None:
    x = noise(1)
    assert torch.equal(under(net, "3:0", x), under(net, "3", x))
    assert torch.equal(under(net, "3:1", x), net(x))
    assert not torch.allclose(under(net, "3:0.5", x), under(net, "3", x))


@pytest.mark.parametrize("name", ["resnet-14", "preact-14", "highway-14", "stochastic-14", "dense-bc-16-4", "se-14"])
def test_a_net_without_any_block_still_answers(name: str) -> None:
    net = lively(f"{name}:width=4")
    logits = under(net, ",".join(map(str, range(len(net.blocks)))), noise())
    assert logits.shape == (4, 10)
    assert bool(torch.isfinite(logits).all())


@pytest.mark.parametrize("name", ["plain-14", "vgg-11"])
def test_a_cut_that_does_not_fit_is_refused_with_the_shapes(name: str, images: Images) -> None:
    net = lively(f"{name}:width=4:channels=1")
    bad = next(block for block in range(len(net.blocks)) if block not in removable(net.spec))
    with pytest.raises(ValueError, match=r"4×28×28 enters, 8×14×14 leaves"):
        evaluate_cuts(net, images, [CutSpec.of(removed=[bad])], IMAGES)


@pytest.mark.parametrize("name", ["resnet-14", "plain-20", "vgg-13", "vgg-11", "dense-10-4", "wide-10-2", "highway-14"])
def test_what_can_be_cut_on_paper_can_be_cut(name: str) -> None:
    net = lively(f"{name}:width=4")
    for block in range(len(net.blocks)):
        if block in removable(net.spec):
            under(net, str(block), noise())
        else:
            with pytest.raises(ValueError, match="cannot be cut"):
                under(net, str(block), noise())


# ── sharing ──


@torch.no_grad()
def test_cuts_in_one_walk_answer_as_each_does_alone() -> None:
    net = lively("preact-20:width=4")
    removals = [cut for k in (1, 2, 5) for cut in random_removals(range(9), k, 6, seed=1)]
    orders = random_orders([(0, 1), (1, 2), (4, 5)], 9, 2, 6, seed=1)
    cuts = [WHOLE, *removals, *(CutSpec.of(order=order) for order in orders), CutSpec.parse("2,4:0.5,2-1"), WHOLE]
    answers = dict(cut_logits(net, noise(), cuts))
    assert sorted(answers) == list(range(len(cuts)))
    for nth, cut in enumerate(cuts):
        x = net.stem(noise())
        for block, scale in cut.route(9):
            x = block_output(blocks_of(net)[block], x, scale)
        assert torch.equal(answers[nth], net.head(x))


def test_all_single_lesions_compute_each_branch_once_and_what_follows_each_cut() -> None:
    net = lively("resnet-20:width=4")
    computed = []
    for block in blocks_of(net):
        block.branch.register_forward_hook(lambda *_: computed.append(1))
    list(cut_logits(net, noise(), [WHOLE, *(CutSpec.of(removed=[block]) for block in range(9))]))
    assert len(computed) == 9 + sum(range(9)), "the whole net, then 8, 7, … 0 blocks"


# ── figures ──


def test_the_whole_net_s_figures_are_those_of_evaluation(net: Net, images: Images) -> None:
    witness = evaluate(net, images, IMAGES)
    [whole] = evaluate_cuts(net, images, [WHOLE], IMAGES)
    assert (whole.error, whole.images) == (witness.error, IMAGES)
    assert whole.loss == pytest.approx(witness.loss, rel=1e-5)


@torch.no_grad()
def test_error_loss_and_confusion_are_counted_image_by_image(net: Net, images: Images) -> None:
    [found] = evaluate_cuts(net, images, [CutSpec.parse("1")], IMAGES)
    logits = under(net, "1", prepare(images.test[:IMAGES], images.info))
    confusion = np.zeros((10, 10), dtype=int)
    for label, row in zip(images.test_labels[:IMAGES].tolist(), logits.tolist(), strict=True):
        confusion[label, int(np.argmax(row))] += 1
    assert (found.confusion == confusion).all()
    right, there = np.diag(confusion), confusion.sum(1)
    np.testing.assert_allclose(found.class_error, 100 * (1 - right / there))
    assert found.error == pytest.approx(100 * (1 - right.sum() / IMAGES))
    assert (unpacked(found.wrong, IMAGES) == (logits.argmax(1) != images.test_labels[:IMAGES]).numpy()).all()
    assert found.loss == pytest.approx(float(nn.CrossEntropyLoss()(logits, images.test_labels[:IMAGES])), rel=1e-5)


def test_a_class_without_images_has_no_error(net: Net, images: Images) -> None:
    few = Images(images.info, images.train, images.train_labels, images.test[:5], images.test_labels[:5])
    [found] = evaluate_cuts(net, few, [WHOLE])
    there = np.bincount(few.test_labels.numpy(), minlength=10) > 0
    assert (np.isfinite(found.class_error) == there).all()


def test_probabilities_of_chosen_images_before_and_after(net: Net, images: Images) -> None:
    found = cut_probabilities(net, images.test[:3], images.info, [WHOLE, CutSpec.parse("0")]).probabilities
    x = prepare(images.test[:3], images.info)
    assert found.shape == (2, 3, 10)
    np.testing.assert_allclose(found[0], net(x).softmax(1).detach().numpy(), rtol=1e-5)
    np.testing.assert_allclose(found[1], under(net, "0", x).softmax(1).numpy(), rtol=1e-5)


def test_single_lesions_are_each_block_s_own_evaluation_and_know_what_flipped(images: Images) -> None:
    net = lively("plain-14:width=4:channels=1")
    found = single_lesions(net, images, IMAGES)
    [whole, *alone] = evaluate_cuts(net, images, [WHOLE, *(CutSpec.of(removed=[b]) for b in (0, 1, 3, 5))], IMAGES)
    assert found.full_error == whole.error
    assert np.flatnonzero(np.isnan(found.error)).tolist() == [2, 4], "where shapes change"
    assert found.error[[0, 1, 3, 5]].tolist() == [cut.error for cut in alone]
    assert found.loss[[0, 1, 3, 5]].tolist() == [cut.loss for cut in alone]
    np.testing.assert_array_equal(found.class_error[1], alone[1].class_error)
    changed = [int((found.predicted[[0, 1, 3, 5], i] != found.full_predicted[i]).sum()) for i in range(IMAGES)]
    assert found.flips.tolist() == changed
    assert sorted(changed, reverse=True) == [changed[i] for i in found.first_flipped]


def test_progress_counts_every_cut_of_every_batch(net: Net, images: Images) -> None:
    told: list[tuple[int, int]] = []
    evaluate_cuts(net, images, [WHOLE, CutSpec.parse("1")], 600, lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


# ── draws ──


def test_draws_are_the_seed_s_and_more_of_them_leave_the_first_as_they_were() -> None:
    first = random_removals(range(9), 3, 5, seed=0)
    assert first == random_removals(range(9), 3, 8, seed=0)[:5]
    assert first != random_removals(range(9), 3, 5, seed=1)
    assert all(len(cut.removed) == 3 for cut in first)
    pairs = [(0, 1), (4, 5)]
    assert random_orders(pairs, 9, 3, 5, seed=0) == random_orders(pairs, 9, 3, 8, seed=0)[:5]


def test_random_lesions_are_the_drawn_cuts_evaluated(net: Net, images: Images) -> None:
    found = random_lesions(net, images, [1, 6], draws=3, seed=2, count=IMAGES)
    for row, k in zip(found.error, (1, 6), strict=True):
        witness = evaluate_cuts(net, images, random_removals(range(6), k, 3, seed=2), IMAGES)
        assert row.tolist() == [cut.error for cut in witness]
        nth = found.k.tolist().index(k)
        assert found.loss[nth].tolist() == pytest.approx([cut.loss for cut in witness])
        assert (found.wrong[nth] == [cut.wrong for cut in witness]).all()
    [whole] = evaluate_cuts(net, images, [WHOLE], IMAGES)
    assert found.full_error == whole.error
    assert found.full_loss == pytest.approx(whole.loss)
    assert (found.full_wrong == whole.wrong).all()
    assert len(set(found.error[1])) == 1, "there is one way to remove all six"
    assert found.k.tolist() == [1, 6]
    with pytest.raises(ValueError, match="has 6 blocks that can be cut, not 7"):
        random_lesions(net, images, [7], count=IMAGES)


def test_reorderings_are_the_drawn_orders_evaluated(images: Images) -> None:
    net = lively("resnet-20:width=4:channels=1")
    found = reorderings(net, images, [1, 4], draws=3, count=IMAGES)
    orders = random_orders([(0, 1), (0, 2), (1, 2), (4, 5), (7, 8)], 9, 4, 3, seed=0)
    witness = evaluate_cuts(net, images, [CutSpec.of(order=order) for order in orders], IMAGES)
    assert found.error[1].tolist() == [cut.error for cut in witness]
    assert (found.wrong[1] == [cut.wrong for cut in witness]).all()
    assert found.tau[1].tolist() == pytest.approx([kendalltau(range(9), order).statistic for order in orders])
    with pytest.raises(ValueError, match="none can change places"):
        reorderings(lively("dense-10-4:channels=1"), images, count=IMAGES)


def test_kendall_s_tau_is_scipy_s() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 5, 27):
        for order in (rng.permutation(n) for _ in range(20)):
            assert kendall_tau(order.tolist()) == pytest.approx(kendalltau(np.arange(n), order).statistic)
    assert kendall_tau(range(9)) == 1
    assert kendall_tau(range(8, -1, -1)) == -1
