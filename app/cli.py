"""The command line: the same engine without a browser, for teachers preparing a class and for checks.

`--json` prints one JSON document on stdout and nothing else. Exit status 2 with one line on stderr for bad input.
"""

import logging
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from typer.exceptions import TyperException

from app import cli_analysis, cli_cluster, cli_pictures, datasets, logs, settings
from app.cli_parts import (
    Images,
    Json,
    RunName,
    Step,
    clear_errors,
    err,
    kept_step,
    open_store,
    out,
    print_json,
    read_settings,
)
from app.datasets import BUNDLED, DataSet
from app.runs import Run
from app.settings import ASSETS, Settings
from app.spec import RECIPES, Recipe, RunSpec, imported, net_title, read_normalisation
from app.store import Store
from models.plan import plan
from models.spec import PRESETS, NetSpec

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(cli_analysis.app)  # without a name: their verbs stand beside these
app.add_typer(cli_pictures.app)
app.add_typer(cli_cluster.app)
Net = Annotated[str, typer.Argument(metavar="NET", help="a preset's name, with settings: resnet-56:width=8")]
Data = Annotated[str, typer.Option("--dataset", help="a data set's name")]
Width = Annotated[int | None, typer.Option(help="channels of the first stage; the paper's by default")]


@app.command()
def nets(as_json: Json = False) -> None:
    """List the nets that have a name."""
    rows = [(name, plan(NetSpec.parse(name))) for name in PRESETS]
    if as_json:
        return print_json([{"net": name, "params": net.params, "macs": net.macs} for name, net in rows])
    table = Table("net", "parameters", "multiply-adds", "blocks")
    for name, net in rows:
        table.add_row(name, f"{net.params:,}", f"{net.macs / 1e6:,.0f} M", str(len(net.blocks)))
    out.print(table)
    return None


@app.command()
def describe(
    net: Net,
    dataset: Annotated[str | None, typer.Option(help="a data set's name; by default the form's own images")] = None,
    width: Width = None,
    as_json: Json = False,
) -> None:
    """Parameters, multiply-adds, weighted layers (projections apart) and blocks of a net."""
    spec, size = _net(net, width), None
    if dataset is not None:
        about = _dataset(dataset, read_settings())
        spec, size = spec.fitted(about.channels, about.classes), about.size
    layout = plan(spec, size)
    figures = {"params": layout.params, "macs": layout.macs, "layers": layout.depth, "blocks": len(layout.blocks)}
    if as_json:
        return print_json(figures)
    out.print(f"[bold]{net_title(spec)}[/bold] for {spec.channels}×{size or spec.image_size}² images")
    for name, value in figures.items():
        out.print(f"{name:>8} {value:,}")
    return None


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
    seed: Annotated[int, typer.Option()] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, mps")] = "auto",
    as_json: Json = False,
) -> None:
    """Train nets and keep the runs in the store."""
    from app import jobs

    logging.getLogger("distributed.scheduler").setLevel(logging.CRITICAL)  # it complains of workers that are let go
    configured = read_settings()
    logs.begin(configured, logging.WARNING)  # the rest is on screen
    about = _dataset(dataset, configured)
    with clear_errors():
        how = _recipe(recipe, epochs=epochs, steps=steps, batch=batch, lr=lr)
        specs = [
            RunSpec.model_validate(
                {
                    "net": _net(net, width).fitted(about.channels, about.classes),
                    "data": about.name,
                    "recipe": how,
                    "seed": seed,
                    "images": images,
                    "device": device,
                }
            )
            for net in nets
        ]
        engine = jobs.start(configured)
        try:
            runs = _watch(engine, [run.id for run in engine.submit(specs)])
        except KeyboardInterrupt:
            err.print(
                "stopped; the store keeps what was measured, and the runs go on when an engine starts again",
                soft_wrap=True,
            )
            raise typer.Exit(130) from None
        finally:
            figures = [_outcome(engine.store, run) for run in runs] if "runs" in locals() else []
            jobs.stop()
    if as_json:
        print_json(figures)
    else:
        _print_outcomes(figures)
    if any(figure["status"] == "failed" for figure in figures):
        raise typer.Exit(1)


@app.command()
def runs(as_json: Json = False) -> None:
    """List the runs in the store."""
    store = open_store(read_settings())
    figures = [_outcome(store, run) | {"step": run.step, "total_steps": run.total} for run in store.runs()]
    print_json(figures) if as_json else _print_outcomes(figures)


@app.command()
def evaluate(
    run: RunName,
    images: Images = None,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Error and loss of a run's weights on the test set."""
    from app.evaluation import evaluate_run

    configured = read_settings()
    store = open_store(configured)
    with clear_errors():
        found = store.run(run)
        chosen = kept_step(store, run, step)
        result = evaluate_run(found.spec, store.weights_folder(run), chosen, configured, images)
    figures = {"run": run, "error": result.error, "loss": result.loss, "images": result.images}
    if as_json:
        return print_json(figures)
    out.print(f"{run} at step {chosen}: error {result.error:.2f}%, loss {result.loss:.4f}, {result.images:,} images")
    return None


@app.command("import")
def import_weights(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="safetensors, or a PyTorch checkpoint")],
    net: Annotated[str, typer.Option(help="the net that they belong to: resnet-56:shortcut=B")],
    dataset: Data,
    normalize: Annotated[str, typer.Option(help="imagenet, dataset, none, or 0.49,0.48,0.45/0.25,0.24,0.26")],
    name: Annotated[str, typer.Option(help="what to call the run")] = "",
    as_json: Json = False,
) -> None:
    """Weights of another project as a finished run. A file that would execute code is refused."""
    from app.foreign import receive

    configured = read_settings()
    store = open_store(configured)
    about = _dataset(dataset, configured)
    with clear_errors():
        fitted = _net(net, None).fitted(about.channels, about.classes)
        spec = imported(fitted, about.name, read_normalisation(normalize, about.channels))
        run = store.new_id(spec)
        events = receive(file, spec, store.weights_folder(run), settings=configured)
        store.enter_import(run, name, spec, events)
    print_json({"run": run}) if as_json else out.print(run)


@app.command()
def export(
    run: RunName,
    folder: Annotated[
        Path | None, typer.Option("--out", help="a folder for the files; by default RUN.zip, here")
    ] = None,
    step: Annotated[int | None, typer.Option(min=0, help="weights of a kept moment; by default the newest")] = None,
    as_json: Json = False,
) -> None:
    """Weights, events, spec, the net as a program, and a script that repeats the run."""
    from app import export as exporting

    store = open_store(read_settings())
    with clear_errors():
        if folder is None:
            files = [Path(f"{run}.zip")]
            content = exporting.zipped(store, run, step)
            files[0].write_bytes(content.read())
        else:
            files = exporting.write(store, run, folder, step)
    if as_json:
        return print_json({"run": run, "files": [str(path) for path in files]})
    for path in files:
        out.print(str(path), markup=False, soft_wrap=True)
    return None


@app.command("settings")
def show_settings(as_json: Json = False) -> None:
    """The settings in force: name, value, where it comes from, what it means."""
    with clear_errors():
        configured, sources = settings.read()
    rows = [
        {
            "name": name,
            "variable": settings.variable(name),
            "value": settings.shown(configured, name),
            "from": sources[name],
            "meaning": field.description,
            "allowed": settings.allowed(name),
        }
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        return print_json(rows)
    table = Table("setting", "value", "from", "meaning")
    for row in rows:
        table.add_row(str(row["name"]), str(row["value"]), str(row["from"]), f"{row['meaning']} ({row['allowed']})")
    out.print(table)
    return None


@app.command()
def reference(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN…", help="their ids; by default all of them")] = None,
) -> None:
    """Train the bundled reference runs anew and write them to assets/reference."""
    from app.recording import record
    from app.references import REFERENCES

    with clear_errors():
        if unknown := set(runs or ()).difference(one.run for one in REFERENCES):
            raise ValueError(
                f"there is no reference run {min(unknown)!r}; there are {', '.join(one.run for one in REFERENCES)}"
            )
        wanted = [one for one in REFERENCES if not runs or one.run in runs]
        record(wanted, ASSETS / "reference", read_settings(), out.print)


def main() -> None:
    """Run the command line. A verb or an option that it does not know is one line, as all bad input is."""
    try:
        status = app(standalone_mode=False)
    except TyperException as error:
        if said := error.format_message():  # without a verb the help has been printed, and nothing is left to say
            err.print(said, style="red", markup=False, highlight=False, soft_wrap=True)
        status = error.exit_code
    sys.exit(status if isinstance(status, int) else 0)


# ── reading what was asked ──


def _net(text: str, width: int | None) -> NetSpec:
    with clear_errors():
        spec = NetSpec.parse(text)
        return spec if width is None else NetSpec.model_validate({**spec.model_dump(), "width": width})


def _dataset(name: str, configured: Settings) -> DataSet:
    with clear_errors():
        about = datasets.find(name, configured.store)
        if about is None:
            raise ValueError(f"unknown data set {name[:60]!r}: {', '.join(datasets.DATASETS)}")
        return about


def _recipe(name: str, **changes: Any) -> Recipe:
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name[:60]!r}: {', '.join(RECIPES)}")
    own = {field: value for field, value in changes.items() if value is not None}
    if "epochs" in own:
        own.setdefault("steps", None)
    return Recipe.model_validate({**RECIPES[name].model_dump(), **own, **({"name": "own"} if own else {})})


# ── watching and telling ──


def _watch(engine: Any, runs: list[str]) -> list[Run]:
    """Show progress on stderr until every run has ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[now]}"), console=err, transient=True) as progress:
        bars = {run: progress.add_task(engine.store.run(run).spec.net.name, total=None, now="") for run in runs}
        while True:
            found = [engine.store.run(run) for run in runs]
            for run in found:
                error = engine.store.history(run.id).train_error()
                now = run.status if error is None else f"train {error:.1f}%"
                if download := engine.pump.downloads.get(run.spec.data):
                    now = f"downloading {download[0] / 1e6:.0f} of {download[1] / 1e6:.0f} MB"
                progress.update(bars[run.id], completed=run.step, total=run.total or None, now=now)
            if not any(run.active for run in found):
                return found
            time.sleep(0.3)


def _outcome(store: Store, run: Run) -> dict[str, Any]:
    history = store.history(run.id)
    return {
        "run": run.id,
        "net": run.spec.net.name,
        "data": run.spec.data,
        "train_error": history.train_error(run.started.epoch_steps if run.started else 1),
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
    for figure in figures:
        if figure["message"]:
            out.print(f"{figure['run']}: {figure['message']}", markup=False)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}%"
