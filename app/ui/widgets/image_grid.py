"""Test images on a page: small, every pixel sharp, with words below each."""

import html
from base64 import b64encode
from collections.abc import Iterable, Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from app.figures.sheets import png


def picture_row(
    pixels: Iterable[NDArray[np.uint8]], alts: Sequence[str], below: Sequence[str], *, marked: Sequence[bool]
) -> None:
    """Draw N images, each C×H×W, in a row that wraps.

    `below`: HTML, escaped by whoever made it; `marked` ones stand out.
    """
    figures = [
        f"<figure class='{'marked' if mark else ''}'><img src='{data_url(image)}' alt='{html.escape(alt, quote=True)}'>"
        f"<figcaption>{text}</figcaption></figure>"
        for image, alt, text, mark in zip(pixels, alts, below, marked, strict=True)
    ]
    st.html(f"<div class='pictures'>{''.join(figures)}</div>")


def data_url(pixels: NDArray[np.uint8]) -> str:
    """One image, C×H×W with one channel or three, as a PNG in an address."""
    image = png(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, 2))
    return f"data:image/png;base64,{b64encode(image).decode()}"
