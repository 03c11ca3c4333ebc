"""app/data/zip_upload.py and app/data/zip_safety.py: zips as nobody should make them."""

import errno
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.data.zip_safety import Limits
from app.values.datasets import UploadError, find, uploaded
from tests.support.zips import Uploads, encoded, noise, png, two_classes, zipped


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path)


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
