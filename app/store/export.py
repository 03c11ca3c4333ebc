"""A run to take away: weights, events, spec, the net as a program, and a script that repeats the run. Without torch."""

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

from app.store.checkpoints import weights_file
from app.values.events import to_json
from app.store.run import Run
from app.values.run_spec import net_title
from app.store.run_store import Store
from models.paper.code import code

CHUNK = 500  # steps read at a time: a long run's norms are hundreds of MB
SPOOLED = 20_000_000  # bytes of a zip that are kept in memory; the rest goes to a file

COLUMNS = ("step", "loss", "error", "lr", "seconds", "test_error", "test_loss")

Part = Path | str | Iterator[str] | Callable[[IO[bytes]], None]


def write(store: Store, run: str, folder: Path, step: int | None = None) -> list[Path]:
    """Write a run's files into `folder`. Returns their paths. Raises KeyError, ValueError (no such moment), OSError."""
    parts = _parts(store, store.run(run), step)
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        with (folder / name).open("wb") as file:
            _fill(file, part)
    return [folder / name for name in parts]


def zipped(store: Store, run: str, step: int | None = None) -> IO[bytes]:
    """The same files in one zip, open at its beginning; the weights uncompressed. Raises as `write` does."""
    parts = _parts(store, store.run(run), step)
    target: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (the caller reads it)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            about = zipfile.ZipInfo.from_file(part) if isinstance(part, Path) else zipfile.ZipInfo(name)
            about.filename = f"{run}/{name}"
            about.compress_type = zipfile.ZIP_STORED if isinstance(part, Path) else zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            with archive.open(about, "w", force_zip64=True) as file:
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
    moments = store.moments(run.id)
    if step is not None and step not in moments:
        raise ValueError(f"no weights were kept at step {step}: {', '.join(map(str, moments)) or 'none yet'}")
    chosen = step if step is not None else max(moments, default=None)
    weights: dict[str, Part] = {}
    if chosen is not None:
        weights["weights.safetensors"] = weights_file(store.weights_folder(run.id), chosen)
    cuts = store.cuts(run.id)
    return {
        **weights,
        **({"cuts.json": to_json(cuts) + "\n"} if cuts else {}),
        "events.csv": events(store, run),
        "events.parquet": partial(parquet, store, run),
        "spec.json": run.settled.model_dump_json(indent=2) + "\n",
        "net.py": code(run.spec.net),
        "repeat.py": script(run),
        "README.md": _readme(run, chosen, cut=bool(cuts)),
    }


def events(store: Store, run: Run) -> Iterator[str]:
    """CSV, one row a step; the norm of each layer's weight gradient in a column of the layer's name.

    An epoch's test error and loss stand in the row of the step whose update it ended with.
    """
    yield _line([*COLUMNS, *_layers(run)])
    for rows in _measured(store, run):
        for step, loss, error, lr, seconds, test_error, test_loss, *norms in rows:
            numbers = (f"{norm:.7g}" for norm in norms)
            yield _line([step, loss, error, lr, f"{seconds:.6f}", test_error, test_loss, *numbers])


def parquet(store: Store, run: Run, file: IO[bytes]) -> None:
    """The same table as Parquet: steps are whole numbers, norms float32, all else float64, null where not measured."""
    kinds = [pyarrow.int64(), *(pyarrow.float64() for _ in COLUMNS[1:])]
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
    evaluated = {event.step - 1: (event.test_error, event.test_loss) for event in store.epochs(run.id)}
    begin = 0
    while steps := store.steps(run.id, begin, CHUNK):
        yield [
            (one.step, one.loss, one.error, one.lr, one.seconds, *evaluated.get(one.step, (None, None)), *one.norms)
            for one in steps
        ]
        begin = steps[-1].step + 1


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


def script(run: Run) -> str:
    """A Python program that repeats the run; of one that was trained elsewhere, one that enters it into a store."""
    about = f"{run.id}: {net_title(run.spec.net)} on {run.spec.data}"
    return (IMPORT if run.origin == "imported" else REPEAT).replace("ABOUT", about)


_USAGE = """\
Start it in the folder of ResNet Explorer, with its Python: .venv/bin/python PATH/TO/repeat.py"""

REPEAT = f'''\
"""The run ABOUT, repeated.

{_USAGE} [STEPS]
The loss of each step is printed beside the one of then. On one machine they are equal; elsewhere, to some digits.
"""

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from app.data.images import load_for
from app.values.events import StepMeasured, from_json
from app.base.settings import load
from app.values.run_spec import RunSpec
from app.training.loop import train

here = Path(__file__).resolve().parent
spec = RunSpec.model_validate_json((here / "spec.json").read_text(encoding="utf-8"))
with (here / "events.csv").open(encoding="utf-8") as file:
    then = {{row["step"]: row["loss"] for row in csv.DictReader(file)}}
until = int(sys.argv[1]) if len(sys.argv) > 1 else None
cut = here / "cuts.json"
cuts = from_json(cut.read_text(encoding="utf-8")) if cut.exists() else []
for event in train(spec, load_for(spec, load(), spec.device), here / "repeated", until=until, cuts=cuts):
    if isinstance(event, StepMeasured):
        print(f"step {{event.step}}: loss {{event.loss}}, then {{then.get(str(event.step), 'not made')}}", flush=True)
'''

IMPORT = f'''\
"""The weights ABOUT, trained elsewhere: this enters them into a store and, where the data are at hand, evaluates them.

{_USAGE}
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))

from app.training.checkpoint_import import receive
from app.base.settings import ASSETS, load
from app.values.run_spec import RunSpec
from app.store.run_store import Store

here = Path(__file__).resolve().parent
spec = RunSpec.model_validate_json((here / "spec.json").read_text(encoding="utf-8"))
settings = load()
store = Store(settings.store, ASSETS / "reference")
run = store.new_id(spec)
folder = store.weights_folder(run)
events = receive(here / "weights.safetensors", spec, folder, settings=settings)
store.enter_import(run, "", spec, events)
for result in store.epochs(run):
    print(f"{{run}}: error {{result.test_error:.2f}}% on {{result.test_images}} test images")
'''


def _readme(run: Run, step: int | None, cut: bool) -> str:
    weights = "none were kept yet" if step is None else f"after {step} updates; `safetensors.torch.load_file`"
    row = "| `cuts.json` | which blocks were cut while it trained, and from which step on |\n" if cut else ""
    return f"""\
# {run.name}

Run `{run.id}`: {run.spec.title}, {run.status} after {run.step} steps.

| file | what is in it |
| --- | --- |
| `weights.safetensors` | {weights} |
| `net.py` | the net as a program of its own; needs only torch; these weights load into it |
| `events.csv` | a row a step: loss, error (%), learning rate, seconds, test error, and gradient norms by layer |
| `events.parquet` | the same table, for pandas and its like |
| `spec.json` | net, data, recipe, seed, normalisation: all that decides the run |
{row}| `repeat.py` | the run once more, with ResNet Explorer |
"""
