"""The texts of an export: a program that repeats the run, and what each file is.

The programs import `app.api` alone: its names stay, so that an export of today runs with the program of next year.
"""

from app.store.run import Run
from app.values.run_spec import net_title


def script(run: Run) -> str:
    """A Python program that repeats the run; of one that was trained elsewhere, one that enters it into a store."""
    title = f"{run.id}: {net_title(run.spec.net)} on {run.spec.data}"
    return (IMPORT if run.origin == "imported" else REPEAT).replace("ABOUT", title)


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

from app.api import RunSpec, StepMeasured, from_json, load_for, load_settings, train

here = Path(__file__).resolve().parent
spec = RunSpec.model_validate_json((here / "spec.json").read_text(encoding="utf-8"))
with (here / "events.csv").open(encoding="utf-8") as file:
    then = {{row["step"]: row["loss"] for row in csv.DictReader(file)}}
until = int(sys.argv[1]) if len(sys.argv) > 1 else None
cut = here / "cuts.json"
cuts = from_json(cut.read_text(encoding="utf-8")) if cut.exists() else []
for event in train(spec, load_for(spec, load_settings(), spec.device), here / "repeated", until=until, cuts=cuts):
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

from app.api import RunSpec, load_settings, open_store, receive

here = Path(__file__).resolve().parent
spec = RunSpec.model_validate_json((here / "spec.json").read_text(encoding="utf-8"))
settings = load_settings()
store = open_store(settings)
run = store.runs.new_id(spec)
events = receive(here / "weights.safetensors", spec, store.weights.folder(run), settings=settings)
store.enter_import(run, "", spec, events)
for result in store.events.epochs(run):
    print(f"{{run}}: error {{result.test_error:.2f}}% on {{result.test_images}} test images")
'''


def readme(run: Run, step: int | None, cut: bool) -> str:
    """What each of the files is. `step`: of the weights, None where none were kept."""
    weights = "none were kept" if step is None else f"after {step} updates; `safetensors.torch.load_file`"
    row = "| `cuts.json` | which blocks were cut while it trained, and from which step on |\n" if cut else ""
    return f"""\
# {run.name}

Run `{run.id}`: {run.spec.title}, {run.status} after {run.step} steps.

| file | what is in it |
| --- | --- |
| `weights.safetensors` | {weights} |
| `net.py` | the net as a program of its own; needs only torch; these weights load into it |
| `events.csv` | a row a step: seed, loss, error (%), learning rate, seconds, test error, gradient norms by layer |
| `events.parquet` | the same table, for pandas and its like |
| `spec.json` | net, data, recipe, seed, normalisation: all that decides the run |
{row}| `repeat.py` | the run once more, with ResNet Explorer |
"""
