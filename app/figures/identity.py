"""Stacks that learn the identity, or zero, as curves."""

import numpy as np

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.theme import Figure
from app.results import Lesson

DASHES = ("solid", "dash", "dot", "dashdot")


def lesson(learnt: Lesson) -> Figure:
    """Loss against step: colour says whether there is a shortcut, the dash how many blocks."""
    depths = sorted(set(learnt.blocks))
    curves = [
        Curve(
            f"{family}, {blocks} block{'s' * (blocks > 1)}",
            np.arange(loss.size),
            loss,
            theme.FAMILY_COLOURS.get(family, theme.NEUTRAL),
            DASHES[depths.index(blocks) % len(DASHES)],
        )
        for family, blocks, loss in zip(learnt.families, learnt.blocks, learnt.loss, strict=True)
    ]
    data, layout = chart(curves, "step", "error ÷ size of x", log=True)
    wanted = "y = x" if learnt.target == "identity" else "y = 0"
    caption = (
        f"{theme.badge('measured')} mean squared error of stacks asked for {wanted}, over the mean square of x: "
        f"fresh noise at every step, seed {learnt.seed}"
    )
    ends = "; ".join(f"{curve.name}: {curve.y[-1]:.2g}" for curve in curves if curve.y.size)
    return Figure(data, layout, caption, f"Learning {wanted}. At the end {ends}")
