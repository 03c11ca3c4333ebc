"""The command line as a shell meets it: what it prints, where, and with which status."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from app.base.settings import ROOT
from app.cli.shared import print_json
from app.store.files.lock import hold_store
from app.store.files.references import REFERENCES
from app.store.store import Store
from tests.cli.conftest import NARROW, Command
from tests.support.waiting import PATIENCE, until

Printed = Callable[..., Any]
TINY = ["train", "resnet-8:width=4", "--steps", "20", "--images", "640", "--json"]


def environment(store: Path) -> dict[str, str]:
    """Tools and pages may have set others; and a narrow terminal, where a long line would be broken."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RESNET_EXPLORER_")}
    own = {"RESNET_EXPLORER_STORE": str(store), "RESNET_EXPLORER_WORKERS": "1", "COLUMNS": str(NARROW)}
    return {**kept, **own}


def shell(store: Path, *words: str) -> CompletedProcess[str]:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "app", *words]
    return subprocess.run(command, cwd=ROOT, env=environment(store), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def trained(store: Path) -> dict[str, Any]:
    """A run of 20 steps, four epochs long, really trained; all that the process printed is one document."""
    [figures] = json.loads(shell(store, *TINY).stdout)
    return dict(figures)


# ── what it prints ──


def test_describe_counts_resnet_20_as_the_paper_does(printed: Printed) -> None:
    figures = printed("describe", "resnet-20", "--dataset", "cifar-10")
    assert figures == {"params": 269_722, "macs": 40_551_040, "layers": 20, "blocks": 9}


def test_describe_of_an_imagenet_net_needs_no_data_set(printed: Printed) -> None:
    figures = printed("describe", "imagenet-resnet-50")
    assert figures == {"params": 25_557_032, "macs": 3_857_973_248, "layers": 50, "blocks": 16}


def test_describe_knows_data_set_and_width(printed: Printed) -> None:
    grey = printed("describe", "resnet-20", "--dataset", "fashion-mnist-mini")
    assert grey["params"] == 269_722 - 2 * 9 * 16, "two input channels fewer"
    hundred = printed("describe", "resnet-20", "--dataset", "cifar-100")
    assert hundred["params"] == 269_722 + 90 * 65, "90 classes more"
    assert printed("describe", "resnet-20", "--width", "8") == printed("describe", "resnet-20:width=8")


def test_nets_lists_every_name_with_its_size(printed: Printed) -> None:
    listed = {row["net"]: row["params"] for row in printed("nets")}
    assert listed["resnet-110"] == 1_727_962
    assert listed["resnet-1202"] == 19_421_274
    assert {"plain-56", "preact-110", "imagenet-resnet-152"} <= set(listed)


def test_settings_say_their_value_and_where_it_comes_from(printed: Printed, store: Path) -> None:
    rows = {row["name"]: row for row in printed("settings")}
    assert (rows["store"]["value"], rows["store"]["from"]) == (str(store), "environment")
    assert (rows["mode"]["value"], rows["mode"]["from"]) == ("local", "default")
    assert all(row["meaning"] and row["allowed"] for row in rows.values())


def test_without_json_people_read_a_table(cli: Command) -> None:
    done = cli("describe", "resnet-20")
    assert done.returncode == 0
    assert "269,722" in done.stdout
    assert done.stderr == ""


# ── training ──


@pytest.mark.slow
def test_train_trains_and_says_what_came_of_it(trained: dict[str, Any]) -> None:
    assert {"run", "net", "train_error", "test_error", "images_per_second", "status"} <= set(trained)
    assert (trained["net"], trained["status"]) == ("resnet-8", "finished")
    assert 0 < trained["train_error"] < 90
    assert 0 < trained["test_error"] < 90
    assert trained["images_per_second"] > 0


@pytest.mark.slow
def test_a_trained_run_is_in_the_store_with_the_reference_runs(printed: Printed, trained: dict[str, Any]) -> None:
    listed = {row["run"]: row for row in printed("runs")}
    assert len(listed) == 1 + len(REFERENCES)
    assert listed[trained["run"]] == trained | {"step": 20, "total_steps": 20}
    assert all(row["status"] == "finished" for row in listed.values())


def test_the_table_of_runs_says_what_its_training_error_is(cli: Command) -> None:
    assert "train error: mean over the last epoch's batches" in " ".join(cli("runs").stdout.split())


@pytest.mark.slow
def test_evaluate_finds_the_test_error_that_training_found(printed: Printed, trained: dict[str, Any]) -> None:
    figures = printed("evaluate", trained["run"])
    assert set(figures) == {"run", "error", "loss", "images"}
    assert (figures["run"], figures["images"]) == (trained["run"], 2000)
    # Training may compute in bfloat16: an image or two of 2000 may fall otherwise.
    assert figures["error"] == pytest.approx(trained["test_error"], abs=0.5)


def test_evaluate_takes_the_first_images_and_a_kept_moment(printed: Printed) -> None:
    figures = printed("evaluate", "reference-plain-20", "--images", "500")
    assert figures["images"] == 500
    assert 0 < figures["error"] < 50
    beginning = printed("evaluate", "reference-plain-20", "--images", "500", "--step", "0")
    assert beginning["error"] > 80, "ten classes, and nothing learnt yet"


@pytest.mark.slow
def test_a_run_that_diverges_is_told_in_json_that_any_reader_takes(printed: Printed) -> None:
    words = ["train", "resnet-20:width=4:norm=none", "--lr", "10", "--steps", "20", "--images", "640"]
    [figures] = printed(*words)
    assert figures["status"] == "diverged"
    assert "not finite" in figures["message"]


def test_json_has_no_word_for_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"loss": float("nan"), "error": float("inf"), "images": 5}])
    printed = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert printed == [{"loss": None, "error": None, "images": 5}]


@pytest.mark.slow
def test_ctrl_c_stops_with_a_sentence_and_the_run_goes_on_later(tmp_path: Path) -> None:
    words = ["train", "resnet-8:width=4", "--steps", "3000"]
    command = [sys.executable, "-m", "app", *words]
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would ours
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(tmp_path),
        start_new_session=True,
        text=True,
        stderr=subprocess.PIPE,
    )
    until(lambda: process.poll() is not None or _steps(tmp_path), "the first step")
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "go on when an engine starts again" in " ".join(said.split())
    [run] = [run for run in Store(tmp_path).runs.all() if run.origin == "trained"]
    assert run.active
    assert run.step > 0
    hold_store(tmp_path).release()  # nobody holds it any more


@pytest.mark.slow
def test_a_data_set_that_cannot_be_fetched_fails_its_run_with_a_sentence(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    words = ["train", "resnet-8:width=4", "--dataset", "cifar-100", "--steps", "1", "--json"]
    done = cli(*words, store=tmp_path)
    assert done.returncode == 1
    [run] = json.loads(done.stdout)
    assert "could not be downloaded" in run["message"]


def _steps(folder: Path) -> int:
    if not (folder / "store.sqlite").exists():
        return 0
    store = Store(folder)
    try:
        return max((run.step for run in store.runs.all() if run.origin == "trained"), default=0)
    finally:
        store.close()


# ── bad input ──


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("describe lenet-5", "unknown net"),
        ("describe resnet-21", "the nearest are 20 and 26"),
        ("describe resnet-20:colour=red", "unknown setting"),
        ("describe resnet-20 --dataset cifar-11", "unknown data set"),
        ("describe resnet-20 --dataset ../../etc", "unknown data set"),
        ("describe resnet-20 --width -3", "width"),
        ("describe resnet-20 --width wide", "--width"),
        ("describe resnet-20 --frobnicate", "--frobnicate"),
        ("describe", "NET"),
        ("evaluate no-such-run --json", "no-such-run"),
        ("frobnicate", "frobnicate"),
        ("train resnet-8 --recipe slow", "unknown recipe"),
        ("train resnet-8 --steps -5", "steps"),
        ("train resnet-8 --epochs 0", "epochs"),
        ("train resnet-8 --lr -0.1", "lr"),
        ("train resnet-8 --lr nan", "lr"),
        ("train resnet-8 --batch 1", "batch"),
        ("train resnet-8 --images -1", "images"),
        ("train resnet-8 --seed -1", "seed"),
        ("train resnet-8 --device tpu", "device"),
        ("train resnet-8 --dataset own-000000000000", "data set"),
        ("train", "NET"),
        ("evaluate no-such-run", "there is no run"),
        ("evaluate reference-plain-20 --step 5", "no weights were kept at step 5"),
        ("evaluate reference-plain-20 --step -1", "--step"),
        ("evaluate reference-plain-20 --images 0", "--images"),
        ("evaluate reference-plain-20 --images -7", "--images"),
    ],
)
def test_bad_input_is_status_2_and_one_line(cli: Command, words: str, said: str) -> None:
    refused(cli(*words.split()), said)


@pytest.mark.slow
def test_a_shell_sees_the_same(store: Path) -> None:
    refused(shell(store, "describe", "lenet-5"), "lenet-5")


def refused(done: CompletedProcess[str], said: str) -> None:
    """Status 2, nothing on stdout, one line on stderr."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert said in done.stderr


def test_markup_in_a_name_is_printed_as_it_is(cli: Command) -> None:
    refused(cli("describe", "[bold]x[/bold]"), "[bold]x[/bold]")


def test_more_steps_than_this_machine_takes_are_refused(cli: Command) -> None:
    refused(cli("train", "resnet-8:width=4", "--steps", "900000"), "200,000")


def test_a_setting_of_the_environment_that_is_wrong_is_named(cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_UPLOAD_MB", "many")
    refused(cli("runs"), "RESNET_EXPLORER_UPLOAD_MB")


def test_train_while_another_engine_holds_the_store_is_refused(cli: Command, tmp_path: Path) -> None:
    held = hold_store(tmp_path)
    refused(cli(*TINY, store=tmp_path), "another server, or a training command, is using the store")
    held.release()


def test_a_store_that_cannot_be_a_folder_is_refused(cli: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(cli("runs", store=tmp_path / "file"), "file")
