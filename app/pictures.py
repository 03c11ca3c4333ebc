"""A person's own picture as a net takes it: upright, square, small, of the data set's channels. Without torch.

Whatever arrives is hostile until it is decoded: its size is read before its pixels are.
"""

import base64
import binascii
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Bytes = NDArray[np.uint8]

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")  # Pillow's other readers stay unused
PIXELS = 50_000_000  # of one picture, before it is made small


class PictureError(ValueError):
    """What arrived is no picture that can be used; the message is for people."""


def fitted(content: bytes, channels: int, size: int) -> Bytes:
    """An uploaded file as channels × size × size; transparent pixels white. Raises PictureError, one sentence."""
    try:
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
    upright = ImageOps.exif_transpose(image)
    side = min(upright.size)
    left, top = (upright.width - side) // 2, (upright.height - side) // 2
    square = _eight_bit(upright.crop((left, top, left + side, top + side)))
    small = square.resize((size, size), Image.Resampling.BILINEAR)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    return small


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where pixels may be transparent."""
    if image.mode.startswith("I"):  # 16 bits of grey; "I" also holds 32
        values = np.asarray(image).astype(np.int64)
        if image.mode != "I" or values.max() > 255:
            values >>= 8
        image = Image.fromarray(values.clip(0, 255).astype(np.uint8))
    if image.mode == "F":
        raise PictureError("grey levels that are fractions")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


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
