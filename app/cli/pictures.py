"""The verbs that draw what a run's net sees: `python -m app features RUN --image FILE`, and `attribute`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.analysis import Subject, at_moment
from app.cli.shared import Json, RunName, Step, clear_errors, fail, out, print_json, progress_bar

app = typer.Typer()

ImageFile = Annotated[Path | None, typer.Option("--image", help="your own picture")]
TestImage = Annotated[int, typer.Option("--test", min=0, help="else a test image, by its place")]
Out = Annotated[Path, typer.Option("--out", help="the PNG to write")]


@app.command()
def features(
    run: RunName,
    image: ImageFile = None,
    test: TestImage = 0,
    layer: Annotated[str, typer.Option(help="blocks.3, blocks.3.branch.conv1, stem.conv …")] = "blocks.0",
    part: Annotated[str, typer.Option(help="of a block: shortcut, branch, sum or output")] = "output",
    shared: Annotated[bool, typer.Option("--shared", help="one colour scale for all channels")] = False,
    to: Out = Path("sheet.png"),
    step: Step = None,
    as_json: Json = False,
) -> None:
    """All channels of a layer for one picture, as a sheet: the most active first."""
    with clear_errors():
        subject = at_moment(run, step, own_picture=image is not None)
        from app.figures.sheets import by_mean, enlarged, png, sheet
        from app.studies.features.measurement import feature_maps

        picture, label = _picture(subject, image, test)
        found = feature_maps(subject.net, picture, subject.images.info, layer.replace("block:", "blocks."), label)
        if part not in found.parts:
            fail(f"{layer} has no part {part!r}: {', '.join(found.parts)}")
        maps = found.part(part)
        to.write_bytes(png(enlarged(sheet(maps, shared=shared), 900)))
    order = by_mean(maps)
    figures = {
        "run": run,
        "step": subject.step,
        "layer": found.at,
        "part": part,
        "shape": list(maps.shape),
        "channels": order.tolist(),
        "means": maps.mean((1, 2))[order].tolist(),
        "field": found.field_side,
        "predicted": subject.images.info.labels[int(found.probabilities.argmax())],
        "out": str(to),
    }
    if as_json:
        return print_json(figures)
    return out.print(f"{to}: {maps.shape[0]} channels of {found.at}, channel {order[0]} first", highlight=False)


@app.command()
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

        chosen = next((one for one in METHODS if one == method), None)
        if chosen is None:
            fail(f"there is no method {method!r}: {', '.join(METHODS)}")
        picture, _ = _picture(subject, image, test)
        at = layer.replace("block:", "blocks.")
        with progress_bar(method) as progress:
            found = speak(subject.net, picture, subject.images.info, chosen, target, at, progress)
        to.write_bytes(png(enlarged(overlay(found.picture, found.values, opacity), 560)))
    figures = {
        "run": run,
        "step": subject.step,
        "method": method,
        "target": found.target,
        "label": subject.images.info.labels[found.target],
        "probability": float(found.probabilities[found.target]),
        "sum": float(found.values.sum()),
        "delta": found.delta,
        "out": str(to),
    }
    if as_json:
        return print_json(figures)
    words = f"{to}: {method} for {figures['label']} ({100 * found.probabilities[found.target]:.0f}%)"
    return out.print(words, highlight=False)


def _picture(subject: Subject, file: Path | None, test: int) -> tuple[Any, int]:
    """The picture, C×H×W uint8, and its label; −1 for one's own."""
    if file is None:
        if test >= len(subject.images.test):
            fail(f"there are {len(subject.images.test)} test images, from 0")
        return subject.images.test[test], int(subject.images.test_labels[test])
    import torch

    from app.data.pictures import fitted

    info = subject.images.info
    return torch.from_numpy(fitted(file.read_bytes(), info.channels, info.size)), -1
