"""Pictures of every kind that people send: each works, or is refused with a sentence."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from app.data import pictures
from app.data.pictures import PictureError, fitted, from_text, to_text


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The image as a file of that kind."""
    kept = io.BytesIO()
    image.save(kept, kind, **options)
    return kept.getvalue()


def two_halves(mode: str = "RGB", left: Any = "black", right: Any = "white", size: int = 64) -> Image.Image:
    """The left half of one colour, the right of another."""
    image = Image.new(mode, (size, size), left)
    image.paste(right, (size // 2, 0, size, size))
    return image


def sides(picture: Any) -> tuple[int, ...]:
    """Grey at the middle of the left, right, top and bottom edge, of the first channel."""
    middle = picture.shape[-1] // 2
    grey = picture[0]
    return int(grey[middle, 1]), int(grey[middle, -2]), int(grey[1, middle - 6]), int(grey[-2, middle - 6])


KINDS = {
    "png": file(two_halves()),
    "grey": file(two_halves("L", 0, 255)),
    "16-bit": file(Image.fromarray(np.repeat([[0, 65535]], 64, 0).repeat(32, 1).astype(np.uint16))),
    "CMYK": file(two_halves("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)), "JPEG", quality=95),
    "alpha": file(two_halves("RGBA", (0, 0, 0, 255), (9, 9, 9, 0))),
    "palette": file(two_halves().quantize(4)),
    "animated": file(two_halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]),
    "animated webp": file(two_halves(), "WEBP", save_all=True, append_images=[Image.new("RGB", (64, 64), "red")]),
    "one bit": file(two_halves("1", 0, 1)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_is_read(kind: str, channels: int) -> None:
    found = fitted(KINDS[kind], channels, 28)
    assert found.shape == (channels, 28, 28)
    assert found.dtype == np.uint8
    left, right, *_ = sides(found)
    assert left < 12
    assert right > 243


def test_a_picture_taken_with_the_camera_turned_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to look at it
    found = fitted(file(two_halves(), "JPEG", exif=exif, quality=95), 1, 28)
    *_, top, bottom = sides(found)
    assert top < 12
    assert bottom > 243


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_strips_of_a_large_picture_make_up_the_whole(mode: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (301, 403, 4), dtype=np.uint8)
    whole = Image.fromarray(noise).convert("RGB" if mode == "P" else mode)
    content = file(whole.quantize(16) if mode == "P" else whole, kind)
    at_once = fitted(content, 3, 28)
    monkeypatch.setattr(pictures, "STRIP", 1)
    np.testing.assert_array_equal(fitted(content, 3, 28), at_once)


@pytest.mark.parametrize("turned", [2, 3, 5, 6, 8])
def test_a_turned_tiff_and_a_turned_jpeg_are_the_upright_picture(turned: int) -> None:
    """Pillow turns a TIFF as it loads it, a JPEG not."""
    exif = Image.Exif()
    exif[0x0112] = turned
    drawn = two_halves().rotate(7, fillcolor="white").resize((96, 64))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(file(drawn, "JPEG", exif=exif, quality=95))))
    for kind in ("TIFF", "JPEG", "PNG"):
        found = fitted(file(drawn, kind, exif=exif), 1, 28).astype(int)
        assert np.abs(found - fitted(file(upright, "PNG"), 1, 28)).mean() < 4


def test_one_pixel_fills_the_picture_and_a_long_strip_gives_its_middle() -> None:
    assert (fitted(file(Image.new("RGB", (1, 1), (9, 80, 200))), 3, 32)[:, 5, 5] == [9, 80, 200]).all()
    assert fitted(file(Image.new("L", (3000, 1), 77)), 1, 28).mean() == 77


def test_fifty_million_pixels_are_read_and_more_are_refused_before_they_are_decoded() -> None:
    left, right, *_ = sides(fitted(file(two_halves("1", 0, 1, size=7071)), 1, 28))
    assert left < 12
    assert right > 243
    small = file(Image.new("1", (8, 8)))
    declared = (7072).to_bytes(4, "big") * 2  # the header says 50.01 million; there are no such pixels behind it
    with pytest.raises(PictureError, match="50 million"):
        fitted(small[:16] + declared + small[24:29] + crc(small[12:16] + declared + small[24:29]) + small[33:], 1, 28)
    huge = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(PictureError, match="50 million"):
        fitted(small[:16] + huge + small[24:29] + crc(small[12:16] + huge + small[24:29]) + small[33:], 1, 28)


def crc(chunk: bytes) -> bytes:
    """A PNG chunk's checksum."""
    import zlib

    return zlib.crc32(chunk).to_bytes(4, "big")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\x00" * 99])
def test_what_is_no_picture_is_said(content: bytes) -> None:
    with pytest.raises(PictureError, match="not an image"):
        fitted(content, 3, 32)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_that_breaks_off_is_said(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    whole = file(Image.fromarray(noise), kind)
    with pytest.raises(PictureError, match="breaks off"):
        fitted(whole[: len(whole) // 2], 3, 32)


def test_letters_carry_a_picture_there_and_back() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (3, 32, 32), dtype=np.uint8)
    np.testing.assert_array_equal(from_text(to_text(picture), 3, 32), picture)
    with pytest.raises(PictureError, match="1×28×28"):
        from_text(to_text(picture), 1, 28)
    with pytest.raises(PictureError, match="damaged"):
        from_text("***", 1, 28)
