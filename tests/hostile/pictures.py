"""Pictures that are broken, enormous, odd, or something else under a picture's name."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from tests.hostile import Grounds, Makers

Maker = Callable[[Grounds], bytes]


def noise(rng: random.Random, mode: str = "RGB", size: int = 40) -> Image.Image:
    """A picture of noise."""
    pixels = np.frombuffer(rng.randbytes(3 * size * size), np.uint8).reshape(size, size, 3)
    return Image.fromarray(pixels).convert(mode)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def odd(mode: str, kind: str, **options: Any) -> Maker:
    """A sound picture of a mode that few have."""
    return lambda grounds: encoded(noise(grounds.rng, mode), kind, **options)


def cut(kind: str, share: float = 0.6) -> Maker:
    """The beginning of a picture."""

    def make(grounds: Grounds) -> bytes:
        raw = encoded(noise(grounds.rng), kind)
        return raw[: int(share * len(raw))]

    return make


def flipped(kind: str, count: int = 20) -> Maker:
    """A picture behind whose first bytes so many are others."""

    def make(grounds: Grounds) -> bytes:
        raw = bytearray(encoded(noise(grounds.rng), kind))
        for _ in range(count):
            raw[grounds.rng.randrange(8, len(raw))] = grounds.rng.randrange(256)
        return bytes(raw)

    return make


def chunk(name: bytes, content: bytes) -> bytes:
    """One chunk of a PNG, with the checksum that it should have."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, *more: bytes, pixels: bytes = b"", depth: int = 8) -> Maker:
    """A PNG that says so large it is, with these chunks and pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0))
    body = b"".join(more) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return lambda _grounds: b"\x89PNG\r\n\x1a\n" + header + body


def is_(content: bytes) -> Maker:
    """These bytes."""
    return lambda _grounds: content


def animated(kind: str) -> Maker:
    """Forty frames."""

    def make(grounds: Grounds) -> bytes:
        first, *others = (noise(grounds.rng) for _ in range(40))
        return encoded(first, kind, save_all=True, append_images=others)

    return make


def turned(value: int) -> Maker:
    """A JPEG that says how the camera was held."""

    def make(grounds: Grounds) -> bytes:
        exif = Image.Exif()
        exif[0x0112] = value
        return encoded(noise(grounds.rng), "JPEG", exif=exif)

    return make


MAKERS: Makers = {
    "a good picture": odd("RGB", "PNG"),
    "nothing": is_(b""),
    "noise": lambda grounds: grounds.rng.randbytes(3000),
    "only a signature": is_(b"\x89PNG\r\n\x1a\n"),
    **{f"half a {kind}": cut(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM")},
    **{f"a damaged {kind}": flipped(kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")},
    "a PNG of 30,000 × 30,000": png(30_000, 30_000),
    "a PNG of 2³¹ × 2³¹": png(2**31 - 1, 2**31 - 1),
    "a PNG of no size": png(0, 0),
    "a PNG bomb": png(6_900, 6_900, pixels=bytes(3 * 6_900 * 6_900)),
    "a PNG with a bomb of a comment": png(
        32, 32, chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(50_000_000), 9)), pixels=bytes(33 * 97)
    ),
    "a PNG with a bomb of a profile": png(
        32, 32, chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000), 9)), pixels=bytes(33 * 97)
    ),
    "a PNG of 17 bits": png(32, 32, depth=17),
    "a line of 60,000 pixels": lambda _grounds: encoded(Image.new("RGB", (60_000, 1)), "PNG"),
    "a PPM of 10⁹ × 10⁹": is_(b"P6\n1000000000 1000000000\n255\n" + bytes(100)),
    "a PPM of a negative size": is_(b"P6\n-32 -32\n255\n" + bytes(3072)),
    "a BMP of 2³¹ lines": is_(b"BM" + struct.pack("<IIIIiiHH", 100, 0, 54, 40, 32, -(2**31), 1, 24) + bytes(100)),
    "a TIFF that points at itself": is_(b"II*\0\x08\0\0\0" + struct.pack("<HI", 0, 8) + bytes(50)),
    "a GIF of 65,535 × 65,535": is_(b"GIF89a\xff\xff\xff\xff\x80\0\0" + bytes(30)),
    "an animated GIF": animated("GIF"),
    "an animated WEBP": animated("WEBP"),
    "an animated PNG": animated("PNG"),
    "a CMYK JPEG": odd("CMYK", "JPEG"),
    "a CMYK TIFF": odd("CMYK", "TIFF"),
    "a LAB TIFF": odd("LAB", "TIFF"),
    "one bit": odd("1", "PNG"),
    "a palette": odd("P", "GIF"),
    "16 bits": lambda grounds: encoded(
        Image.fromarray(np.frombuffer(grounds.rng.randbytes(3200), "<u2").reshape(40, 40)), "PNG"
    ),
    "fractions": odd("F", "TIFF"),
    "upside down": turned(3),
    "turned 60,000 times": turned(60_000),
    "EXIF of noise": lambda grounds: encoded(noise(grounds.rng), "JPEG", exif=b"Exif\0\0" + grounds.rng.randbytes(500)),
    "an SVG": is_(
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><image href="file:///etc/passwd"/></svg>'
    ),
    "a PDF": is_(b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"),
    "a page of HTML": is_(b"<!doctype html><script>alert(1)</script>"),
    "PostScript": is_(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n"),
    "a program": is_(b"\x7fELF" + bytes(200)),
    "a zip": is_(b"PK\x03\x04" + bytes(200)),
    "an ICO": odd("RGB", "ICO"),
}
