"""`python -m app paths RUN`: what the paths of each length carry of the gradient."""

from typing import Annotated

import typer
from rich.table import Table

from app.cli.shared import Json, RunName, Step, at_moment, clear_errors, out, print_json, progress_bar
from models.paper.lengths import LONGEST

verbs = typer.Typer()


@verbs.command()
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
    lengths = [{"branches": k, "paths": int(n), "norm": norm, "sampled_norm": sampled} for k, n, norm, sampled in rows]
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
