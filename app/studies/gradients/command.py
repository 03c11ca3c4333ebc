"""`python -m app gradients RUN`: the gradient's size, layer by layer."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli.shared import Json, RunName, Step, at_moment, clear_errors, out, print_json

verbs = typer.Typer()


@verbs.command()
def gradients(
    run: RunName,
    step: Step = None,
    images: Annotated[int, typer.Option(min=1, help="the first so many training images")] = 64,
    as_json: Json = False,
) -> None:
    """Size of the loss's gradient at every layer, training mode: of its weight, and of what it puts out."""
    with clear_errors():
        subject = at_moment(run, step)
        from app.studies.gradients.measurement import batch
        from app.studies.gradients.measurement import gradients as measured

        norms = measured(subject.net, *batch(subject.images, images))
    columns = (norms.layers, norms.weight_norm.tolist(), norms.output_rms.tolist(), norms.on_shortcut)
    keys = ("name", "weight_grad_norm", "activation_grad_rms", "on_shortcut")
    layers = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    if as_json:
        return print_json({"run": run, "step": subject.step, "images": norms.images, "layers": layers})
    table = Table("layer", "weight gradient, norm", "output's gradient, RMS")
    for name, norm, rms, on_shortcut in zip(*columns, strict=True):
        table.add_row(f"{name} (on a shortcut)" if on_shortcut else name, f"{norm:.3g}", f"{rms:.3g}")
    out.print(f"{run} at step {subject.step}, training mode, {norms.images} training images", highlight=False)
    return out.print(table)
