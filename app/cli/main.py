"""The command line: the same engine without a browser, for teachers preparing a class and for checks.

`--json` prints one JSON document on stdout and nothing else. Exit status 2 with one line on stderr for bad input.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from typer.exceptions import TyperException

from app.base import settings, studies
from app.base.settings import ASSETS, Settings
from app.cli import ask as cli_ask
from app.cli import cluster as cli_cluster
from app.cli import keeping as cli_keeping
from app.cli import train as cli_train
from app.cli.shared import (
    Data,
    Images,
    Json,
    Net,
    RunName,
    Step,
    Width,
    clear_errors,
    dataset_of,
    err,
    kept_step,
    net_of,
    open_store,
    out,
    print_json,
    read_settings,
)
from app.store.files.checkpoints import Digests
from app.values.run_spec import imported, net_title, read_normalisation
from models.names import PRESETS
from models.plan import plan
from models.spec import NetSpec

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(cli_train.app)  # without a name: their verbs stand beside these
app.add_typer(cli_cluster.app)
app.add_typer(cli_ask.app)
app.add_typer(cli_keeping.app)
for study in studies.modules("command"):
    app.add_typer(study.verbs)


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
    spec, size = net_of(net, width), None
    if dataset is not None:
        data = dataset_of(dataset, read_settings())
        spec, size = spec.fitted(data.channels, data.classes), data.size
    layout = plan(spec, size)
    figures = {"params": layout.params, "macs": layout.macs, "layers": layout.depth, "blocks": len(layout.blocks)}
    if as_json:
        return print_json(figures)
    out.print(f"[bold]{net_title(spec)}[/bold] for {spec.channels}×{size or spec.image_size}² images")
    for name, value in figures.items():
        out.print(f"{name:>8} {value:,}")
    return None


@app.command()
def evaluate(
    run: RunName,
    images: Images = None,
    step: Step = None,
    as_json: Json = False,
) -> None:
    """Error and loss of a run's weights on the test set."""
    from app.training.evaluation import evaluate_run

    configured = read_settings()
    store = open_store(configured)
    with clear_errors():
        found = store.runs.get(run)
        chosen = kept_step(store, run, step)
        digest = store.digests(run).get(chosen, Digests()).weights
        result = evaluate_run(found.spec, store.weights.folder(run), chosen, configured, images, digest)
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
    from app.engine.policy.limits import check_arrival
    from app.training.checkpoint_import import receive

    configured = read_settings()
    store = open_store(configured)
    data = dataset_of(dataset, configured)
    with clear_errors():
        fitted = net_of(net, None).fitted(data.channels, data.classes)
        spec = imported(fitted, data.name, read_normalisation(normalize, data.channels))
        check_arrival(spec, file.stat().st_size if file.is_file() else 0, configured, store)
        run = store.runs.new_id(spec)
        events = receive(file, spec, store.weights.folder(run), settings=configured)
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
    from app.export import run_files as exporting

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
    from app.store.files.references import REFERENCES
    from app.training.reference_recording import record

    with clear_errors():
        known = [reference.run for reference in REFERENCES]
        if unknown := set(runs or ()).difference(known):
            raise ValueError(f"there is no reference run {min(unknown)!r}; there are {', '.join(known)}")
        wanted = [reference for reference in REFERENCES if not runs or reference.run in runs]
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
