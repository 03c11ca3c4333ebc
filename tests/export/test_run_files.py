"""What is taken away is what was measured, and is enough to have it again."""

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from pyarrow.parquet import read_table
from safetensors.torch import load_file
from typer.testing import CliRunner

from app.base.settings import ROOT, Settings
from app.cli.main import app
from app.data.images import load
from app.export.run_files import events, parquet, write, zipped
from app.store.files.checkpoints import weights_file
from app.store.store import Store
from app.training.checkpoint_import import receive
from app.training.evaluation import evaluate, load_weights
from app.training.loop import train
from app.values.cut_spec import CutSpec
from app.values.events import BlockCut, EpochEvaluated, Event, RunStarted, StepMeasured
from app.values.run_spec import Recipe, RunSpec, imported
from models.nets.net import build
from models.spec import NetSpec

SPEC = RunSpec(
    net=NetSpec.parse("resnet-8:width=4").fitted(1, 10),
    recipe=Recipe(epochs=2, batch=40),
    images=200,
    precision="float32",
    threads=1,
)
FILES = ["weights.safetensors", "events.csv", "events.parquet", "spec.json", "net.py", "repeat.py", "README.md"]


@pytest.fixture
def measured(tmp_path: Path) -> tuple[Store, str, list[Event]]:
    """A store with one finished run of ten steps, and its events."""
    store = Store(tmp_path / "store")
    run = store.runs.create(SPEC).id
    made = list(train(SPEC, load(SPEC.data, Settings(store=tmp_path)), store.weights.folder(run)))
    store.events.record(run, 0, made)
    return store, run, made


def test_events_are_one_row_a_step_with_norms_by_layer(measured: tuple[Store, str, list[Event]]) -> None:
    store, run, made = measured
    rows = list(csv.DictReader(io.StringIO("".join(events(store, store.runs.get(run))))))
    steps = [event for event in made if isinstance(event, StepMeasured)]
    started = next(event for event in made if isinstance(event, RunStarted))
    assert [int(row["step"]) for row in rows] == [event.step for event in steps]
    for row, event in zip(rows, steps, strict=True):
        assert float(row["loss"]) == event.loss
        assert [float(row[layer]) for layer in started.layers] == pytest.approx(event.norms, rel=1e-6)
    assert [row["step"] for row in rows if row["test_error"]] == ["4", "9"]
    assert {row["seed"] for row in rows} == {str(SPEC.seed)}


def test_parquet_is_the_same_table_read_back(measured: tuple[Store, str, list[Event]], tmp_path: Path) -> None:
    store, run, made = measured
    write(store, run, tmp_path / "away")
    table = read_table(tmp_path / "away" / "events.parquet")
    rows = list(csv.DictReader(io.StringIO("".join(events(store, store.runs.get(run))))))
    assert table.column_names == list(rows[0])
    steps = [event for event in made if isinstance(event, StepMeasured)]
    assert table["loss"].to_pylist() == [event.loss for event in steps]
    assert table["head.fc"].to_pylist() == pytest.approx([event.norms[-1] for event in steps], rel=1e-6)
    assert [value for value in table["test_error"].to_pylist() if value is not None] == [
        event.test_error for event in made if isinstance(event, EpochEvaluated)
    ]


def test_parquet_goes_on_beyond_one_portion_of_steps(
    measured: tuple[Store, str, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run, _ = measured
    monkeypatch.setattr("app.export.run_files.CHUNK", 3)
    parquet(store, store.runs.get(run), file := io.BytesIO())
    assert read_table(io.BytesIO(file.getvalue()))["step"].to_pylist() == list(range(10))


@pytest.mark.slow
def test_the_exported_script_repeats_the_same_losses(measured: tuple[Store, str, list[Event]], tmp_path: Path) -> None:
    store, run, made = measured
    folder = tmp_path / "away"
    assert sorted(path.name for path in write(store, run, folder)) == sorted(FILES)
    done = subprocess.run(
        [sys.executable, folder / "repeat.py", "3"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    losses = [event.loss for event in made if isinstance(event, StepMeasured)]
    assert done.stdout.splitlines() == [
        f"step {step}: loss {loss}, then {loss}" for step, loss in enumerate(losses[:3])
    ]


@pytest.mark.slow
def test_the_exported_script_cuts_what_was_cut(measured: tuple[Store, str, list[Event]], tmp_path: Path) -> None:
    store, run, _ = measured
    cut = BlockCut(step=2, cut=CutSpec.parse("1"))
    store.events.record(run, 0, [cut])
    assert "cuts.json" in [path.name for path in write(store, run, tmp_path / "away")]
    done = subprocess.run(
        [sys.executable, tmp_path / "away" / "repeat.py", "4"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    again = train(SPEC, load(SPEC.data, Settings(store=tmp_path)), until=4, cuts=[cut])
    losses = [event.loss for event in again if isinstance(event, StepMeasured)]
    assert [line.split(" loss ")[1].split(",")[0] for line in done.stdout.splitlines()] == [str(one) for one in losses]


def test_the_exported_weights_load_into_the_exported_program(
    measured: tuple[Store, str, list[Event]], tmp_path: Path
) -> None:
    store, run, _ = measured
    write(store, run, tmp_path / "away")
    names: dict[str, Any] = {"__name__": "away"}
    exec((tmp_path / "away" / "net.py").read_text(), names)
    theirs = names["Net"]()
    theirs.load_state_dict(load_file(tmp_path / "away" / "weights.safetensors"))
    ours = build(SPEC.net)
    load_weights(ours, weights_file(store.weights.folder(run), 10))
    x = torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(theirs.eval()(x), ours.eval()(x))


def test_a_zip_holds_the_same_files_in_one_folder(measured: tuple[Store, str, list[Event]], tmp_path: Path) -> None:
    store, run, _ = measured
    write(store, run, tmp_path / "away", step=1)
    with zipfile.ZipFile(zipped(store, run, step=1)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{run}/{name}" for name in FILES]
        for name in FILES:
            assert archive.read(f"{run}/{name}") == (tmp_path / "away" / name).read_bytes()


def test_a_moment_that_was_not_kept_is_refused(measured: tuple[Store, str, list[Event]], tmp_path: Path) -> None:
    store, run, _ = measured
    with pytest.raises(ValueError, match="no weights were kept at step 7: 0, 1, 5, 10"):
        write(store, run, tmp_path / "away", step=7)
    assert not (tmp_path / "away").exists()


@pytest.mark.slow
def test_an_import_is_exported_and_its_script_enters_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = imported(SPEC.net, SPEC.data, ((0.3,), (0.3,)))
    store = Store(tmp_path / "store")
    net = build(spec.net, seed=5)
    torch.save(net.state_dict(), tmp_path / "file.pt")
    run = store.runs.new_id(spec)
    store.enter_import(run, "", spec, receive(tmp_path / "file.pt", spec, store.weights.folder(run)))
    write(store, run, tmp_path / "away")
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(tmp_path / "other"))
    done = subprocess.run(
        [sys.executable, tmp_path / "away" / "repeat.py"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    images = load(spec.data, Settings(store=tmp_path))
    mean_and_std = {"mean": (0.3,), "std": (0.3,)}
    expected = evaluate(net, type(images)(**{**vars(images), "info": images.info.model_copy(update=mean_and_std)}))
    assert done.stdout.endswith(f": error {expected.error:.2f}% on 2000 test images\n")


def test_the_command_line_exports_files_or_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["export", "reference-plain-20", "--out", "away", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"run": "reference-plain-20", "files": [f"away/{name}" for name in FILES]}
    done = CliRunner().invoke(app, ["export", "reference-plain-20", "--json"])
    assert json.loads(done.stdout)["files"] == ["reference-plain-20.zip"]
    assert zipfile.is_zipfile("reference-plain-20.zip")
    assert CliRunner().invoke(app, ["export", "nothing"]).exit_code == 2
