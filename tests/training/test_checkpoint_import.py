"""Importing: read safely, kept as a run, evaluated under the normalisation that it was trained with."""

import json
import os
import struct
import zipfile
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from app.base.settings import Settings
from app.cli.main import app
from app.store.files.checkpoints import weights_file
from app.store.store import Store
from app.training.checkpoint_import import read, receive
from app.training.evaluation import evaluate_run
from app.values.events import EpochEvaluated
from app.values.run_spec import IMAGENET, RunSpec, imported, read_normalisation
from models.nets.net import build
from models.plan import plan
from models.spec import NetSpec

torch.set_num_threads(1)

NET = "resnet-8:width=4"
SPEC = imported(NetSpec.parse(NET).fitted(1, 10), "fashion-mnist-mini", None)


class Program:
    """Unpickling it would create a file."""

    def __init__(self, touched: Path) -> None:
        self.touched = touched

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return os.system, (f"touch {self.touched}",)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A checkpoint as a training script leaves it."""
    path = tmp_path / "checkpoint.pt"
    state = {f"module.{name}": value for name, value in build(SPEC.net, seed=4).state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, path)
    return path


@pytest.mark.parametrize("archive", [True, False])
def test_a_pickle_that_would_execute_code_is_refused_and_never_run(archive: bool, tmp_path: Path) -> None:
    touched, path = tmp_path / "touched", tmp_path / "evil.pt"
    state = build(SPEC.net).state_dict()
    torch.save({"state_dict": state, "extra": Program(touched)}, path, _use_new_zipfile_serialization=archive)
    with pytest.raises(ValueError, match=r"is a program: loading it would call (posix|os)\.system"):
        read(path)
    assert not touched.exists()
    torch.load(path, weights_only=False)  # the trap does work
    assert touched.exists()


@pytest.mark.parametrize("archive", [True, False])
def test_both_formats_of_pytorch_and_safetensors_are_read(archive: bool, tmp_path: Path) -> None:
    state = build(SPEC.net, seed=4).state_dict()
    torch.save(state, tmp_path / "one", _use_new_zipfile_serialization=archive)
    save_file(state, tmp_path / "two")
    for name in ("one", "two"):
        content = read(tmp_path / name)
        assert isinstance(content, dict)
        assert all(torch.equal(content[key], value) for key, value in state.items())


@pytest.mark.parametrize("kind", ["archive", "legacy", "safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_file_is_one_sentence(kind: str, part: float, tmp_path: Path) -> None:
    path, state = tmp_path / "file", build(SPEC.net).state_dict()
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=kind == "archive")
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
    with pytest.raises(ValueError, match=r"^the file ") as caught:
        receive(path, SPEC, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"PK\x03\x04 no archive",
        b"\x80\x02}q\x00.",
        b"\x80\x04garbage",
        b"\x89PNG\r\n\x1a\n" + bytes(99),
        struct.pack("<Q", 2**62) + b"{" + bytes(99),
    ],
)
def test_what_is_no_checkpoint_is_one_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^the file [^\n]+$"):
        receive(path, SPEC, tmp_path / "run")


def test_a_file_too_large_is_refused_before_it_is_read(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="are taken"):
        read(file, max_bytes=1000)
    bomb = tmp_path / "bomb.pt"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))
    with pytest.raises(ValueError, match="unpacks to 10 MB"):
        read(bomb, max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("text", "channels", "expected"),
    [
        ("dataset", 3, None),
        ("none", 1, ((0.0,), (1.0,))),
        ("imagenet", 3, IMAGENET),
        ("0.49,0.48,0.45/0.25,0.24,0.26", 3, ((0.49, 0.48, 0.45), (0.25, 0.24, 0.26))),
        ("0.5/0.25", 3, ((0.5,) * 3, (0.25,) * 3)),
    ],
)
def test_a_normalisation_is_read(text: str, channels: int, expected: object) -> None:
    assert read_normalisation(text, channels) == expected


@pytest.mark.parametrize("text", ["imagenet", "0.5", "0.5/", "a/b", "0.1,0.2/0.3", "0.1,0.2/0.3,0.4", "0.5/0", "nan/1"])
def test_a_normalisation_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"normali[sz]"):
        imported(SPEC.net, SPEC.data, read_normalisation(text, 1))


def test_a_run_s_normalisation_survives_json() -> None:
    spec = imported(SPEC.net, SPEC.data, ((0.1,), (0.2,)))
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_right_and_a_wrong_normalisation_differ(file: Path, tmp_path: Path) -> None:
    receive(file, SPEC, tmp_path / "run")
    settings = Settings(store=tmp_path / "store")
    own, same, wrong = (
        evaluate_run(SPEC.model_copy(update={"normalize": normalize}), tmp_path / "run", 0, settings, 50)
        for normalize in (None, ((0.2867,), (0.3540,)), ((0.0,), (1.0,)))
    )
    assert own == same
    assert wrong.loss != pytest.approx(own.loss, rel=1e-3)


def test_an_import_is_a_finished_run_with_one_moment(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    run = store.runs.new_id(SPEC)
    found = store.enter_import(run, "", SPEC, receive(file, SPEC, store.weights.folder(run)))
    assert (found.status, found.origin, found.step, found.total, store.events.moments(run)) == (
        "finished",
        "imported",
        0,
        0,
        [0],
    )
    assert found.started is not None
    assert found.started.layers[0] == "stem.conv"
    assert list(store.events.history(run).series().steps) == []
    kept = load_file(weights_file(store.weights.folder(run), 0))
    assert torch.equal(kept["head.fc.weight"], build(SPEC.net, seed=4).state_dict()["head.fc.weight"])
    store.delete(run)
    assert not store.weights.folder(run).exists()


def test_it_is_evaluated_on_arrival_under_its_own_normalisation(file: Path, tmp_path: Path) -> None:
    settings, store = Settings(store=tmp_path / "store"), Store(tmp_path / "store")
    spec = imported(SPEC.net, SPEC.data, ((0.0,), (1.0,)))
    run = store.runs.new_id(spec)
    folder = store.weights.folder(run)
    store.enter_import(run, "", spec, receive(file, spec, folder, settings=settings))
    expected = evaluate_run(spec, folder, 0, settings)
    [found] = store.events.epochs(run)
    assert (found.test_error, found.test_loss, found.test_images) == (expected.error, expected.loss, 2000)
    history = store.events.history(run)
    assert history.test_error() == expected.error
    assert (history.train_error(), history.images_per_second()) == (None, None)  # nothing was trained here
    assert list(history.series().eval_steps) == [0]


def test_without_its_data_set_it_arrives_unevaluated(tmp_path: Path) -> None:
    spec = imported(NetSpec.parse(NET).fitted(1, 10), "mnist", None)
    save_file(build(spec.net).state_dict(), tmp_path / "file")
    settings = Settings(store=tmp_path / "store", data=tmp_path / "nothing")
    kinds = [event.kind for event in receive(tmp_path / "file", spec, tmp_path / "run", settings=settings)]
    assert kinds == ["started", "checkpoint", "finished"]


def test_a_deep_net_is_evaluated_on_the_first_images(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.training.evaluation.ARRIVAL", 70 * plan(SPEC.net, 28).macs)
    events = receive(file, SPEC, tmp_path / "run", settings=Settings(store=tmp_path / "store"))
    assert [event.test_images for event in events if isinstance(event, EpochEvaluated)] == [70]


def test_the_command_line_imports_and_evaluates(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(tmp_path / "store"))
    options = ["--net", NET, "--dataset", "fashion-mnist-mini", "--normalize", "0.3/0.3"]
    done = CliRunner().invoke(app, ["import", str(file), *options, "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert set(answer) == {"run"}
    done = CliRunner().invoke(app, ["evaluate", answer["run"], "--images", "20", "--json"])
    assert set(json.loads(done.stdout)) == {"run", "error", "loss", "images"}
    done = CliRunner().invoke(app, ["runs", "--json"])
    assert answer["run"] in {run["run"] for run in json.loads(done.stdout)}


@pytest.mark.parametrize(
    "options",
    [
        ["--net", "resnet-14:width=4", "--normalize", "none"],
        ["--net", "nonsense", "--normalize", "none"],
        ["--net", NET, "--normalize", "imagenet"],
        ["--net", NET, "--normalize", "1/2/3"],
    ],
)
def test_bad_input_is_one_line_and_status_2(
    options: list[str], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_STORE", str(tmp_path / "store"))
    done = CliRunner().invoke(app, ["import", str(file), "--dataset", "fashion-mnist-mini", *options, "--json"])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
