"""Addresses, a store and exports of an earlier commit (tests/kept) still open, and show what they showed then."""

import ast
import importlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pyarrow.parquet import read_table
from safetensors.torch import load, load_file

from app.base.settings import ASSETS, ROOT, Settings
from app.engine import process
from app.export.run_files import zipped
from app.store.store import Store
from app.ui.runs.race_form import DEFAULT_NETS, PAIR
from app.values.races import RACES
from models.nets.net import build
from tests.kept import reading
from tests.kept.reading import KEPT, sample
from tests.support.engines import started

RUNS: dict[str, str] = sample("runs.json")
STORE, ADDRESSES = sample("store.json"), sample("addresses.json")
EXPORTED = ("cut", "imported")


def copied(folder: Path) -> Path:
    """The kept store, where it may be written to."""
    shutil.copytree(KEPT / "store", folder / "store")
    return folder / "store"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("kept")
    return Settings(store=copied(folder), data=folder / "data")


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Store]:
    torch.set_num_threads(1)
    opened = Store(settings.store, ASSETS / "reference")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An engine on the kept store, as pages find it."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESNET_EXPLORER_STORE", str(copied(folder)))  # where answers look for an upload
        with started(reading.Quickly, folder, patch):
            yield


@pytest.fixture(scope="module")
def commanded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kept store, for the command line."""
    return copied(tmp_path_factory.mktemp("commanded"))


def same(kept: Any, now: Any, tolerance: float = 1e-5, at: str = "") -> None:
    """All that was kept is there and equal, numbers within a thousandth; there may be more by now."""
    if isinstance(kept, dict):
        assert isinstance(now, dict), at
        for name, value in kept.items():
            assert name in now, f"{at}: no {name} any more"
            same(value, now[name], tolerance, f"{at}/{name}")
    elif isinstance(kept, list):
        assert isinstance(now, list | tuple), at
        assert len(kept) == len(now), f"{at}: {len(now)} values, not {len(kept)}"
        for index, (value, other) in enumerate(zip(kept, now, strict=True)):
            same(value, other, tolerance, f"{at}/{index}")
    elif isinstance(kept, float):
        assert now == pytest.approx(kept, rel=1e-3, abs=tolerance, nan_ok=True), at
    else:
        assert now == kept, at


# ── the store ──


@pytest.mark.parametrize("what", RUNS)
def test_a_kept_run_is_the_run_that_it_was_and_its_weights_are_worth_the_same(
    store: Store, settings: Settings, what: str
) -> None:
    one_image = 100 / reading.IMAGES
    shown = reading.plain(reading.run_shown(store, RUNS[what], settings))
    same(STORE["runs"][what], shown, at=what, tolerance=1.01 * one_image)
    assert shown["steps"] == STORE["runs"][what]["steps"]
    losses = [{step: error["loss"] for step, error in of["errors"].items()} for of in (STORE["runs"][what], shown)]
    same(losses[0], losses[1], at="losses")


def test_the_store_holds_no_other_runs_and_was_not_found_damaged(store: Store) -> None:
    assert sorted(run.id for run in store.runs.all()) == sorted(RUNS.values())
    assert store.notice == ""


@pytest.mark.parametrize("what", STORE["next"])
def test_a_kept_run_goes_on_with_the_loss_that_came_next(tmp_path: Path, what: str) -> None:
    settings = Settings(store=copied(tmp_path), data=tmp_path / "data")
    opened = Store(settings.store)
    same(STORE["next"][what], reading.next_loss(opened, RUNS[what], settings), at=what)
    opened.close()


def test_the_upload_the_nickname_and_the_store_s_own_name_are_there(store: Store) -> None:
    same(STORE["shared"], reading.shared(store))


def test_what_the_teacher_said_to_all_is_said_again(served: None) -> None:
    assert process.engine().message == "Look at block 1."


@pytest.mark.parametrize("kept", STORE["answers"], ids=lambda kept: kept["key"].rpartition("-")[0])
def test_a_kept_answer_is_found_by_its_question_and_unpacks_to_the_same_arrays(
    store: Store, kept: dict[str, Any]
) -> None:
    assert kept["result"] is not None
    if reading.question(kept["question"]).edition == STORE["edition"]:
        same(kept, reading.answer_shown(store, kept["question"]))
    else:  # what is answered is another thing by now: a miss, never an error
        assert reading.answer_shown(store, kept["question"])["result"] is None


@pytest.mark.parametrize("kept", STORE["questions"], ids=lambda kept: kept["question"]["kind"])
def test_every_kind_of_question_has_the_key_that_it_had_in_its_edition(kept: dict[str, Any]) -> None:
    question = reading.question(kept["question"])
    assert (question.key == kept["key"]) == (question.edition == STORE["edition"])


# ── exports ──


@pytest.fixture(params=EXPORTED)
def away(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A kept export, unpacked: its run and its folder."""
    run = RUNS[request.param]
    with zipfile.ZipFile(KEPT / "export" / f"{request.param}.zip") as archive:
        archive.extractall(tmp_path)
    return run, tmp_path / run


def test_an_export_has_the_files_that_it_had(store: Store, away: tuple[str, Path]) -> None:
    run, folder = away
    with zipfile.ZipFile(zipped(store, run)) as archive:
        now = {name.removeprefix(f"{run}/"): archive.read(name) for name in archive.namelist()}
    assert set(now) == {path.name for path in folder.iterdir()}
    for name in now.keys() & {"spec.json", "cuts.json"}:
        assert json.loads(now[name]) == json.loads((folder / name).read_text("utf-8"))
    assert now["weights.safetensors"] == (folder / "weights.safetensors").read_bytes()
    seeds, rest = zip(*(line.split(b",", 1) for line in now["events.csv"].splitlines(keepends=True)), strict=True)
    assert b"".join(rest) == (folder / "events.csv").read_bytes()
    # Since races are run over seeds, the tables begin with the seed; every column that there was is as it was.
    assert set(seeds[1:]) <= {str(store.runs.get(run).spec.seed).encode()}
    table = read_table(io.BytesIO(now["events.parquet"])).drop_columns(["seed"])
    assert table.equals(read_table(folder / "events.parquet"))
    for name in ("net.py", "repeat.py"):
        compile(now[name], name, "exec")


def test_the_exported_program_needs_torch_alone_and_is_the_net_that_it_was(
    store: Store, away: tuple[str, Path]
) -> None:
    run, folder = away
    source = (folder / "net.py").read_text("utf-8")
    assert {module.partition(".")[0] for module, _ in imported(source)} <= {"torch", "math", "collections"}
    names: dict[str, Any] = {"__name__": "away"}
    exec(source, names)
    theirs, ours = names["Net"](), build(store.runs.get(run).spec.net)
    theirs.load_state_dict(load_file(folder / "weights.safetensors"))
    with zipfile.ZipFile(zipped(store, run)) as archive:
        ours.load_state_dict(load(archive.read(f"{run}/weights.safetensors")))
    x = torch.randn(2, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(theirs.eval()(x), ours.eval()(x))


def test_what_an_exported_script_takes_from_the_project_is_still_there(away: tuple[str, Path]) -> None:
    for module, name in imported((away[1] / "repeat.py").read_text("utf-8")):
        assert hasattr(importlib.import_module(module), name or "__name__"), f"{module}.{name}"


def test_an_exported_script_repeats_the_run_s_losses(tmp_path: Path) -> None:
    with zipfile.ZipFile(KEPT / "export" / "cut.zip") as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, tmp_path / RUNS["cut"] / "repeat.py", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    pairs = [line.split(" loss ")[1].split(", then ") for line in done.stdout.splitlines()]
    assert len(pairs) == 2
    assert [float(now) for now, _ in pairs] == pytest.approx([float(then) for _, then in pairs], rel=1e-3)


def imported(source: str) -> list[tuple[str, str]]:
    """Each module that a program imports, and what from it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(str(node.module), alias.name) for alias in node.names]
    return found


# ── addresses ──


def written(query: dict[str, list[str]]) -> str:
    """A query as the address bar has it, about."""
    return "&".join(f"{name}={value}" for name, values in query.items() for value in values)[:60]


@pytest.mark.parametrize("kept", ADDRESSES["pages"], ids=lambda kept: f"{kept['page']}?{written(kept['query'])}")
def test_a_page_at_a_kept_address_shows_what_it_showed(served: None, kept: dict[str, Any]) -> None:
    now = of_today(kept)
    same(now["shows"], reading.page_shown(now["page"], now["query"]))


OLD_RACES = (
    "depth, shallow-deep, shortcuts, orders, one-convolution, gates, dial, activations, normalisation, suspects, "
    "stochastic"
)


def of_today(kept: dict[str, Any]) -> dict[str, Any]:
    """With what was changed since on purpose, each in a decision.

    A study that has another edition has another key: at its old one the button is offered again. There are more races.
    An address that names no net opens with the race of today, and one that names no run with its recording.
    """
    asked = {"kind": "sub-networks", "run": "reference-preact-20", "step": 312}
    text = json.dumps(kept).replace("sub-networks-c791c670c82dcf7d89ba3eeb", reading.question(asked).key)
    now: dict[str, Any] = json.loads(text.replace(OLD_RACES, ", ".join(RACES)))
    old, page = ["plain-56", "resnet-56"], str(now.get("page"))
    shown = {"start": list(PAIR), "train": list(DEFAULT_NETS)}.get(page)
    if shown and now["shows"].get("controls", {}).get("Contestants") == old:
        now["shows"]["controls"]["Contestants"] = list(DEFAULT_NETS)
    for strip in now["shows"].get("strips", []) if shown else []:
        if strip.get("nets") == old:
            strip["nets"] = shown
    return now


@pytest.mark.parametrize("kept", ADDRESSES["shared"], ids=lambda kept: written(kept["query"]))
def test_the_parameters_that_pages_share_are_read_and_written_as_they_were(kept: dict[str, Any]) -> None:
    same(of_today(kept)["shows"], reading.address_shown(kept["query"]))


@pytest.mark.parametrize(
    ("text", "shows", "read"),
    [
        (kept["text"], kept["shows"], read)
        for kind, read in (("nets", reading.net_shown), ("cuts", reading.cut_shown), ("specs", reading.spec_shown))
        for kept in ADDRESSES[kind]
    ],
)
def test_nets_cuts_and_specs_are_spelt_as_they_were(text: str, shows: Any, read: Any) -> None:
    same(shows, read(text))


# ── the command line ──


@pytest.mark.parametrize("kept", sample("commands.json"), ids=lambda kept: kept["command"])
def test_a_command_prints_what_it_printed(
    commanded: Path, monkeypatch: pytest.MonkeyPatch, kept: dict[str, Any]
) -> None:
    printed, prints = reading.command_shown(kept["command"], commanded, monkeypatch), kept["prints"]
    if isinstance(prints, list):  # of nets, runs or settings: there may be more by now
        named = {next(iter(row.values())): row for row in printed}
        prints, printed = {next(iter(row.values())): row for row in prints}, named
    # An image on the border between two classes may fall to the other side of it on another machine.
    studied = kept["command"].startswith(("lesions", "evaluate"))
    same(prints, printed, tolerance=1.01 if studied else 1e-5)
