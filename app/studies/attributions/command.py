"""`python -m app attribute RUN --image FILE`: which pixels speak for a class."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.pictures import ImageFile, Out, TestImage, chosen_picture
from app.cli.shared import Json, RunName, Step, at_moment, clear_errors, fail, out, print_json, progress_bar

verbs = typer.Typer()


@verbs.command()
def attribute(
    run: RunName,
    image: ImageFile = None,
    test: TestImage = 0,
    method: Annotated[
        str,
        typer.Option(help="saliency, input-x-gradient, integrated-gradients, grad-cam, occlusion or conductance"),
    ] = "grad-cam",
    target: Annotated[int | None, typer.Option(help="the class, from 0; by default the predicted one")] = None,
    layer: Annotated[str, typer.Option(help="the block of grad-cam and conductance; by default the last")] = "",
    opacity: Annotated[float, typer.Option(min=0, max=1)] = 0.85,
    to: Out = Path("overlay.png"),
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Which pixels speak for a class, over the picture."""
    with clear_errors():
        subject = at_moment(run, step, own_picture=image is not None)
        from app.figures.sheets import enlarged, overlay, png
        from app.studies.attributions.measurement import METHODS
        from app.studies.attributions.measurement import attribute as speak

        chosen = next((known for known in METHODS if known == method), None)
        if chosen is None:
            fail(f"there is no method {method!r}: {', '.join(METHODS)}")
        picture, _ = chosen_picture(subject, image, test)
        at = layer.replace("block:", "blocks.")
        with progress_bar(method) as progress:
            attribution = speak(subject.net, picture, subject.images.info, chosen, target, at, progress)
        to.write_bytes(png(enlarged(overlay(attribution.picture, attribution.values, opacity), 560)))
    figures = {
        "run": run,
        "step": subject.step,
        "method": method,
        "target": attribution.target,
        "label": subject.images.info.labels[attribution.target],
        "probability": float(attribution.probabilities[attribution.target]),
        "sum": float(attribution.values.sum()),
        "delta": attribution.delta,
        "out": str(to),
    }
    if as_json:
        return print_json(figures)
    words = f"{to}: {method} for {figures['label']} ({100 * attribution.probabilities[attribution.target]:.0f}%)"
    return out.print(words, highlight=False)
