"""Feature maps against hooks of their own, receptive fields against perturbation, the depth read against the net."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from app.base.settings import Settings
from app.data.images import Images, load, prepare
from app.studies.features.maps import depth_read, feature_maps, most_exciting
from app.training.cut_forward import block_output
from app.values.datasets import BUNDLED, DATASETS
from models.nets.net import Net, blocks_of
from tests.support.nets import lively

FAMILIES = ["plain-8", "resnet-8", "preact-8", "highway-8", "stochastic-8", "se-8", "dense-7-4", "resnet-8:shortcut=C"]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    torch.set_num_threads(1)
    return load(BUNDLED, Settings(store=tmp_path_factory.mktemp("store"), data=Path("data")))


def small(text: str) -> Net:
    """Lively, grey images."""
    wide = "" if text.startswith("dense") else ":width=4"
    return lively(f"{text}{wide}:channels=1")


@pytest.mark.parametrize("at", ["stem.conv", "stem", "blocks.1", "blocks.2.branch.conv1", "head.fc"])
def test_maps_are_those_of_a_hook_of_the_test_s_own(images: Images, at: str) -> None:
    net = small("resnet-8")
    kept: list[Tensor] = []
    hook = net.get_submodule(at).register_forward_hook(lambda _module, _inputs, y: kept.append(y.detach()))
    logits = net(prepare(images.test[3:4], images.info))
    hook.remove()
    found = feature_maps(net, images.test[3], images.info, at)
    np.testing.assert_array_equal(found.part("output").squeeze(), kept[0][0].numpy().squeeze())
    np.testing.assert_allclose(found.probabilities, logits.softmax(1)[0].detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("text", FAMILIES)
def test_shortcut_and_branch_make_up_the_sum_to_the_last_bit(images: Images, text: str) -> None:
    net = small(text)
    for i, block in enumerate(blocks_of(net)):
        found = feature_maps(net, images.test[0], images.info, f"blocks.{i}")
        np.testing.assert_array_equal(found.part("shortcut") + found.part("branch"), found.part("sum"))
        after = block.after(torch.from_numpy(found.part("sum").copy())[None])[0].detach()
        np.testing.assert_array_equal(after.numpy(), found.part("output"))


def test_a_plain_block_adds_nothing_to_nothing(images: Images) -> None:
    found = feature_maps(small("plain-8"), images.test[0], images.info, "blocks.0")
    assert not found.part("shortcut").any()


def test_a_place_that_is_not_there_is_said() -> None:
    with pytest.raises(ValueError, match="no place"):
        feature_maps(small("resnet-8"), torch.zeros(1, 28, 28, dtype=torch.uint8), DATASETS[BUNDLED], "blocks.9")


@pytest.mark.parametrize("at", ["blocks.0", "blocks.1", "blocks.1.branch.conv1"])
def test_the_most_exciting_images_are_those_of_a_plain_loop(images: Images, at: str) -> None:
    net = small("resnet-8")
    found = most_exciting(net, images, at, count=60, most=5)
    peaks = []
    for picture in images.test[:60]:
        maps = feature_maps(net, picture, images.info, at).part("output")
        peaks.append(maps.reshape(len(maps), -1).max(1))
    best = np.sort(np.array(peaks), axis=0)[::-1][:5].T
    np.testing.assert_allclose(found.values, best, rtol=1e-4)
    alone = np.array(peaks)[found.places, np.arange(len(best))[:, None]]
    np.testing.assert_allclose(found.values, alone, rtol=1e-4)


@pytest.mark.parametrize("text", ["resnet-8", "preact-8", "vgg-11", "dense-7-4"])
def test_nothing_outside_the_exciting_patch_changes_the_number_and_its_edges_do(images: Images, text: str) -> None:
    """The window is the true receptive field: by perturbation, with no ReLU closed (ELU) and the number itself read."""
    net = small(f"{text}:activation=elu")
    at = "blocks.0"
    found = most_exciting(net, images, at, count=40, most=1)
    size = images.info.size
    for channel in range(0, len(found.places), 2):
        place, (top, bottom, left, right) = int(found.places[channel, 0]), found.windows[channel, 0]
        picture = images.test[place]
        maps = feature_maps(net, picture, images.info, at)
        own = maps.part("output")[channel]
        spot = np.unravel_index(own.argmax(), own.shape)
        assert (maps.window(int(spot[0])), maps.window(int(spot[1]))) == ((top, bottom), (left, right))

        own_value = float(own[spot])
        patch = torch.zeros(size, size, dtype=torch.bool)
        patch[top:bottom, left:right] = True

        assert excited(net, images, torch.where(patch, picture, 255 - picture), at, (channel, *spot)) == own_value
        if text == "vgg-11" or (text == "dense-7-4" and channel < len(found.places) - 4):
            continue  # a maximum need not change; a dense block's old channels see less
        for row in (top, bottom - 1):
            edge = picture.clone()
            edge[:, row, left:right] = 255 - edge[:, row, left:right]
            assert excited(net, images, edge, at, (channel, *spot)) != own_value


def excited(net: Net, images: Images, picture: Tensor, at: str, spot: tuple[Any, ...]) -> float:
    """One number of the feature maps."""
    return float(feature_maps(net, picture, images.info, at).part("output")[spot])


def test_after_the_last_block_the_depth_read_is_the_net_and_before_it_the_others_are_cut(images: Images) -> None:
    net = small("resnet-8")
    x, y = prepare(images.test[:50], images.info), images.test_labels[:50]
    found = depth_read(net, x, y, batch=20)
    with torch.no_grad():
        whole = net(x)
        maps = net.stem(x)
        first, *others = blocks_of(net)
        maps = first(maps)
        for block in others:
            maps = block_output(block, maps, 0)
        stopped = net.head(maps)
    assert len(found.accuracy) == 4
    for read, logits in ((-1, whole), (1, stopped)):
        np.testing.assert_allclose(found.probabilities[read], logits.softmax(1).mean(0), rtol=1e-5)
        assert found.accuracy[read] == pytest.approx(100 * float((logits.argmax(1) == y).float().mean()))
        assert found.loss[read] == pytest.approx(float(torch.nn.functional.cross_entropy(logits, y)), rel=1e-5)
    assert found.kept == ()


def test_a_plain_net_keeps_the_blocks_that_change_shapes(images: Images) -> None:
    net = small("plain-14")
    found = depth_read(net, prepare(images.test[:10], images.info))
    assert found.kept == (2, 4)
    assert np.isnan(found.accuracy).all()
    np.testing.assert_allclose(found.probabilities.sum(1), 1)
