"""One cut as figures: which class suffers, and what the net takes each class for, before and after."""

from collections.abc import Sequence

import numpy as np

from app.figures import theme
from app.figures.numbers import rounded
from app.figures.theme import Figure, Json
from app.studies.cuts.questions import CutEvaluation


def class_errors(whole: CutEvaluation, cut: CutEvaluation, labels: Sequence[str], *, height: int = 400) -> Figure:
    """Each class's error, whole (open) and cut (filled), the worst hit at the top; of many classes, those alone."""
    change = np.nan_to_num(cut.class_error - whole.class_error)
    known = [int(i) for i in np.argsort(-change, kind="stable") if np.isfinite(whole.class_error[i])][:MOST_CLASSES]
    names = [labels[i] for i in known]
    before, after = (rounded(result.class_error[known], 1) for result in (whole, cut))
    strokes = [place for pair in zip(before, after, strict=True) for place in (*pair, None)]
    dots = {"type": "scatter", "mode": "markers", "y": names}
    return Figure(
        data=[
            {
                "type": "scatter",
                "mode": "lines",
                "name": "change",
                "x": strokes,
                "y": [name for name in names for _ in range(3)],
                "line": {"color": theme.NEUTRAL, "width": 2.5},
                "hoverinfo": "skip",
            },
            {
                **dots,
                "name": "whole",
                "x": before,
                "marker": {"symbol": "circle-open", "size": 10, "color": theme.NEUTRAL, "line": {"width": 2}},
                "hovertemplate": "%{y}, whole net<br>%{x:.1f} % wrong<extra></extra>",
            },
            {
                **dots,
                "name": "cut",
                "x": after,
                "marker": {"size": 10, "color": CHANGE[-1][1]},
                "hovertemplate": "%{y}, cut net<br>%{x:.1f} % wrong<extra></extra>",
            },
        ],
        layout=theme.layout(
            height,
            xaxis=theme.axis("error %", range=[-3, 103]),
            yaxis=theme.axis(autorange="reversed", showgrid=False, ticks=""),
            annotations=[theme.heading("each class's error: ○ whole, ● cut")],
        ),
        caption=f"{theme.badge('measured')} each class's test error, whole and cut, evaluation mode, "
        f"{cut.images:,} images" + (f"; the {len(known)} classes that suffer most" if len(known) < len(labels) else ""),
        alt="Each class's error, whole and cut: "
        + "; ".join(f"{name} {a:g} to {b:g} %" for name, a, b in zip(names, before, after, strict=True)),
    )


def confusions(whole: CutEvaluation, cut: CutEvaluation, labels: Sequence[str], *, height: int = 400) -> Figure:
    """What each class is taken for, in percent of its images: the whole net at the left, the cut one at the right."""
    data: list[Json] = []
    for n, name, result in (("", "whole", whole), ("2", "cut", cut)):
        counts = result.confusion.sum(1, keepdims=True)
        shares = np.divide(
            100 * result.confusion, counts, out=np.full(result.confusion.shape, np.nan), where=counts > 0
        )
        data.append(
            {
                "type": "heatmap",
                "name": name,
                "xaxis": f"x{n}",
                "yaxis": f"y{n}",
                "x": list(labels),
                "y": list(labels),
                "z": [rounded(row, 1) for row in shares],
                "coloraxis": "coloraxis",
                "hovertemplate": f"{name}: %{{y}} taken for %{{x}}<br>%{{z:.1f}} %<extra></extra>",
            }
        )
    across = theme.axis("taken for", showgrid=False, tickangle=-45)
    down = theme.axis(showgrid=False, autorange="reversed")
    return Figure(
        data=data,
        layout=theme.layout(
            height,
            xaxis={**across, "domain": [0, 0.47]},
            xaxis2={**across, "domain": [0.53, 1], "anchor": "y2"},
            yaxis=down,
            yaxis2={**down, "anchor": "x2", "showticklabels": False},
            annotations=[
                theme.heading(f"whole: {whole.error:.1f} % wrong"),
                theme.heading(f"cut: {cut.error:.1f} % wrong", x=0.53),
            ],
            coloraxis={"cmin": 0, "cmax": 100, "colorscale": theme.SEQUENTIAL, "colorbar": colour_bar("%")},
        ),
        caption=f"{theme.badge('measured')} what the images of each class (row) are taken for (column), in percent of "
        f"the class; evaluation mode, {cut.images:,} images",
        alt=f"Confusion matrices. The whole net is wrong on {whole.error:.1f} %, the cut one on {cut.error:.1f} %. "
        + _taken_for(cut, labels),
    )


def _taken_for(cut: CutEvaluation, labels: Sequence[str]) -> str:
    """The commonest mistake."""
    wrong = cut.confusion - np.diag(np.diag(cut.confusion))
    if not wrong.any():
        return "No image is taken for another class."
    true, taken = divmod(int(wrong.argmax()), len(wrong))
    return f"Most often {labels[true]} is taken for {labels[taken]}: {int(wrong[true, taken])} images."


def colour_bar(unit: str) -> Json:
    """A horizontal bar of colours above a map, in this unit."""
    return {
        "title": {"text": unit, "side": "top"},
        "thickness": 11,
        "outlinewidth": 0,
        "len": 1,
        "xpad": 8,
        "ticks": "outside",
    }


MOST_CLASSES = 12


# Less error, no change, more error: the ends of Okabe and Ito's blue and vermillion, grey between them.
CHANGE = [[0.0, "#0072B2"], [0.5, "#D9DCE3"], [1.0, "#D55E00"]]
