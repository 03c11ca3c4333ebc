"""Pictures made of numbers: feature maps on one sheet, attributions over an image, patches in their frames.

A pixel here is a pixel there: nothing is smoothed, because a map of 8 × 8 numbers is 8 × 8 numbers.
"""

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.figures.theme import DIVERGING, SEQUENTIAL
from app.values.arrays import Floats, Ints

Pixels = NDArray[np.uint8]  # H × W × 3

GAP = 1  # pixels between maps
PAPER = (255, 255, 255)
RULE = (86, 128, 190)  # around kernels, whose weights may be as white as paper
TIMES = 4
FRAME = (213, 94, 0)


def by_mean(maps: Floats) -> Ints:
    """The channels of C × H × W maps, the most active first."""
    return np.argsort(-maps.mean((1, 2)), kind="stable")


def signed(maps: Floats) -> bool:
    """Whether colours must tell below from above zero."""
    return bool((maps < 0).any())


def coloured(values: Floats, top: float, two_sided: bool) -> Pixels:
    """H × W numbers as colours up to `top`: purple to green around zero, or dark to light from zero on."""
    low = -top if two_sided else 0.0
    scale = DIVERGING if two_sided else SEQUENTIAL
    places = np.array([place for place, _ in scale])
    colours = np.array([[int(str(colour)[i : i + 2], 16) for i in (1, 3, 5)] for _, colour in scale])
    shares = (values - low) / (top - low) if top > 0 else np.full(values.shape, 0.5 if two_sided else 0.0)
    return np.stack([np.interp(shares, places, band) for band in colours.T], -1).round().astype(np.uint8)


def top_of(values: Floats) -> float:
    """The end of the colour scale; where there are numbers below zero, it reaches as far to that side."""
    return float(np.abs(values).max())


def sheet(maps: Floats, *, shared: bool = False) -> Pixels:
    """All channels of C × H × W, the most active first, in rows of a sheet that is about as high as wide.

    `shared`: one colour scale for all; else each channel has its own.
    """
    two_sided = signed(maps)
    order = by_mean(maps)
    return tiled([coloured(maps[c], top_of(maps if shared else maps[c]), two_sided) for c in order])


def tiled(tiles: Sequence[Pixels], columns: int = 0, paper: tuple[int, int, int] = PAPER) -> Pixels:
    """Equal pictures on paper, in rows of `columns` (0: about as many as make a square)."""
    height, width = tiles[0].shape[:2]
    columns = columns or int(np.ceil(np.sqrt(len(tiles) * (height + GAP) / (width + GAP))))
    rows = -(-len(tiles) // columns)
    drawn = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3), paper, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // columns * (height + GAP), place % columns * (width + GAP)
        drawn[top : top + height, left : left + width] = tile
    return drawn


def kernels(weights: Floats) -> Pixels:
    """K × C × side × side as a sheet, eight in a row, in the order of the channels; middle grey is zero.

    Each kernel has a scale of its own; a weight is TIMES × TIMES pixels, and a rule of one pixel around the kernel says
    where it ends. Three colours are shown as they are, the pixel by which the kernel is excited brighter than grey.
    Else the mean of the C is drawn: light above zero, dark below.
    """
    shown = weights if weights.shape[1] == 3 else weights.mean(1, keepdims=True)
    tops = np.abs(shown).max((1, 2, 3), keepdims=True)
    levels = 127.5 * (1 + np.divide(shown, tops, out=np.zeros_like(shown), where=tops > 0))
    tiles = [as_picture(kernel).repeat(TIMES, 0).repeat(TIMES, 1) for kernel in levels.round().astype(np.int64)]
    ruled = tiled(tiles, min(8, len(shown)), RULE)
    framed = np.full((len(ruled) + 2 * GAP, ruled.shape[1] + 2 * GAP, 3), RULE, np.uint8)
    framed[GAP:-GAP, GAP:-GAP] = ruled
    return framed


def as_picture(picture: Ints) -> Pixels:
    """channels × H × W as H × W × 3; grey where there is one channel."""
    return np.broadcast_to(picture.transpose(1, 2, 0), (*picture.shape[1:], 3)).astype(np.uint8)


def overlay(picture: Ints, values: Floats, opacity: float) -> Pixels:
    """An attribution over its image in grey; it hides the image by `opacity` (0…1) where it is strongest.

    One pixel in a hundred counts as strongest: a single one, far above all others, would leave these unseen.
    """
    high = float(np.quantile(np.abs(values), 0.99)) or top_of(values)
    grey = as_picture(picture).mean(-1, keepdims=True)
    shares = np.minimum(np.abs(values)[..., None] / high, 1) if high else np.zeros((*values.shape, 1))
    strength = opacity * shares
    # Full colours where it is strong: purple against, green for. The pale middle of the scale is never reached.
    colours = np.where(values[..., None] < 0, (150, 60, 190), (20, 190, 80))
    return (grey * (1 - strength) + colours * strength).round().astype(np.uint8)


def enlarged(pixels: Pixels, side: int = 280) -> Pixels:
    """Every pixel as a square, so that the longer side is about `side`."""
    times = max(1, round(side / max(pixels.shape[:2])))
    return pixels.repeat(times, 0).repeat(times, 1)


def windowed(picture: Ints, window: Ints, side: int = 112) -> Pixels:
    """The image, enlarged, with a frame around rows and columns `window`: (top, bottom, left, right)."""
    large = enlarged(as_picture(picture), side)
    times = len(large) // picture.shape[1]
    top, bottom, left, right = (int(edge) * times for edge in window)
    frame = np.zeros(large.shape[:2], bool)
    frame[top:bottom, left:right] = True
    frame[top + 2 : bottom - 2, left + 2 : right - 2] = False
    return np.where(frame[..., None], np.array(FRAME, np.uint8), large)


def png(pixels: Pixels) -> bytes:
    """As a file."""
    kept = io.BytesIO()
    Image.fromarray(pixels).save(kept, "PNG")
    return kept.getvalue()
