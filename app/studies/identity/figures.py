"""A net made deeper by identities, trained on; stacks that learn the identity, or zero: as curves."""

import numpy as np

from app.figures import theme
from app.figures.curves import Curve, chart
from app.figures.theme import Figure
from app.studies.identity.questions import Lesson, TrainedOn
from models.spec import NetSpec

DASHES = ("solid", "dash", "dot", "dashdot")


def trained_on(result: TrainedOn) -> Figure:
    """Training error against step: the net that was made, and its like from scratch, dashed."""
    net, deeper = NetSpec.parse(result.net), NetSpec.parse(result.deeper)
    colour = theme.family_colour(deeper)
    steps = np.arange(result.error.shape[1])
    made, scratch = result.error
    curves = [
        Curve(f"made of {net.name}", steps, made, colour),
        Curve("from scratch", steps, scratch, theme.shade(colour, -0.3), "dash"),
    ]
    data, layout = chart(curves, "step", "training error, %", span=(-2, 102))
    caption = (
        f"{theme.badge('measured')} {deeper.name}, learning rate {result.rate:g}, the same batches for both; "
        f"error of the last {result.window} batches"
    )
    ends = "; ".join(
        f"{curve.name}: {there[0]:.0f} % at first, {there[-1]:.0f} % at the end"
        for curve in curves
        if (there := curve.y[np.isfinite(curve.y)]).size
    )
    return Figure(data, layout, caption, f"Training error of two nets {deeper.name}. {ends}")


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
