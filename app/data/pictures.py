"""A person's own picture as a net takes it: upright, square, small, of the data set's channels. Without torch.

Whatever arrives is hostile until it is decoded: its size is read before its pixels are.
"""

import base64
import binascii
import io
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Bytes = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")  # Pillow's other readers stay unused
PIXELS = 50_000_000  # of one picture, before it is made small
STRIP = 2_000_000  # pixels, of a large picture, that are made small at once
_ORIENTATION = 0x0112  # EXIF's

_turn = threading.Lock()  # fifty million pixels are 200 MB: one picture of a person's at a time


class PictureError(ValueError):
    """What arrived is no picture that can be used; the message is for people."""


def fitted(content: bytes, channels: int, size: int) -> Bytes:
    """An uploaded file as channels × size × size; transparent pixels white. Raises PictureError, one sentence."""
    try:
        with _turn:
            square = decoded(content, size, PIXELS)
    except PictureError as error:
        raise PictureError(f"The picture cannot be used: {error}.") from error
    if channels == 1:
        square = np.asarray(Image.fromarray(square).convert("L"), dtype=np.uint8)[..., None]
    return square.transpose(2, 0, 1).copy()


def decoded(content: bytes, size: int, most: int, spend: Callable[[int], None] = lambda _pixels: None) -> Bytes:
    """The image as size × size × 3: its largest centred square, resized with antialiasing; the first frame.

    `most`: pixels that are still read; `spend` is told how many there are before they are decoded, and may refuse by
    raising an error, which passes through. Transparent pixels become white. Raises PictureError, a few words.
    """
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureError(f"far more than {most / 1e6:g} million pixels") from error
    except Exception as error:  # hostile bytes make decoders raise whatever they like
        raise PictureError("not an image") from error
    with image:
        pixels = image.width * image.height
        if pixels > most:
            raise PictureError(f"{pixels / 1e6:.4g} million pixels, of at most {most / 1e6:g} million")
        spend(pixels)
        try:
            small = _small(image, size)
        except PictureError:
            raise
        except Exception as error:
            broken = "truncated" in str(error) or "unexpected end" in str(error).lower()
            raise PictureError("it breaks off before its end" if broken else "not an image") from error
    return np.asarray(small, dtype=np.uint8)


def _small(image: Image.Image, size: int) -> Image.Image:
    image.draft(image.mode, (4 * size, 4 * size))  # a JPEG is decoded at a fraction of its size
    image.load()
    square = _reduced(image, max(1, min(image.size) // (4 * size)))
    square.getexif()[_ORIENTATION] = image.getexif().get(_ORIENTATION, 1)
    return ImageOps.exif_transpose(square).resize((size, size), Image.Resampling.BILINEAR)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """The centred square, `factor` × `factor` pixels averaged to one; a strip at a time, for the memory."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    # "I" holds 16 bits of grey or 32, or 8 in spite of its name.
    shift = 8 if image.mode.startswith("I;") or (image.mode == "I" and image.getextrema()[1] > 255) else 0  # type: ignore[operator]
    rows = max(1, STRIP // side // factor) * factor
    strips = [
        _on_white(image.crop((left, above, left + side, min(above + rows, top + side))), shift).reduce(factor)
        for above in range(top, top + side, rows)
    ]
    return Image.fromarray(np.concatenate([np.asarray(strip) for strip in strips]))


def _on_white(image: Image.Image, shift: int) -> Image.Image:
    """Eight bits of RGB; transparent pixels white. `shift`: bits of grey that are dropped."""
    if image.mode == "F":
        raise PictureError("grey levels that are fractions")
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> shift).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def to_text(picture: Bytes) -> str:
    """A fitted picture as letters that a question can carry."""
    return base64.b64encode(picture.tobytes()).decode()


def from_text(text: str, channels: int, size: int) -> Bytes:
    """What `to_text` wrote, as channels × size × size. Raises PictureError if it is not of that size."""
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise PictureError("the picture's letters are damaged: choose it again") from error
    if len(content) != channels * size * size:
        raise PictureError(f"the picture is not {channels}×{size}×{size}, as these nets take it: choose it again")
    found: NDArray[Any] = np.frombuffer(content, np.uint8).reshape(channels, size, size)
    return found.copy()
