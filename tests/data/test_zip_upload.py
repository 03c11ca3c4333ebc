"""app/data/zip_upload.py and app/data/zip_safety.py: zips as people make them."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.base.settings import Settings
from app.data.images import load
from app.values.datasets import DataError, uploaded
from tests.support.zips import Uploads, encoded, noise, png, two_classes, zipped


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


def test_a_zip_of_class_folders_is_a_data_set_whose_pixels_are_the_files(uploads: Uploads) -> None:
    dataset = uploads.take(two_classes())
    arrays = uploads.arrays(dataset)
    assert (dataset.labels, dataset.channels, dataset.size) == (("cat", "dog"), 3, 32)
    assert (dataset.train_images, dataset.test_images, dataset.remark) == (16, 4, "")
    # cat 0, dog 0, cat 1, … and every fifth for the test
    np.testing.assert_array_equal(arrays["train"][3], noise(1001).transpose(2, 0, 1))
    np.testing.assert_array_equal(arrays["test"][0], noise(4).transpose(2, 0, 1))
    np.testing.assert_array_equal(arrays["train_labels"], [0, 1] * 8)
    np.testing.assert_array_equal(arrays["test_labels"], [0, 1] * 2)


def test_an_upload_loads_by_its_name_as_the_tensors_that_were_kept(uploads: Uploads, tmp_path: Path) -> None:
    dataset = uploads.take(two_classes())
    images = load(dataset.name, Settings(data=tmp_path, store=uploads.store))
    arrays = uploads.arrays(dataset)
    assert images.info == dataset
    for part in ("train", "train_labels", "test", "test_labels"):
        np.testing.assert_array_equal(getattr(images, part).numpy(), arrays[part])


def test_mean_and_standard_deviation_are_the_training_images_own(uploads: Uploads) -> None:
    dataset = uploads.take(two_classes())
    x = uploads.arrays(dataset)["train"].astype(np.float64) / 255
    assert dataset.mean == pytest.approx(x.mean((0, 2, 3)), abs=5e-5)
    assert dataset.std == pytest.approx(x.std((0, 2, 3)), abs=5e-5)


@pytest.mark.parametrize("top", ["mine/", "mine\\", "./", "train/"])
def test_a_top_folder_changes_nothing(uploads: Uploads, top: str) -> None:
    assert uploads.take(two_classes(top=top)) == uploads.take(two_classes())


@pytest.mark.parametrize("top", ["", "mine/"])
@pytest.mark.parametrize("test", ["test", "Val", "validation"])
def test_train_and_test_folders_are_the_split(uploads: Uploads, top: str, test: str) -> None:
    train_images = two_classes(8, top=f"{top}train/")
    test_images = {f"{top}{test}/{name}": content for name, content in two_classes(3).items()}
    dataset = uploads.take({**train_images, **test_images, f"{top}notes/read/me.txt": b"hello"})
    assert (dataset.labels, dataset.train_images, dataset.test_images) == (("cat", "dog"), 16, 6)
    assert "me.txt" in dataset.remark


def test_the_same_images_are_the_same_data_set_however_they_were_zipped(uploads: Uploads, tmp_path: Path) -> None:
    first = uploads.take(two_classes(), title="first")
    stored = zipfile.ZipFile(tmp_path / "again.zip", "w")
    with stored:
        for name, content in reversed(two_classes(top="new/").items()):
            stored.writestr(name, content)
    assert uploads.take(tmp_path / "again.zip", title="second") == first
    assert uploads.kept == ["again.zip", f"{first.name}.json", f"{first.name}.safetensors"]


def test_uploading_again_mends_a_damaged_file(uploads: Uploads, tmp_path: Path) -> None:
    dataset = uploads.take(two_classes())
    (uploads.store / "data" / f"{dataset.name}.safetensors").write_bytes(b"damaged")
    with pytest.raises(DataError, match="upload the zip again"):
        load(dataset.name, Settings(data=tmp_path, store=uploads.store))
    uploads.take(two_classes())
    assert load(dataset.name, Settings(data=tmp_path, store=uploads.store)).info == dataset


def test_other_images_or_other_class_names_are_another_data_set(uploads: Uploads) -> None:
    renamed = {name.replace("dog", "wolf"): content for name, content in two_classes().items()}
    names = {uploads.take(members).name for members in (two_classes(), two_classes(11), renamed)}
    assert len(names) == 3
    assert {dataset.name for dataset in uploaded(uploads.store)} == names


def test_grey_images_keep_one_channel(uploads: Uploads) -> None:
    dataset = uploads.take(two_classes(grey=True))
    assert (dataset.channels, len(dataset.mean)) == (1, 1)
    np.testing.assert_array_equal(uploads.arrays(dataset)["train"][0, 0], noise(0, 32, 32))


def test_one_coloured_image_makes_them_all_three_channels(uploads: Uploads) -> None:
    members = {**two_classes(grey=True), "cat/000.png": png(noise(0))}
    arrays = uploads.arrays(uploads.take(members))
    np.testing.assert_array_equal(arrays["train"][1], np.stack([noise(1000, 32, 32)] * 3))


def test_the_centre_square_is_what_is_kept(uploads: Uploads) -> None:
    flag = np.zeros((64, 192, 3), np.uint8)
    flag[:, :64, 0] = flag[:, 64:128, 1] = flag[:, 128:, 2] = 255
    green = uploads.read(png(flag))
    assert (green == np.array([0, 255, 0]).reshape(3, 1, 1)).all()


def test_a_photo_that_was_taken_sideways_stands_upright(uploads: Uploads) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: show it 90° clockwise
    content = encoded(Image.fromarray(noise(5)), exif=exif)
    np.testing.assert_array_equal(uploads.read(content), np.rot90(noise(5), -1).transpose(2, 0, 1))


def test_sixteen_bits_of_grey_keep_their_upper_eight(uploads: Uploads) -> None:
    grey = np.random.default_rng(0).integers(0, 2**16, (32, 32), dtype=np.uint16)
    np.testing.assert_array_equal(uploads.read(encoded(Image.fromarray(grey)))[1], grey >> 8)


def test_transparent_pixels_are_white(uploads: Uploads) -> None:
    pixels = np.zeros((32, 32, 4), np.uint8)
    pixels[16:] = (255, 0, 0, 255)
    read = uploads.read(png(pixels))
    assert (read[:, :16] == 255).all()
    assert (read[:, 16:] == np.array([255, 0, 0]).reshape(3, 1, 1)).all()


RED = {
    "palette": encoded(Image.new("RGB", (40, 40), "red").quantize(4)),
    "cmyk": encoded(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "TIFF"),
    "gif": encoded(Image.new("RGB", (40, 40), "red"), "GIF"),
    "webp": encoded(Image.new("RGB", (40, 40), "red"), "WEBP", lossless=True),
    "bmp": encoded(Image.new("RGB", (40, 40), "red"), "BMP"),
    "large jpeg": encoded(Image.new("RGB", (1000, 800), "red"), "JPEG", quality=95),
    "cmyk jpeg": encoded(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95),
    "one pixel": encoded(Image.new("RGB", (1, 1), "red")),
    "a line": encoded(Image.new("RGB", (3000, 1), "red")),
}


@pytest.mark.parametrize("kind", RED)
def test_red_is_red_in_every_kind_of_file(uploads: Uploads, kind: str) -> None:
    red = np.broadcast_to(np.array([255, 0, 0]).reshape(3, 1, 1), (3, 32, 32))
    np.testing.assert_allclose(uploads.read(RED[kind]), red, atol=2 if "jpeg" in kind else 0)


def test_classes_named_by_numbers_are_in_the_order_of_numbers(uploads: Uploads) -> None:
    members = {f"{k}/{n}.png": png(noise(100 * k + n)) for k in (10, 9, 2) for n in range(10)}
    assert uploads.take(members).labels == ("2", "9", "10")


def test_a_class_name_is_plain_text_and_short(uploads: Uploads) -> None:
    folders = {
        "<b>cat</b>\n$x$": "b cat",  # a slash begins the next folder
        "Öl\u202egniht": "Öl gniht",  # U+202E turns the direction of writing
        "x" * 60: "x" * 40,
        "x" * 61: "x" * 35 + " 2",
    }
    members = {f"{name}/{n}.png": png(noise(100 * k + n)) for k, name in enumerate(folders) for n in range(10)}
    assert set(uploads.take(members).labels) == set(folders.values())


def test_the_files_of_operating_systems_are_not_mentioned(uploads: Uploads) -> None:
    extra = {"__MACOSX/cat/._000.png": b"x", "cat/.DS_Store": b"x", "dog/Thumbs.db": b"x"}
    assert uploads.take({**two_classes(), **extra}) == uploads.take(two_classes())


def test_a_few_files_that_are_no_images_are_left_out_and_named(uploads: Uploads) -> None:
    broken = two_classes()["cat/000.png"][:500]
    dataset = uploads.take({**two_classes(), "cat/notes.txt": b"hello", "dog/half.png": broken, "read.me": b"x"})
    assert (dataset.train_images, dataset.test_images) == (16, 4)
    assert dataset.remark == (
        "left out (3): cat/notes.txt (not an image), dog/half.png (it breaks off before its end), "
        "read.me (in no class folder)"
    )


def test_an_archive_inside_the_archive_is_not_opened(uploads: Uploads, tmp_path: Path) -> None:
    inner = zipped(tmp_path / "upload.zip", two_classes()).read_bytes()
    assert "cat/more.zip (not an image)" in uploads.take({**two_classes(), "cat/more.zip": inner}).remark


def test_the_title_is_the_uploads_name_as_plain_text(uploads: Uploads) -> None:
    assert uploads.take(two_classes(), title="my <pets>").title == "my pets"


# What nobody should make
