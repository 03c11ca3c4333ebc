"""Data sets as tensors: the bundled images and the real ones; batches, augmented and prepared."""

import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from app.base.settings import ASSETS, ROOT, Settings
from app.base.settings import load as settings_here
from app.data import images as data
from app.data.images import cropped, crops, load, order, prepare
from app.values.datasets import BUNDLED, DATASETS, FILES, DataError, DataUnavailable, available, find

FULL = settings_here().data  # RESNET_EXPLORER_DATA


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "_cache", type(data._cache)())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", store=tmp_path / "store")


# The bundled set


def test_the_bundled_set_has_1000_training_and_200_test_images_of_each_class(settings: Settings) -> None:
    images = load(BUNDLED, settings)
    assert (images.train.shape, images.test.shape) == ((10_000, 1, 28, 28), (2_000, 1, 28, 28))
    assert (images.train.dtype, images.train_labels.dtype) == (torch.uint8, torch.int64)
    assert images.train_labels.bincount().tolist() == [1000] * 10
    assert images.test_labels.bincount().tolist() == [200] * 10
    assert images.info == DATASETS[BUNDLED]


def test_the_bundled_sets_mean_and_standard_deviation_are_those_of_its_training_images(settings: Settings) -> None:
    images = load(BUNDLED, settings)
    x = images.train.numpy().astype(np.float64) / 255
    assert images.info.mean == pytest.approx([x.mean()], abs=5e-5)
    assert images.info.std == pytest.approx([x.std()], abs=5e-5)


def test_the_bundled_file_is_small_and_comes_with_its_licence() -> None:
    assert data.BUNDLED_FILE.stat().st_size < 6_000_000
    assert "MIT License" in (ASSETS / f"{BUNDLED}.LICENSE").read_text()


@pytest.mark.parametrize("damage", [lambda content: content[:-1], lambda content: b"", None])
def test_a_damaged_or_missing_bundled_file_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes] | None
) -> None:
    copy = tmp_path / "copy.npz"
    if damage:
        copy.write_bytes(damage(data.BUNDLED_FILE.read_bytes()))
    monkeypatch.setattr(data, "BUNDLED_FILE", copy)
    with pytest.raises(DataError, match=r"copy\.npz .* restore it"):
        load(BUNDLED, settings)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import app.values.datasets, app.data.zip_upload, app.data.zip_safety", "torch"),
        (
            f"import app.data.images, app.base.settings as s; app.data.images.load({BUNDLED!r}, s.Settings())",
            "torchvision",
        ),
    ],
)
def test_what_does_without_a_slow_import_does_not_make_it(code: str, absent: str) -> None:
    program = f"{code}; import sys; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("name", ["own-0123456789ab", "../../etc/passwd", "imagenet-22k"])
def test_a_set_that_is_nowhere_is_refused(settings: Settings, name: str) -> None:
    assert find(name, settings.store) is None
    with pytest.raises(DataUnavailable, match="not in this store"):
        load(name, settings)


def test_a_second_run_in_the_same_process_loads_nothing(settings: Settings) -> None:
    assert load(BUNDLED, settings) is load(BUNDLED, settings)


# Batches


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augment(x: Tensor, generator: torch.Generator, pad: int = 4, fill: tuple[int, ...] = (0,)) -> Tensor:
    return cropped(x, crops(len(x), generator, pad).to(x.device), pad, fill)


def every_crop(image: Tensor, pad: int, fill: tuple[int, ...]) -> dict[bytes, tuple[int, int, bool]]:
    """Every crop and flip of one padded image, by its bytes, one at a time: (down, right, flipped)."""
    c, h, w = image.shape
    padded = np.empty((c, h + 2 * pad, w + 2 * pad), np.uint8)
    for channel in range(c):
        padded[channel] = fill[channel]
        padded[channel, pad : pad + h, pad : pad + w] = image[channel].numpy()
    result = {}
    for down in range(2 * pad + 1):
        for right in range(2 * pad + 1):
            crop = padded[:, down : down + h, right : right + w]
            result[crop.tobytes()] = (down, right, False)
            result[crop[:, :, ::-1].tobytes()] = (down, right, True)
    return result


@pytest.mark.parametrize("fill", [(0, 0, 0), (125, 123, 114)])
def test_augmented_images_are_crops_of_the_padded_ones_and_all_crops_occur(fill: tuple[int, ...]) -> None:
    x = noise(1, 3, 9, 7).expand(4000, -1, -1, -1)
    possible = every_crop(x[0], 2, fill)
    chosen = Counter(possible[image.numpy().tobytes()] for image in augment(x, seeded(0), 2, fill))
    assert len(chosen) == 5 * 5 * 2
    assert min(chosen.values()) > 40  # 80 are expected of each, give or take 9


def test_each_image_of_a_batch_is_cropped_on_its_own() -> None:
    x = noise(64, 1, 28, 28)
    out = augment(x, seeded(0))
    chosen = [every_crop(image, 4, (0,))[crop.numpy().tobytes()] for image, crop in zip(x, out, strict=True)]
    assert len(set(chosen)) > 32


def test_one_seed_gives_one_augmentation_and_leaves_its_input_alone() -> None:
    x = noise(16, 3, 32, 32)
    before = x.clone()
    assert torch.equal(augment(x, seeded(1)), augment(x, seeded(1)))
    assert not torch.equal(augment(x, seeded(1)), augment(x, seeded(2)))
    assert torch.equal(x, before)


def test_without_padding_images_are_only_flipped() -> None:
    x = noise(40, 3, 8, 8)
    out = augment(x, seeded(0), pad=0)
    flipped = (out == x.flip(3)).flatten(1).all(1)
    assert torch.equal(out[~flipped], x[~flipped])
    assert 0 < int(flipped.sum()) < 40


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_makes_the_same_crops() -> None:
    x = noise(16, 3, 32, 32)
    assert torch.equal(augment(x.cuda(), seeded(1), fill=(1, 2, 3)).cpu(), augment(x, seeded(1), fill=(1, 2, 3)))


def test_the_mean_pixel_is_zero_once_normalised() -> None:
    for info in DATASETS.values():
        border = torch.tensor(info.mean_pixel, dtype=torch.uint8).view(1, -1, 1, 1)
        half_a_level = 0.5 / 255 / min(info.std)
        assert prepare(border, info).abs().max() <= half_a_level


@pytest.mark.parametrize("name", [BUNDLED, "cifar-10"])
def test_prepared_images_are_torchvisions_normalised_ones(name: str) -> None:
    info = DATASETS[name]
    x = noise(8, info.channels, info.size, info.size)
    theirs = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(list(info.mean), list(info.std))])
    torch.testing.assert_close(prepare(x, info), theirs(x), rtol=0, atol=2e-6)


def test_bfloat16_is_the_float32_result_rounded_once() -> None:
    x, info = noise(8, 3, 32, 32), DATASETS["cifar-10"]
    assert torch.equal(prepare(x, info, torch.bfloat16), prepare(x, info).to(torch.bfloat16))


def test_prepared_images_are_channels_last_if_asked_for() -> None:
    x, info = noise(8, 3, 32, 32), DATASETS["cifar-10"]
    assert prepare(x, info).is_contiguous(memory_format=torch.channels_last)
    assert prepare(x, info, channels_last=False).is_contiguous()
    assert torch.equal(prepare(x, info), prepare(x, info, channels_last=False))


def test_an_epochs_order_has_every_image_once_and_depends_on_seed_and_epoch_alone() -> None:
    first = order(1000, seed=3, epoch=5)
    torch.manual_seed(7)
    assert torch.equal(order(1000, seed=3, epoch=5), first)
    assert first.sort().values.tolist() == list(range(1000))
    assert not torch.equal(order(1000, seed=3, epoch=6), first)
    assert not torch.equal(order(1000, seed=4, epoch=5), first)


# Against the real files


def needs(name: str) -> None:
    if not available(name, FULL):
        pytest.skip(f"needs {name} under RESNET_EXPLORER_DATA")


@pytest.mark.full_data
def test_the_script_builds_the_bundled_arrays_from_the_official_files() -> None:
    needs("fashion-mnist")
    spec = importlib.util.spec_from_file_location("build_bundled_data", ASSETS / "build_bundled_data.py")
    assert spec
    assert spec.loader
    script: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    built = script.subset(FULL)
    with np.load(data.BUNDLED_FILE, allow_pickle=False) as bundled:
        assert sorted(bundled) == sorted(built)
        for part, array in built.items():
            np.testing.assert_array_equal(bundled[part], array)


@pytest.mark.full_data
@pytest.mark.parametrize("name", FILES)
def test_what_is_said_of_a_data_set_is_true_of_its_official_files(tmp_path: Path, name: str) -> None:
    needs(name)
    images = load(name, Settings(data=FULL, store=tmp_path))
    assert images.info == DATASETS[name]
    for channel in range(images.info.channels):
        x = images.train[:, channel].double() / 255
        assert float(x.mean()) == pytest.approx(images.info.mean[channel], abs=1e-4)
        assert float(x.std()) == pytest.approx(images.info.std[channel], abs=1e-4)
