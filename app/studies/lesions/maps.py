"""Where a cut hurts: which class suffers from which block, and what the net takes each class for, before and after."""

from collections.abc import Sequence

import numpy as np

from app.figures import theme
from app.figures.numbers import rounded
from app.figures.theme import Figure
from app.studies.cuts.figures import CHANGE, colour_bar
from app.studies.lesions.questions import SingleLesions
from app.values.run_spec import RunSpec


def class_map(spec: RunSpec, result: SingleLesions, labels: Sequence[str], *, height: int = 340) -> Figure:
    """Block × class: by how many points each class's error changes when each block is cut. `labels`: class names."""
    change = (result.class_error - result.full_class_error).T  # C × B
    [style] = theme.styles([spec])
    known = np.isfinite(change)
    limit = max(float(np.abs(change[known]).max()) if known.any() else 0.0, 1.0)
    summary = "nothing measured."
    if known.any():
        row, block = divmod(int(np.nanargmax(change)), change.shape[1])
        summary = f"Worst: {labels[row]} without block {block}, {change[row, block]:+.1f} points."
    return Figure(
        data=[
            {
                "type": "heatmap",
                "name": style.name,
                "x": list(range(change.shape[1])),
                "y": list(labels),
                "z": [rounded(row, 1) for row in change],
                "coloraxis": "coloraxis",
                "xgap": 1,
                "ygap": 1,
                "hovertemplate": "%{y}, block %{x} cut<br>%{z:+.1f} points<extra></extra>",
            }
        ],
        layout=theme.layout(
            height,
            xaxis=theme.axis("block cut", showgrid=False, tickformat="d"),
            yaxis=theme.axis(showgrid=False, autorange="reversed"),
            annotations=[theme.heading(style.name, colour=style.colour)],
            coloraxis={"cmin": -limit, "cmax": limit, "colorscale": CHANGE, "colorbar": colour_bar("points")},
        ),
        caption=f"{theme.badge('measured')} change of each class's test error, in points, with one block cut; "
        f"evaluation mode, {len(result.labels):,} images. A blank column: a block that cannot be cut",
        alt=f"Map of the change of error by block cut and class, {style.name}. {summary}",
    )
