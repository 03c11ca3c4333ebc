"""The files of a run: weights, events, spec, the net as a program, and a script that repeats the run."""

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any

import pyarrow
from pyarrow.parquet import ParquetWriter

from app.export.scripts import readme, script
from app.store.files.checkpoints import Digests, check, weights_file
from app.store.run import Run
from app.store.store import Store
from app.values.events import to_json
from models.paper.code import code

CHUNK = 500  # steps read at a time: a long run's norms are hundreds of MB
SPOOLED = 20_000_000  # bytes of a zip that are kept in memory; the rest goes to a file

COLUMNS = ("seed", "step", "loss", "error", "lr", "seconds", "test_error", "test_loss")

Part = Path | str | Iterator[str] | Callable[[IO[bytes]], None]


def write(store: Store, run: str, folder: Path, step: int | None = None) -> list[Path]:
    """Write a run's files into `folder`. Returns their paths. Raises KeyError, ValueError (no such moment), OSError."""
    parts = _parts(store, store.runs.get(run), step)
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        with (folder / name).open("wb") as file:
            _fill(file, part)
    return [folder / name for name in parts]


def zipped(store: Store, run: str, step: int | None = None) -> IO[bytes]:
    """The same files in one zip, open at its beginning; the weights uncompressed. Raises as `write` does."""
    parts = _parts(store, store.runs.get(run), step)
    target: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (the caller reads it)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            entry = zipfile.ZipInfo.from_file(part) if isinstance(part, Path) else zipfile.ZipInfo(name)
            entry.filename = f"{run}/{name}"
            entry.compress_type = zipfile.ZIP_STORED if isinstance(part, Path) else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w", force_zip64=True) as file:
                _fill(file, part)
    target.seek(0)
    return target


def _fill(file: IO[bytes], part: Part) -> None:
    if isinstance(part, Path):
        with part.open("rb") as source:
            shutil.copyfileobj(source, file, 1 << 20)
        return
    if callable(part):
        with tempfile.TemporaryFile() as scratch:  # a file inside a zip has no positions, and Parquet needs them
            part(scratch)
            scratch.seek(0)
            shutil.copyfileobj(scratch, file)
        return
    for text in (part,) if isinstance(part, str) else part:
        file.write(text.encode())


def _parts(store: Store, run: Run, step: int | None) -> dict[str, Part]:
    """Name and content of each file."""
    moments = store.events.moments(run.id)
    if step is not None and step not in moments:
        raise ValueError(f"no weights were kept at step {step}: {', '.join(map(str, moments)) or 'none yet'}")
    chosen = step if step is not None else max(moments, default=None)
    weights: dict[str, Part] = {}
    if chosen is not None:
        kept = weights_file(store.weights.folder(run.id), chosen)
        check(kept, store.digests(run.id).get(chosen, Digests()).weights)
        weights["weights.safetensors"] = kept
    cuts = store.events.cuts(run.id)
    return {
        **weights,
        **({"cuts.json": to_json(cuts) + "\n"} if cuts else {}),
        "events.csv": events(store, run),
        "events.parquet": partial(parquet, store, run),
        "spec.json": run.settled.model_dump_json(indent=2) + "\n",
        "net.py": code(run.spec.net),
        "repeat.py": script(run),
        "README.md": readme(run, chosen, cut=bool(cuts)),
    }


def events(store: Store, run: Run) -> Iterator[str]:
    """CSV, one row a step; the norm of each layer's weight gradient in a column of the layer's name.

    The seed stands in every row, so that the files of several seeds can be laid under each other.

    An epoch's test error and loss stand in the row of the step whose update it ended with.
    """
    yield _line([*COLUMNS, *_layers(run)])
    for rows in _measured(store, run):
        for seed, step, loss, error, lr, seconds, test_error, test_loss, *norms in rows:
            numbers = (f"{norm:.7g}" for norm in norms)
            yield _line([seed, step, loss, error, lr, f"{seconds:.6f}", test_error, test_loss, *numbers])


def parquet(store: Store, run: Run, file: IO[bytes]) -> None:
    """The same table as Parquet: whole numbers, float32 for norms, float64 for the rest; null: not measured."""
    kinds = [pyarrow.int64(), pyarrow.int64(), *(pyarrow.float64() for _ in COLUMNS[2:])]
    norms = [(layer, pyarrow.float32()) for layer in _layers(run)]
    schema = pyarrow.schema([*zip(COLUMNS, kinds, strict=True), *norms])
    with ParquetWriter(file, schema) as writer:
        for rows in _measured(store, run):
            columns = zip(*rows, strict=True)
            arrays = [pyarrow.array(values, kind) for values, kind in zip(columns, schema.types, strict=True)]
            writer.write_table(pyarrow.table(arrays, schema=schema))


def _layers(run: Run) -> tuple[str, ...]:
    return run.started.layers if run.started and run.spec.measure else ()


def _measured(store: Store, run: Run) -> Iterator[list[tuple[Any, ...]]]:
    """The values of COLUMNS and each layer's norm, a row a step, CHUNK rows at a time."""
    evaluated = {event.step - 1: (event.test_error, event.test_loss) for event in store.events.epochs(run.id)}
    begin = 0
    while steps := store.events.steps(run.id, begin, CHUNK):
        yield [
            (
                run.spec.seed,
                step.step,
                step.loss,
                step.error,
                step.lr,
                step.seconds,
                *evaluated.get(step.step, (None, None)),
                *step.norms,
            )
            for step in steps
        ]
        begin = steps[-1].step + 1


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()
