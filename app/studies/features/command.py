"""`python -m app features RUN --image FILE`: all channels of a layer as a sheet."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.pictures import ImageFile, Out, TestImage, chosen_picture
from app.cli.shared import Json, RunName, Step, at_moment, clear_errors, fail, out, print_json

verbs = typer.Typer()


@verbs.command()
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
        from app.studies.features.maps import feature_maps

        picture, label = chosen_picture(subject, image, test)
        seen = feature_maps(subject.net, picture, subject.images.info, layer.replace("block:", "blocks."), label)
        if part not in seen.parts:
            fail(f"{layer} has no part {part!r}: {', '.join(seen.parts)}")
        maps = seen.part(part)
        to.write_bytes(png(enlarged(sheet(maps, shared=shared), 900)))
    order = by_mean(maps)
    figures = {
        "run": run,
        "step": subject.step,
        "layer": seen.at,
        "part": part,
        "shape": list(maps.shape),
        "channels": order.tolist(),
        "means": maps.mean((1, 2))[order].tolist(),
        "field": seen.field_side,
        "predicted": subject.images.info.labels[int(seen.probabilities.argmax())],
        "out": str(to),
    }
    if as_json:
        return print_json(figures)
    return out.print(f"{to}: {maps.shape[0]} channels of {seen.at}, channel {order[0]} first", highlight=False)
