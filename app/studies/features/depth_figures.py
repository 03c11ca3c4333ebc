"""The head read after every block: what the net would say if it stopped there."""

from collections.abc import Sequence

import numpy as np

from app.figures.theme import NEUTRAL, Figure, Json, axis, badge, end_label, heading, layout, spread
from app.studies.features.questions import DepthRead

HEIGHT = 300
SHOWN = 4  # classes
COLOURS = ("#5A4FB3", "#B3446C", "#3D7A5A", "#8A6A1F")  # of classes: no family's


def probabilities(read: DepthRead, labels: Sequence[str], about: str) -> Figure:
    """The classes that are likeliest anywhere along the depth, for one picture. `about`: run and step."""
    shown = np.argsort(-read.probabilities[-1] - 0.1 * read.probabilities.max(0), kind="stable")[:SHOWN]
    percent = 100 * read.probabilities
    depth = list(range(len(percent)))
    data = [_line(depth, percent[:, c].tolist(), COLOURS[i], labels[c]) for i, c in enumerate(shown)]
    places = spread([float(percent[-1, c]) for c in shown], 7, 0, 100)
    notes = [
        end_label(f"{shortened(labels[c])} {percent[-1, c]:.0f}%", depth[-1], place, COLOURS[i])
        for i, (c, place) in enumerate(zip(shown, places, strict=True))
    ]
    final = int(percent[-1].argmax())
    wrong = np.flatnonzero(percent.argmax(1) != final)
    since = int(wrong[-1]) + 1 if len(wrong) else 0
    after = f"after {since} of {depth[-1]} blocks" if since else "after the stem"
    settled = f"It says {labels[final]} {after}, and keeps to it"
    return Figure(
        data,
        layout(
            HEIGHT,
            right=150,
            xaxis=axis("blocks computed", range=[0, depth[-1]]),
            yaxis=axis(range=[-2, 102], ticksuffix="%"),
            annotations=[heading("probability"), *notes],
        ),
        f"{badge('measured')} {settled}. {about}; the remaining blocks cut{_kept(read)}.",
        f"Probability of {', '.join(labels[c] for c in shown)} after each of {depth[-1]} blocks. {settled}.",
    )


def shortened(label: str) -> str:
    """As much of a class's name as has room beside a chart."""
    return label if len(label) <= 15 else f"{label[:14].rstrip()}…"


def accuracy(reads: Sequence[tuple[str, str, DepthRead]], about: str) -> Figure:
    """Test accuracy along the depth of each net: (name, colour, read). `about`: step."""
    data, notes = [], []
    ends = spread([float(read.accuracy[-1]) for *_, read in reads], 7, 0, 100)
    for (name, colour, read), end in zip(reads, ends, strict=True):
        share = [i / (len(read.accuracy) - 1) * 100 for i in range(len(read.accuracy))]
        data.append(_line(share, read.accuracy.tolist(), colour, name))
        notes.append(end_label(f"{name} {read.accuracy[-1]:.0f}%", 100, end, colour))
    half = "; ".join(f"{name}: {read.accuracy[(len(read.accuracy) - 1) // 2]:.0f}% halfway" for name, _, read in reads)
    kept = "".join(_kept(read) for *_, read in reads)
    return Figure(
        data,
        layout(
            HEIGHT,
            right=150,
            xaxis=axis("share of the blocks computed", range=[0, 100], ticksuffix="%"),
            yaxis=axis(range=[-2, 102], ticksuffix="%"),
            annotations=[heading("test accuracy"), *notes],
        ),
        f"{badge('measured')} {half}. {about}, {reads[0][2].images:,} test images; the remaining blocks cut{kept}.",
        f"Test accuracy along depth. {half}.",
    )


def _line(x: Sequence[float], y: Sequence[float], colour: str, name: str) -> Json:
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": list(x),
        "y": list(y),
        "name": name,
        "line": {"color": colour or NEUTRAL, "width": 2.5},
        "marker": {"size": 5},
        "hovertemplate": f"{name}<br>%{{x:.0f}}: %{{y:.1f}}%<extra></extra>",
    }


def _kept(read: DepthRead) -> str:
    if not read.kept:
        return ""
    return f" but for {', '.join(map(str, read.kept))}, which change shapes and have no shortcut to leave"
