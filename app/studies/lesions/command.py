"""`python -m app lesions RUN`: test error with blocks cut."""

from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from app.cli.shared import Images, Json, RunName, Step, at_moment, clear_errors, fail, out, print_json, progress_bar
from app.studies.cuts.over_images import times
from app.studies.lesions.questions import RandomLesions, Reorderings
from app.values.cut_spec import WHOLE, CutSpec, changes_nothing, idle_part

verbs = typer.Typer()


@verbs.command()
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
        cut = _cut(remove)
        subject = at_moment(run, step)
        from app.studies.cuts.measurement import evaluate_cuts
        from app.studies.lesions import measurement as study

        net, data = subject.net, subject.images
        figures: dict[str, Any] = {}
        with progress_bar("lesions") as progress:
            if single:
                alone = study.single_lesions(net, data, images, progress)
                ratios = [times(loss, alone.full_loss) for loss in alone.loss.tolist()]
                figures = {"full": alone.full_error, "single": alone.error.tolist(), "times_loss": ratios}
            elif random is not None:
                many = study.random_lesions(net, data, range(1, random + 1), draws, seed, images, progress)
                figures = {"full": many.full_error, "random": _spread(many)}
            elif reorder is not None:
                moved = study.reorderings(net, data, range(1, reorder + 1), draws, seed, images, progress)
                rows = _spread(moved)
                taus = np.median(moved.tau, axis=1).tolist()
                rows = [{**row, "tau": tau} for row, tau in zip(rows, taus, strict=True)]
                figures = {"full": moved.full_error, "reorder": rows}
            else:
                full, result = evaluate_cuts(net, data, [WHOLE, cut], images, progress)
                figures = {"full": full.error, "cut": str(cut), "removed": list(cut.removed), "error": result.error}
                figures |= {"loss": result.loss, "times_loss": times(result.loss, full.loss)}
    if as_json:
        return print_json({"run": run, "step": subject.step, **figures})
    return _print_lesions(f"{run} at step {subject.step}", figures)


def _cut(text: str | None) -> CutSpec:
    """Ends the program with a sentence where a part of the text changes nothing: 3-4 was meant to change something."""
    if text is not None and (idle := idle_part(text or ",")) is not None:
        fail(changes_nothing(idle))
    return CutSpec.parse(text or "")


def _spread(of: RandomLesions | Reorderings) -> list[dict[str, Any]]:
    """Median, 5th and 95th percentile of error over the draws of each k; of the loss, as a multiple, the median."""
    low, median, high = np.percentile(of.error, [5, 50, 95], axis=1).tolist()
    losses = [times(loss, of.full_loss) for loss in np.median(of.loss, axis=1).tolist()]
    return [
        {"k": k, "median": m, "low": lo, "high": hi, "times_loss": loss, "draws": of.error.shape[1]}
        for k, m, lo, hi, loss in zip(of.k.tolist(), median, low, high, losses, strict=True)
    ]


def _print_lesions(title: str, figures: dict[str, Any]) -> None:
    out.print(f"{title}: the whole net errs on {figures['full']:.2f}%", highlight=False)
    if "error" in figures:
        loss = f"{figures['times_loss']:.2f} times the loss"
        return out.print(f"cut by {figures['cut']}: {figures['error']:.2f}%, {loss}", highlight=False)
    if "single" in figures:
        table = Table("block", "error", "× loss")
        for block, (error, ratio) in enumerate(zip(figures["single"], figures["times_loss"], strict=True)):
            table.add_row(str(block), *(["cannot be cut"] if np.isnan(error) else [f"{error:.2f}%", f"{ratio:.2f}"]))
    else:
        table = Table("k", "median", "5%", "95%", "× loss", *(["τ"] if "reorder" in figures else []))
        for row in figures.get("random") or figures["reorder"]:
            shares = [f"{row[name]:.2f}%" for name in ("median", "low", "high")]
            table.add_row(
                str(row["k"]), *shares, f"{row['times_loss']:.2f}", *([f"{row['tau']:.2f}"] if "tau" in row else [])
            )
    return out.print(table)
