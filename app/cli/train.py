"""The verbs that train and tell how it went: `python -m app train plain-56 resnet-56`, `python -m app runs`."""

import logging
import time
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.base import logs
from app.base.settings import Settings
from app.cli.shared import (
    Data,
    Json,
    RunName,
    Width,
    clear_errors,
    dataset_of,
    err,
    net_of,
    open_store,
    out,
    print_json,
    read_settings,
)
from app.store.run import Run
from app.store.store import Store
from app.values.comparing import comparison
from app.values.datasets import BUNDLED
from app.values.evidence import paired
from app.values.run_spec import RECIPES, Recipe, RunSpec, over_seeds

TRAIN_ERROR = "train error: mean over the last epoch's batches, each counted before the net learned from it"

app = typer.Typer()


@app.command()
def train(
    nets: Annotated[list[str], typer.Argument(metavar="NET…", help="one net or several, trained side by side")],
    dataset: Data = BUNDLED,
    recipe: Annotated[str, typer.Option(help=", ".join(RECIPES))] = "quick",
    epochs: Annotated[int | None, typer.Option(help="instead of the recipe's length")] = None,
    steps: Annotated[int | None, typer.Option(help="instead of the recipe's length")] = None,
    batch: Annotated[int | None, typer.Option()] = None,
    lr: Annotated[float | None, typer.Option()] = None,
    width: Width = None,
    images: Annotated[int | None, typer.Option(help="train on the first so many images only")] = None,
    seed: Annotated[int, typer.Option(help="the first one")] = 0,
    seeds: Annotated[int, typer.Option(min=1, max=100, help="train each net with so many, from the first on")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps")] = "auto",
    as_json: Json = False,
) -> None:
    """Train nets and keep the runs in the store."""
    logging.getLogger("distributed.scheduler").setLevel(logging.CRITICAL)  # it complains of workers that are let go
    configured = read_settings()
    logs.begin(configured, logging.WARNING)  # the rest is on screen
    data = dataset_of(dataset, configured)
    with clear_errors():
        common = {
            "data": data.name,
            "recipe": _recipe(recipe, epochs=epochs, steps=steps, batch=batch, lr=lr),
            "seed": seed,
            "images": images,
            "device": device,
        }
        fitted = [net_of(net, width).fitted(data.channels, data.classes) for net in nets]
        specs = [RunSpec.model_validate({"net": net, **common}) for net in fitted]
        figures = _trained(configured, over_seeds(specs, seeds))
    print_json(figures) if as_json else _print_outcomes(figures)
    if any(figure["status"] == "failed" for figure in figures):
        raise typer.Exit(1)


def _trained(configured: Settings, specs: list[RunSpec]) -> list[dict[str, Any]]:
    """What became of each run, trained by an engine that is there for them alone. Raises RefusedError."""
    from app.engine import process
    from app.engine.policy.visitor import MACHINE

    engine = process.start(configured, lanes=["train", "study"])  # a data set may have to be fetched; no study will be
    try:
        runs = _watch(engine, [run.id for run in engine.runs.submit(specs, MACHINE)])
        return [_outcome(engine.store, run) for run in runs]
    except KeyboardInterrupt:
        err.print(
            "stopped; the store keeps what was measured, and the runs go on when an engine starts again", soft_wrap=True
        )
        raise typer.Exit(130) from None
    finally:
        process.stop()


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs in the store."""
    store = open_store(read_settings())
    figures = [_outcome(store, run) | {"step": run.step, "total_steps": run.total} for run in store.runs.all()]
    print_json(figures) if as_json else _print_outcomes(figures)


@app.command()
def compare(first: RunName, second: RunName, as_json: Json = False) -> None:
    """Training error of the first minus the second, in points, paired over the seeds that both were trained with.

    A run's error is the mean over the batches of its last epoch; its group, the other seeds of its spec, counts too.
    """
    store = open_store(read_settings())
    with clear_errors():
        sides = [_last_errors(store, store.runs.get(run)) for run in (first, second)]
        seeds = sorted(set.intersection(*map(set, sides)))
        if not seeds:
            raise ValueError(f"{first} and {second} have no seed in common with which both have ended")
        effect = paired(*([side[seed] for seed in seeds] for side in sides))
    if as_json:
        return print_json({"difference": effect.value, "low": effect.low, "high": effect.high, "seeds": effect.count})
    return out.print(comparison(first, second, effect).replace("**", ""), highlight=False, soft_wrap=True)


def _last_errors(store: Store, run: Run) -> dict[int, float]:
    """Training error by seed, of the runs of a group that are over."""
    over = [other for other in store.group(run) if other.status == "finished"]
    errors = {other.spec.seed: store.events.history(other.id).train_error(other.epoch_steps or 1) for other in over}
    return {seed: error for seed, error in errors.items() if error is not None}


def _recipe(name: str, **changes: Any) -> Recipe:
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name[:60]!r}: {', '.join(RECIPES)}")
    own = {field: value for field, value in changes.items() if value is not None}
    if "epochs" in own:
        own.setdefault("steps", None)
    return Recipe.model_validate({**RECIPES[name].model_dump(), **own, **({"name": "own"} if own else {})})


def _watch(engine: Any, runs: list[str]) -> list[Run]:
    """Show progress on stderr until every run has ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=err, transient=True) as progress:
        bars = {run: progress.add_task(engine.store.runs.get(run).spec.net.name, total=None, now="") for run in runs}
        while True:
            found = [engine.store.runs.get(run) for run in runs]
            for run in found:
                error = engine.store.events.history(run.id).train_error()
                now = run.status if error is None else f"train {error:.1f}%"
                if download := engine.runs.downloads.get(run.spec.data):
                    now = f"downloading {download[0] / 1e6:.0f} of {download[1] / 1e6:.0f} MB"
                progress.update(bars[run.id], completed=run.step, total=run.total or None, now=now)
            if not any(run.active for run in found):
                return found
            time.sleep(0.3)


def _outcome(store: Store, run: Run) -> dict[str, Any]:
    history = store.events.history(run.id)
    return {
        "run": run.id,
        "net": run.spec.net.name,
        "data": run.spec.data,
        "seed": run.spec.seed,
        "train_error": history.train_error(run.epoch_steps or 1),
        "test_error": history.test_error(),
        "images_per_second": history.images_per_second(),
        "status": run.status,
        "message": run.message,
    }


def _print_outcomes(figures: list[dict[str, Any]]) -> None:
    table = Table("run", "status", "train error", "test error", "images/s")
    for figure in figures:
        errors = [_percent(figure["train_error"]), _percent(figure["test_error"])]
        speed = figure["images_per_second"]
        table.add_row(figure["run"], figure["status"], *errors, f"{speed:,.0f}" if speed else "")
    out.print(table)
    if any(figure["train_error"] is not None for figure in figures):
        out.print(TRAIN_ERROR, highlight=False)
    for figure in figures:
        if figure["message"]:
            out.print(f"{figure['run']}: {figure['message']}", markup=False)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}%"
