"""`python -m app lesions RUN`: test error with blocks cut."""

from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

from app.cli.shared import Images, Json, RunName, Step, at_moment, clear_errors, fail, out, print_json, progress_bar
from app.values.arrays import Floats
from app.values.cut_spec import WHOLE, CutSpec

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
        cut = CutSpec.parse(remove or "")
        subject = at_moment(run, step)
        from app.studies.cuts.measurement import evaluate_cuts
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
                full, result = evaluate_cuts(net, data, [WHOLE, cut], images, progress)
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
