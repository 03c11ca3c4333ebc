"""The forward signal as figures: He et al. 2015, figure 7."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.theme import Figure
from app.studies.signal.questions import Signal
from app.values.run_spec import RunSpec

Measured = tuple[RunSpec, Signal]


def responses(signals: Sequence[Measured], order: Literal["layer", "size"] = "layer") -> Figure:
    """Standard deviation of each layer's response, in order of the layers, or from the largest to the smallest."""
    curves = []
    for (_, signal), style in zip(signals, theme.styles([spec for spec, _ in signals]), strict=True):
        by = np.arange(len(signal.layers)) if order == "layer" else np.argsort(-signal.response_std, kind="stable")
        names = tuple(signal.layers[i] for i in by)
        curves.append(
            Curve(style.name, np.arange(len(by)), signal.response_std[by], style.colour, style.dash, names=names)
        )
    axis = "layer, input to output" if order == "layer" else "layer, sorted by size"
    data, layout = chart(curves, axis, "std of the response")
    caption = (
        f"{theme.badge('measured')} standard deviation of each layer's response, after BN, before σ and the addition, "
        "evaluation mode, float32 (He et al. 2015, figure 7)"
    )
    return Figure(data, layout, caption, f"Layer responses. {_said(curves)}")


def activations(signals: Sequence[Measured], of: Literal["dead", "means"] = "dead") -> Figure:
    """Of each activation: the share of channels that are zero for every image (percent), or the mean output."""
    styles = theme.styles([spec for spec, _ in signals])
    curves = []
    for (_, signal), style in zip(signals, styles, strict=True):
        values = 100 * signal.dead if of == "dead" else signal.means
        curves.append(
            Curve(style.name, np.arange(len(values)), values, style.colour, style.dash, names=signal.activations)
        )
    heading, words = {
        "dead": ("dead channels, %", "channels that σ leaves at zero for every image, everywhere"),
        "means": ("mean activation", "mean of what each σ puts out"),
    }[of]
    span: tuple[float, ...] = ()
    if of == "dead":  # a share is never negative, and none at all is no zigzag
        most = max([5.0, *(float(curve.y.max()) for curve in curves if curve.y.size)])
        span = (-0.04 * most, 1.04 * most)
    data, layout = chart(curves, "activation, input to output", heading, span=span)
    images = max((signal.images for _, signal in signals), default=0)
    caption = f"{theme.badge('measured')} {words}: {images} test images, evaluation mode, float32"
    return Figure(data, layout, caption, f"{words}. {_said(curves)}")


def residuals(signals: Sequence[Measured], steps: Sequence[int] = ()) -> Figure:
    """‖F(x)‖ ÷ ‖what the shortcut passes‖ of each block: below 1, it changes little.

    `steps`: of one run, a moment for each.
    """
    styles = theme.styles([spec for spec, _ in signals[:1] if steps] or [spec for spec, _ in signals])
    if steps:
        shades = (theme.shade(styles[0].colour, 0.5 * (1 - (i + 1) / len(steps))) for i in range(len(steps)))
        styles = [
            theme.Style(f"{styles[0].name}, step {step:,}", shade) for step, shade in zip(steps, shades, strict=True)
        ]
    curves = [
        Curve(
            style.name, np.arange(len(signal.blocks)), signal.residual, style.colour, style.dash, names=_blocks(signal)
        )
        for (_, signal), style in zip(signals, styles, strict=True)
    ]
    data, layout = chart(curves, "block, input to output", "‖F(x)‖ ÷ ‖shortcut(x)‖", log=True)
    return Figure(
        data,
        layout,
        f"{theme.badge('measured')} size of the branch's output over that of what passes along the shortcut, mean over "
        "the images, evaluation mode, float32",
        f"Size of the residuals. {_said(curves)}",
    )


def _blocks(signal: Signal) -> tuple[str, ...]:
    """As the address calls them."""
    return tuple(name.replace("blocks.", "block:") for name in signal.blocks)


def _said(curves: Sequence[Curve]) -> str:
    return "; ".join(f"{curve.name}: mean {np.nanmean(curve.y):.2g}" for curve in curves if curve.y.size)
