"""The verbs that keep a store: `python -m app verify`, `backup`, `restore`, `salvage`."""

from pathlib import Path
from typing import Annotated

import typer

from app.base.settings import ASSETS
from app.cli.shared import Json, clear_errors, out, print_json, read_settings
from app.store.files.lock import hold_store
from app.store.integrity import backup as copying
from app.store.integrity.verification import Finding, findings

app = typer.Typer()

Folder = Annotated[Path, typer.Argument(metavar="FILE|DIR", help="a name that ends with .zip is one file")]


@app.command()
def verify(as_json: Json = False) -> None:
    """Whether the store is whole: weights, events, answers, uploads. Status 1 and a line for all that is not."""
    configured = read_settings()
    with clear_errors():
        found = [*findings(configured.store, ASSETS / "reference"), *_of_uploads(configured.store)]
        _tell(found, as_json, f"{configured.store} is whole.")


@app.command()
def backup(target: Folder, as_json: Json = False) -> None:
    """Copy the store, while a server may be using it. Status 1 where what was copied is damaged."""
    with clear_errors():
        store = read_settings().store
        found = copying.backup(store, target)
        _tell(found, as_json, f"{store} was copied to {target}.")


@app.command()
def restore(source: Folder, as_json: Json = False) -> None:
    """Make the store of the settings from a backup. There must be none yet, and no server."""
    with clear_errors():
        store = read_settings().store
        held = hold_store(store)
        try:
            found = copying.restore(source, store)
        finally:
            held.release()
        _tell(found, as_json, f"{store} was made from {source}.")


@app.command()
def salvage(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="a damaged store.sqlite; it stays as it is")],
    into: Annotated[Path, typer.Option("--out", help="a new file for what can be read of it")],
    as_json: Json = False,
) -> None:
    """Read what can be read of a damaged file into a new one. A server does so by itself when it starts."""
    with clear_errors():
        saved = copying.salvage_file(file, into)
    if as_json:
        return print_json({"rows": dict(saved.rows), "lost": [list(one) for one in sorted(saved.lost)]})
    for table, count in saved.rows.items():
        out.print(f"{table}: {count:,} rows", highlight=False)
    return out.print(f"Lost: {saved.told}. What could be read is in {into}.", markup=False, highlight=False)


def _of_uploads(store: Path) -> list[Finding]:
    from app.data.images import upload_damage
    from app.values.datasets import uploaded

    damage = {data.name: upload_damage(data, store) for data in uploaded(store)}
    return [Finding("upload", "", f"{name}: {wrong}") for name, wrong in damage.items() if wrong]


def _tell(found: list[Finding], as_json: bool, well: str) -> None:
    if as_json:
        print_json({"findings": [{"what": one.what, "run": one.run, "told": one.told} for one in found]})
    else:
        for one in found:
            out.print(one.line, markup=False, highlight=False, soft_wrap=True)
        if not found:
            out.print(well, markup=False, highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
