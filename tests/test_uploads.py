"""app/uploads.py and app/archives.py: zips as people make them, and as nobody should."""

import errno
import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import load_file

from app.archives import Limits
from app.data import load
from app.datasets import DataError, DataSet, UploadError, find, uploaded
from app.settings import Settings
from app.uploads import ingest

Bytes = NDArray[np.uint8]


def noise(seed: int, *shape: int) -> Bytes:
    return np.random.default_rng(seed).integers(0, 256, shape or (32, 32, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(pixels: Bytes) -> bytes:
    return encoded(Image.fromarray(pixels))


def two_classes(each: int = 10, top: str = "", grey: bool = False) -> dict[str, bytes]:
    """Members of a good zip: `cat` and `dog`, noise, 32×32."""
    shape = (32, 32) if grey else (32, 32, 3)
    return {
        f"{top}{folder}/{n:03}.png": png(noise(1000 * k + n, *shape))
        for k, folder in enumerate(("cat", "dog"))
        for n in range(each)
    }


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


class Uploads:
    """A store in a temporary folder, and zips to put into it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, folder / "store"

    def take(self, members: dict[str, bytes] | Path, limits: Limits | None = None, title: str = "") -> DataSet:
        """Upload these members, or that zip."""
        archive = members if isinstance(members, Path) else zipped(self.folder / "upload.zip", members)
        return ingest(archive, self.store, title, limits)

    def arrays(self, dataset: DataSet) -> dict[str, NDArray[Any]]:
        """The tensors that were kept of a data set."""
        arrays: dict[str, NDArray[Any]] = load_file(self.store / "data" / f"{dataset.name}.safetensors")
        return arrays

    def read(self, content: bytes) -> NDArray[Any]:
        """What one image among noise becomes: C×32×32. It is the first training image of the first class."""
        return self.arrays(self.take({**two_classes(), "cat/000.png": content}))["train"][0]

    @property
    def kept(self) -> list[str]:
        """Every file in the folder, uploads apart."""
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file() and path.name != "upload.zip")


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


# What people make


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


def refusal(uploads: Uploads, members: dict[str, bytes] | Path, limits: Limits | None = None) -> str:
    """The sentence with which the zip is refused; nothing is kept of it."""
    before = uploads.kept
    with pytest.raises(UploadError) as refused:
        uploads.take(members, limits)
    assert uploads.kept == before
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("name", ["../evil.png", "cat/../../evil.png", "/tmp/evil.png", "C:\\evil.png", "..\\evil.png"])
def test_a_name_outside_the_zip_is_refused(uploads: Uploads, name: str) -> None:
    assert "outside itself" in refusal(uploads, {**two_classes(), name: png(noise(0))})


def test_a_link_is_refused(uploads: Uploads, tmp_path: Path) -> None:
    path = zipped(tmp_path / "link.zip", two_classes())
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "holds a link" in refusal(uploads, path)


def test_a_bomb_is_refused_by_what_it_unpacks_to(uploads: Uploads) -> None:
    bomb = {f"{folder}/{n}.png": bytes(20_000_000) for folder in ("cat", "dog") for n in range(2)}
    assert "unpacks to more than" in refusal(uploads, bomb)


def test_a_zip_that_declares_too_much_is_refused_before_it_is_unpacked(uploads: Uploads) -> None:
    assert "unpacks to more than 0 MB" in refusal(uploads, two_classes(), Limits(total_bytes=20_000))


def test_a_declared_size_is_not_believed(uploads: Uploads, tmp_path: Path) -> None:
    path = zipped(tmp_path / "liar.zip", {f"{folder}/{n}.png": bytes(10**6) for folder in "ab" for n in range(10)})
    honest, lie = struct.pack("<I", 10**6), struct.pack("<I", 10)
    path.write_bytes(path.read_bytes().replace(honest, lie))
    assert "20 of 20 files could not be read" in refusal(uploads, path)


def test_one_huge_file_among_good_ones_is_left_out(uploads: Uploads) -> None:
    dataset = uploads.take({**two_classes(), "cat/huge.png": noise(0, 20_000).tobytes()}, Limits(member_bytes=10_000))
    assert "cat/huge.png (larger than 0 MB)" in dataset.remark


def test_an_image_of_too_many_pixels_is_not_decoded(uploads: Uploads) -> None:
    content = encoded(Image.new("1", (8000, 7000)))
    assert (
        "cat/wall.png (56 million pixels, of at most 50 million)"
        in uploads.take({**two_classes(), "cat/wall.png": content}).remark
    )


def test_too_many_pixels_in_all_are_refused(uploads: Uploads) -> None:
    assert "pixels in all" in refusal(uploads, two_classes(), Limits(total_pixels=10_000))


def test_an_encrypted_zip_is_refused(uploads: Uploads, tmp_path: Path) -> None:
    path = zipped(tmp_path / "secret.zip", two_classes())
    content = bytearray(path.read_bytes())
    at = -1
    while (at := content.find(b"PK\x01\x02", at + 1)) >= 0:
        content[at + 8] |= 1  # the flag in the directory
    path.write_bytes(content)
    assert "encrypted" in refusal(uploads, path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_cannot_be_unpacked_within_bounds_is_refused(
    uploads: Uploads, tmp_path: Path, method: int
) -> None:
    with zipfile.ZipFile(tmp_path / "odd.zip", "w", method) as archive:
        archive.writestr("cat/0.png", bytes(1000))
    assert "unusual method" in refusal(uploads, tmp_path / "odd.zip")


def test_a_zip_that_is_cut_short_is_refused_as_that(uploads: Uploads, tmp_path: Path) -> None:
    path = zipped(tmp_path / "short.zip", two_classes())
    path.write_bytes(path.read_bytes()[:-2000])
    assert "cut short" in refusal(uploads, path)


@pytest.mark.parametrize("content", [b"", b"hello", png(noise(0))])
def test_what_is_no_zip_is_refused_as_that(uploads: Uploads, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.zip"
    path.write_bytes(content)
    assert "is not a zip file" in refusal(uploads, path)


def test_damage_anywhere_in_a_zip_is_refused_or_reported_never_a_crash(uploads: Uploads, tmp_path: Path) -> None:
    good = zipped(tmp_path / "good.zip", two_classes(grey=True)).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(60):
        content = np.frombuffer(good, np.uint8).copy()
        content[rng.integers(len(good), size=20)] = rng.integers(256, size=20)
        content[-rng.integers(1, 1800)] ^= 0xFF  # and in the directory
        (tmp_path / "damaged.zip").write_bytes(content.tobytes())
        try:
            uploads.take(tmp_path / "damaged.zip")
        except UploadError:
            continue


def test_mostly_unreadable_files_are_refused_with_an_example(uploads: Uploads) -> None:
    texts = {f"cat/{n}.txt": b"hello" for n in range(10)}
    assert "10 of 30 files could not be read" in refusal(uploads, {**two_classes(), **texts})


def test_one_class_only_is_refused_by_name(uploads: Uploads) -> None:
    cats = {name: content for name, content in two_classes().items() if name.startswith("cat")}
    assert "one class only (cat)" in refusal(uploads, cats)
    assert "one class only (cat)" in refusal(uploads, {f"top/{name}": content for name, content in cats.items()})


def test_images_without_folders_are_refused(uploads: Uploads) -> None:
    assert "no folders of images" in refusal(uploads, {"0.png": png(noise(0)), "1.png": png(noise(1))})


def test_an_empty_zip_is_refused(uploads: Uploads) -> None:
    assert "holds no files" in refusal(uploads, {})


def test_a_class_of_too_few_images_is_refused_by_name(uploads: Uploads) -> None:
    members = {**two_classes(), **{f"emu/{n}.png": png(noise(n)) for n in range(9)}}
    assert "class emu has 8 readable images to train on and 1 to test on" in refusal(uploads, members)


def test_a_class_without_test_images_is_refused_by_name(uploads: Uploads) -> None:
    members = {**two_classes(8, top="train/"), **{f"test/cat/{n}.png": png(noise(n)) for n in range(3)}}
    assert "class dog has 8 readable images to train on and 0 to test on" in refusal(uploads, members)


def test_too_many_classes_are_refused(uploads: Uploads) -> None:
    members = {f"{k}/{n}.png": b"" for k in range(101) for n in range(2)}
    assert "101 class folders: at most 100" in refusal(uploads, members)


@pytest.mark.parametrize("most", [19, 5])  # by the files' names; by the entries, before they are read
def test_too_many_files_are_refused(uploads: Uploads, most: int) -> None:
    assert f"more than {most} files" in refusal(uploads, two_classes(), Limits(files=most))


def test_a_zip_that_is_too_large_is_refused(uploads: Uploads) -> None:
    assert "at most 0 MB" in refusal(uploads, two_classes(), Limits(archive_bytes=1000))


def test_a_full_disk_leaves_nothing_behind(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refusal(uploads, two_classes())


def test_a_damaged_description_hides_one_upload_and_no_other(uploads: Uploads) -> None:
    kept, lost = uploads.take(two_classes()), uploads.take(two_classes(11))
    (uploads.store / "data" / f"{lost.name}.json").write_text("{")
    assert uploaded(uploads.store) == [kept]
    assert find(lost.name, uploads.store) is None
