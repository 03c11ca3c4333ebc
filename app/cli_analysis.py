"""The verbs that analyse a run at a kept moment: `python -m app lesions RUN …`.

Each loads torch inside its function only, computes on the CPU, and needs no engine. A new one is a command here: read
what was asked, `_at_moment`, the analysis with a bar, `print_json` or a table.
"""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from rich.table import Table

from app.cli_parts import (
    Images,
    Json,
    RunName,
    Step,
    clear_errors,
    fail,
    kept_step,
    open_store,
    out,
    print_json,
    progress_bar,
    read_settings,
)
from app.cuts import CutSpec
from app.results import Floats

app = typer.Typer()


@app.command()
def lesions(
    run: RunName,
    single: Annotated[bool, typer.Option("--single", help="every block cut alone")] = False,
    random: Annotated[int | None, typer.Option(min=1, metavar="K", help="1 to K blocks cut at random")] = None,
    reorder: Annotated[int | None, typer.Option(min=1, metavar="K", help="blocks reordered by 1 to K swaps")] = None,
    remove: Annotated[
        str | None, typer.Option(metavar="BLOCKS", help="3,7 cuts two; 5:0.5 halves a branch; 4-3 swaps two")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="of each K")] = 20,
    seed: Annotated[int, typer.Option(min=0, help="of the draws")] = 0,
    images: Images = None,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Test error with blocks cut, in evaluation mode. Blocks count from 0, in forward order."""
    if single + sum(asked is not None for asked in (random, reorder, remove)) != 1:
        fail("say which one: --single, --random K, --reorder K or --remove 3,7")
    with clear_errors():
        cut = CutSpec.parse(remove or "")
        subject = _at_moment(run, step)
        from app.analysis import lesions as study

        net, data = subject.net, subject.images
        figures: dict[str, Any] = {}
        with progress_bar("lesions") as progress:
            if single:
                alone = study.single_lesions(net, data, images, progress)
                figures = {"full": alone.full_error, "single": alone.error.tolist()}
            elif random is not None:
                many = study.random_lesions(net, data, range(1, random + 1), draws, seed, images, progress)
                figures = {"full": many.full_error, "random": _spread(many.k.tolist(), many.error)}
            elif reorder is not None:
                moved = study.reorderings(net, data, range(1, reorder + 1), draws, seed, images, progress)
                rows = _spread(moved.k.tolist(), moved.error)
                taus = np.median(moved.tau, axis=1).tolist()
                rows = [{**row, "tau": tau} for row, tau in zip(rows, taus, strict=True)]
                figures = {"full": moved.full_error, "reorder": rows}
            else:
                full, result = study.evaluate_cuts(net, data, [study.WHOLE, cut], images, progress)
                figures = {
                    "full": full.error,
                    "cut": str(cut),
                    "removed": list(cut.removed),
                    "error": result.error,
                    "loss": result.loss,
                }
    if as_json:
        return print_json({"run": run, "step": subject.step, **figures})
    return _print_lesions(f"{run} at step {subject.step}", figures)


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
        subject = _at_moment(run, step)
        from app.analysis.features import feature_maps
        from app.figures.sheets import by_mean, enlarged, png, sheet

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
        subject = _at_moment(run, step)
        from app.analysis.attributions import METHODS
        from app.analysis.attributions import attribute as speak
        from app.figures.sheets import enlarged, overlay, png

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


class _Subject(NamedTuple):
    """What is analysed: a `Net` in evaluation mode, the `Images` of its run, the step it was kept at."""

    net: Any
    images: Any
    step: int


def _at_moment(run: str, step: int | None) -> _Subject:
    """The net of a run as it was at `step` (None: the newest kept)."""
    from app.analysis.moment import net_at
    from app.data import load_for

    configured = read_settings()
    store = open_store(configured)
    found = store.run(run)
    chosen = kept_step(store, run, step)
    images = load_for(found.spec, configured)
    epoch_steps = found.started.epoch_steps if found.started else 0
    return _Subject(net_at(found.spec, store.weights_folder(run), chosen, images, epoch_steps), images, chosen)


def _picture(subject: _Subject, file: Path | None, test: int) -> tuple[Any, int]:
    """The picture, C×H×W uint8, and its label; −1 for one's own."""
    if file is None:
        if test >= len(subject.images.test):
            fail(f"there are {len(subject.images.test)} test images, from 0")
        return subject.images.test[test], int(subject.images.test_labels[test])
    import torch

    from app.pictures import fitted

    info = subject.images.info
    return torch.from_numpy(fitted(file.read_bytes(), info.channels, info.size)), -1


def _spread(k: list[int], errors: Floats) -> list[dict[str, Any]]:
    """Median, 5th and 95th percentile over the draws of each k."""
    low, median, high = np.percentile(errors, [5, 50, 95], axis=1).tolist()
    rows = zip(k, median, low, high, strict=True)
    return [{"k": k, "median": m, "low": lo, "high": hi, "draws": errors.shape[1]} for k, m, lo, hi in rows]


def _print_lesions(title: str, figures: dict[str, Any]) -> None:
    out.print(f"{title}: the whole net errs on {figures['full']:.2f}%", highlight=False)
    if "error" in figures:
        return out.print(f"cut by {figures['cut']}: {figures['error']:.2f}%", highlight=False)
    if "single" in figures:
        table = Table("block", "error")
        for block, error in enumerate(figures["single"]):
            table.add_row(str(block), "cannot be cut" if np.isnan(error) else f"{error:.2f}%")
    else:
        table = Table("k", "median", "5%", "95%", *(["τ"] if "reorder" in figures else []))
        for row in figures.get("random") or figures["reorder"]:
            shares = [f"{row[name]:.2f}%" for name in ("median", "low", "high")]
            table.add_row(str(row["k"]), *shares, *([f"{row['tau']:.2f}"] if "tau" in row else []))
    return out.print(table)
