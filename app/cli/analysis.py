"""The verbs that analyse a run at a kept moment: `python -m app lesions RUN …`.

Each loads torch inside its function only, computes on the CPU, and needs no engine. A new one is a command here: read
what was asked, `at_moment`, the analysis with a bar, `print_json` or a table.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
import typer
from rich.table import Table

from app.cli.shared import (
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
from app.values.arrays import Floats
from app.values.cut_spec import WHOLE, CutSpec
from app.values.datasets import check_images
from models.paper.lengths import LONGEST

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
        subject = at_moment(run, step)
        from app.studies.lesions import measurement as study

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
                full, result = study.evaluate_cuts(net, data, [WHOLE, cut], images, progress)
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


@app.command()
def paths(
    run: RunName,
    images: Annotated[int, typer.Option(min=1, help="the first so many test images")] = 64,
    at: Annotated[str, typer.Option(metavar="PLACE", help="image, stem, or block:I, the input of block I")] = "stem",
    longest: Annotated[int, typer.Option(min=0, metavar="K", help="longer paths are one remainder")] = LONGEST,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """What the paths of each length carry of the gradient, exactly, and single paths for comparison.

    Norms are means over the images of one image's L2 norm, in evaluation mode. `sampled_norm`: of one path.
    """
    with clear_errors():
        subject = at_moment(run, step)
        from app.data.images import prepare
        from app.studies.paths.by_length import gradients_by_length
        from app.studies.paths.sampled import sample_paths

        x = prepare(subject.images.test[:images], subject.images.info)
        y = subject.images.test_labels[:images]
        with progress_bar("exact") as progress:
            exact = gradients_by_length(subject.net, x, y, at, longest, progress)
        with progress_bar("single paths") as progress:
            single = sample_paths(subject.net, x, y, at, longest=longest, progress=progress)
    rows = zip(exact.lengths.tolist(), exact.counts, exact.norms.tolist(), single.means.tolist(), strict=True)
    lengths = [{"branches": k, "paths": int(n), "norm": norm, "sampled_norm": one} for k, n, norm, one in rows]
    figures = {
        "blocks": exact.blocks,
        "gradient_norm": exact.gradient_norm,
        "remainder_norm": exact.remainder_norm,
        "relative_remainder": exact.relative_remainder,
    }
    if as_json:
        return print_json(
            {"run": run, "step": subject.step, "at": at, "images": exact.images, "lengths": lengths, **figures}
        )
    told = (
        f"the sum over these lengths differs from it by {exact.relative_remainder:.1e} of it"
        if lengths[-1]["branches"] == exact.blocks
        else f"paths longer than {longest} of its {exact.blocks} branches carry {exact.remainder_norm:.4g} together"
    )
    norm = f"{exact.gradient_norm:.4g}"
    out.print(f"{run} at step {subject.step}: the gradient at {at} has norm {norm}; {told}", highlight=False)
    table = Table("branches", "paths", "norm", "norm of one path")
    for row in lengths:
        table.add_row(str(row["branches"]), f"{row['paths']:,}", f"{row['norm']:.4g}", f"{row['sampled_norm']:.4g}")
    return out.print(table)


@app.command()
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

        found = measured(subject.net, *batch(subject.images, images))
    columns = (found.layers, found.weight_norm.tolist(), found.output_rms.tolist(), found.on_shortcut)
    keys = ("name", "weight_grad_norm", "activation_grad_rms", "on_shortcut")
    layers = [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]
    if as_json:
        return print_json({"run": run, "step": subject.step, "images": found.images, "layers": layers})
    table = Table("layer", "weight gradient, norm", "output's gradient, RMS")
    for name, norm, rms, on_shortcut in zip(*columns, strict=True):
        table.add_row(f"{name} (on a shortcut)" if on_shortcut else name, f"{norm:.3g}", f"{rms:.3g}")
    out.print(f"{run} at step {subject.step}, training mode, {found.images} training images", highlight=False)
    return out.print(table)


class Subject(NamedTuple):
    """What is analysed: a `Net` in evaluation mode, the `Images` of its run, the step it was kept at."""

    net: Any
    images: Any
    step: int


def at_moment(run: str, step: int | None, *, own_picture: bool = False) -> Subject:
    """The net of a run as it was at `step` (None: the newest kept). `own_picture`: no test image is asked for."""
    from app.analysis.moment import net_at
    from app.data.images import load_for

    configured = read_settings()
    store = open_store(configured)
    found = store.run(run)
    chosen = kept_step(store, run, step)
    images = load_for(found.spec, configured)
    if not own_picture:
        check_images(images.info)
    epoch_steps = found.started.epoch_steps if found.started else 0
    return Subject(net_at(found.spec, store.weights_folder(run), chosen, images, epoch_steps), images, chosen)


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
