"""Lesion studies as figures: error by block cut, by how many are cut, and by how far the order is shuffled.

In the manner of Veit et al. 2016, *Residual Networks Behave Like Ensembles of Relatively Shallow Networks*: figure 3
(single layers deleted, a ResNet beside VGG), figure 5a (many deleted at random), figure 5b (reordered, Kendall's τ).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.figures import theme
from app.figures.numbers import rounded
from app.figures.theme import Figure, Json, Style
from app.studies.lesions.questions import RandomLesions, Reorderings, SingleLesions
from app.values.run_spec import RunSpec
from models.plan import plan

BAND = (5, 25, 75, 95)  # percentiles: the outer band, and the inner one
TOP = 100.0  # percent
TAU_BIN = 0.05


def single_bars(runs: Sequence[tuple[RunSpec, SingleLesions]], *, each: int = 150) -> Figure:
    """Error with each block cut alone, one row a run, `each` pixels high; the whole net's error as a line.

    Blocks that change the resolution or the number of channels are hatched; a cross marks one that cannot be cut.
    """
    rows, gap = max(len(runs), 1), 58
    inner = rows * each + (rows - 1) * gap
    data: list[Json] = []
    notes: list[Json] = []
    lines: list[Json] = []
    axes: Json = {}
    sentences: list[str] = []
    refused = False
    for i, ((spec, result), style) in enumerate(zip(runs, theme.styles([spec for spec, _ in runs]), strict=True)):
        n = "" if i == 0 else str(i + 1)
        top = 1 - i * (each + gap) / inner
        whole = f"x{n}", f"y{n}"
        data.append(_bars(spec, result, style, *whole))
        if bad := np.flatnonzero(np.isnan(result.error)).tolist():
            refused = True
            data.append(_crosses(bad, style, *whole))
        lines.append(theme.horizontal(result.full_error, xref=f"x{n} domain", yref=f"y{n}", name="whole net"))
        notes.append(theme.heading(f"{style.name}: error %", y=top, colour=style.colour, shift=4))
        axes[f"xaxis{n}"] = theme.axis(
            "block cut" if i == rows - 1 else "",
            anchor=f"y{n}",
            range=[-0.6, len(result.error) - 0.4],
            showgrid=False,
            tickformat="d",
        )
        bottom = max(top - each / inner, 0)
        axes[f"yaxis{n}"] = theme.axis(anchor=f"x{n}", domain=[bottom, top], range=[0, TOP], nticks=5)
        sentences.append(_single_words(style.name, result))
    return Figure(
        data=data,
        layout=theme.layout(inner + 68, annotations=notes, shapes=lines, bargap=0.25, **axes),
        caption=f"{theme.badge('measured')} test error with one block cut, evaluation mode, {_images(runs)}; dotted: "
        "the whole net. Hatched blocks change shapes: a cut leaves the shortcut's projection or padding, or the pooling"
        + (". ×: no shortcut, and shapes change, so it cannot be cut" if refused else ""),
        alt="Test error in percent with each block cut alone. " + " ".join(sentences),
    )


def decline(runs: Sequence[tuple[RunSpec, RandomLesions]], *, height: int = 340) -> Figure:
    """Error against the number k of blocks cut at random: median, quartiles, and 5th to 95th percentile."""
    most = max([int(result.k.max()) for _, result in runs] + [1])
    data: list[Json] = []
    ends: list[tuple[str, float, float, str]] = []
    sentences = []
    for (_, result), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        k = np.concatenate([[0], result.k])
        errors = np.vstack([np.full((1, result.error.shape[1]), result.full_error), result.error])
        data += _spread(k, errors, style, "k = %{x:d}")
        middle = np.median(errors, axis=1)
        # At the right edge, whatever the number of blocks: beside a shallow net's end the deeper ones still go on.
        ends.append((style.name, most, float(middle[-1]), style.colour))
        sentences.append(
            f"{style.name}: from {middle[0]:.1f} % whole to {middle[-1]:.1f} % with {int(k[-1])} blocks cut."
        )
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=_room(ends),
            xaxis=theme.axis("blocks cut", range=[-0.02 * most, 1.02 * most], tickformat="d"),
            yaxis=theme.axis(range=[0, TOP]),
            annotations=[theme.heading("error %"), *_end_labels(ends, height)],
        ),
        caption=f"{theme.badge('measured')} test error with k blocks cut at random, evaluation mode, {_draws(runs)}: "
        "median, quartiles, and 5th to 95th percentile",
        alt="Test error in percent against the number of blocks cut at random. " + " ".join(sentences),
    )


def shuffle(runs: Sequence[tuple[RunSpec, Reorderings]], *, height: int = 340) -> Figure:
    """Error against Kendall's τ: one point a draw, and the medians of like orders. 1: the net's own order."""
    low = min([float(result.tau.min()) for _, result in runs] + [0.9])
    room = 0.03 * (1 - low)
    data: list[Json] = []
    ends: list[tuple[str, float, float, str]] = []
    sentences = []
    for (_, result), style in zip(runs, theme.styles([spec for spec, _ in runs]), strict=True):
        tau, middle = _medians(result)
        data.append(_points(result, style))
        data.append(_line(tau, middle, style, "median · τ %{x:.2f}"))
        ends.append((style.name, low - room, float(middle[-1]), style.colour))
        sentences.append(f"{style.name}: from {middle[0]:.1f} % in order to {middle[-1]:.1f} % at τ = {tau[-1]:.2f}.")
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            right=_room(ends),
            # The net's own order stands at the left, as the whole net does in `decline`.
            xaxis=theme.axis("Kendall's τ between the order and the net's own", range=[1 + room, low - room]),
            yaxis=theme.axis(range=[0, TOP]),
            annotations=[theme.heading("error %"), *_end_labels(ends, height)],
        ),
        caption=f"{theme.badge('measured')} test error with blocks of equal shapes swapped within their stages, "
        f"evaluation mode, {_draws(runs)}; line: medians over every {TAU_BIN:g} of τ",
        alt="Test error in percent against Kendall's τ, which is 1 in the net's own order. " + " ".join(sentences),
    )


def _bars(spec: RunSpec, result: SingleLesions, style: Style, x: str, y: str) -> Json:
    layout = plan(spec.net)
    hatched = [block.reshapes or block.pooled > 1 for block in layout.blocks]
    return {
        "type": "bar",
        "name": style.name,
        "xaxis": x,
        "yaxis": y,
        "x": list(range(len(result.error))),
        "y": rounded(result.error, 2),
        "customdata": [" (changes shapes)" if changes_shape else "" for changes_shape in hatched],
        "marker": {
            "color": style.colour,
            "pattern": {"shape": ["/" if changes_shape else "" for changes_shape in hatched], "solidity": 0.35},
        },
        "hovertemplate": f"{style.name} · block %{{x}}%{{customdata}}<br>cut: %{{y:.2f}} %<extra></extra>",
    }


def _crosses(blocks: list[int], style: Style, x: str, y: str) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{style.name} refused",
        "xaxis": x,
        "yaxis": y,
        "x": blocks,
        "y": [6] * len(blocks),
        "marker": {"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": style.colour}},
        "hovertemplate": f"{style.name} · block %{{x}}<br>cannot be cut: no shortcut, and shapes change<extra></extra>",
    }


def _spread(x: NDArray[Any], errors: NDArray[Any], style: Style, where: str) -> list[Json]:
    """Two bands and the median of `errors`, X × draws."""
    low, first, third, high = np.percentile(errors, BAND, axis=1)
    bands = [_band(x, low, high, style, 0.14), _band(x, first, third, style, 0.28)]
    return [*bands, _line(x, np.median(errors, axis=1), style, f"median · {where}")]


def _band(x: NDArray[Any], low: NDArray[Any], high: NDArray[Any], style: Style, opacity: float) -> Json:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{style.name} band",
        "x": [*x.tolist(), *x[::-1].tolist()],
        "y": [*rounded(low, 2), *rounded(high[::-1], 2)],
        "fill": "toself",
        "fillcolor": style.colour,
        "opacity": opacity,
        "line": {"width": 0, "color": style.colour},
        "hoverinfo": "skip",
    }


def _line(x: NDArray[Any], y: NDArray[Any], style: Style, where: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": style.name,
        "x": rounded(x, 4),
        "y": rounded(y, 2),
        "line": {"color": style.colour, "width": 3.2, "dash": style.dash},
        "marker": {"size": 6, "color": style.colour},
        "hovertemplate": f"{style.name} · {where}<br>%{{y:.1f}} %<extra></extra>",
    }


def _medians(result: Reorderings) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean τ and median error of the draws in each bin of τ, from the net's own order on."""
    tau, error = (
        np.concatenate([[own], of.ravel()]) for own, of in ((1.0, result.tau), (result.full_error, result.error))
    )
    bins = np.round(tau / TAU_BIN).astype(int)
    bins[0] += 1  # the whole net is no draw
    chosen = [bins == within for within in sorted(set(bins.tolist()), reverse=True)]
    return np.array([tau[within].mean() for within in chosen]), np.array(
        [np.median(error[within]) for within in chosen]
    )


def _points(result: Reorderings, style: Style) -> Json:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{style.name} draws",
        "x": rounded(result.tau.ravel(), 4),
        "y": rounded(result.error.ravel(), 2),
        "customdata": np.repeat(result.k, result.tau.shape[1]).tolist(),
        "marker": {"size": 5, "color": style.colour, "opacity": 0.35},
        "hovertemplate": f"{style.name} · %{{customdata}} swaps, τ %{{x:.2f}}<br>%{{y:.1f}} %<extra></extra>",
    }


def _end_labels(ends: Sequence[tuple[str, float, float, str]], height: int) -> list[Json]:
    places = theme.spread([y for _, _, y, _ in ends], 17 * TOP / (height - 66), 0, TOP)
    return [
        theme.end_label(name, x, round(place, 2), colour)
        for (name, x, _, colour), place in zip(ends, places, strict=True)
    ]


def _room(ends: Sequence[tuple[str, float, float, str]]) -> int:
    """Pixels at the right for the longest label."""
    return 18 + 8 * max([len(name) for name, *_ in ends] + [8])


def _images(runs: Sequence[tuple[RunSpec, SingleLesions]]) -> str:
    return f"{max([len(result.labels) for _, result in runs] + [0]):,} images"


def _draws(runs: Sequence[tuple[RunSpec, RandomLesions]] | Sequence[tuple[RunSpec, Reorderings]]) -> str:
    draws = max([result.error.shape[1] for _, result in runs] + [0])
    images = max([result.images for _, result in runs] + [0])
    return f"{images:,} images, {draws} draws each"


def _single_words(name: str, result: SingleLesions) -> str:
    known = np.isfinite(result.error)
    if not known.any():
        return f"{name}: {result.full_error:.1f} % whole; no block can be cut."
    worst = int(np.nanargmax(result.error))
    return (
        f"{name}: {result.full_error:.1f} % whole, {np.median(result.error[known]):.1f} % in the median, "
        f"{result.error[worst]:.1f} % at worst, without block {worst}."
    )
