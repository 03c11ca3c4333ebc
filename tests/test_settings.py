"""Settings by environment: read, defaulted, and refused by the name of the variable that is wrong."""

import os
from pathlib import Path

import pytest

from app.settings import PREFIX, ROOT, Settings, load


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables is set, whatever the machine has."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


def test_without_any_variable_everything_stays_in_the_projects_folder() -> None:
    settings = load()
    assert settings.data == ROOT / "data"
    assert settings.store == ROOT / "store"
    assert settings.scheduler == ""


@pytest.mark.parametrize(
    ("variable", "text", "field", "value"),
    [
        ("SCHEDULER", "tcp://scheduler:8786", "scheduler", "tcp://scheduler:8786"),
        ("WORKERS", "3", "workers", 3),
        ("MAX_STEPS", "1000", "max_steps", 1000),
        ("MAX_PARAMETERS", "5000", "max_parameters", 5000),
        ("UPLOAD_MB", "7", "upload_mb", 7),
    ],
)
def test_a_variable_sets_the_field_of_its_name(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, field: str, value: object
) -> None:
    monkeypatch.setenv(PREFIX + variable, text)
    assert getattr(load(), field) == value


def test_a_relative_folder_is_taken_from_the_working_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PREFIX + "STORE", "here/store")
    assert load().store == tmp_path.resolve() / "here" / "store"


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(PREFIX + "DATA", "~/images")
    assert load().data == tmp_path.resolve() / "images"


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "WORKERS", "")
    assert load().workers == Settings().workers


def test_a_variable_that_is_no_setting_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + "BROWSER", "/usr/bin/chromium")
    assert load() == Settings()


@pytest.mark.parametrize(
    ("variable", "text"),
    [("WORKERS", "many"), ("WORKERS", "-1"), ("WORKERS", "65"), ("MAX_STEPS", "0"), ("UPLOAD_MB", "1e9")],
)
def test_a_wrong_value_is_refused_by_its_variables_name_and_repeated(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str
) -> None:
    monkeypatch.setenv(PREFIX + variable, text)
    with pytest.raises(ValueError, match=PREFIX + variable) as refused:
        load()
    assert repr(text) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("cores", "runs"), [(1, 1), (2, 2), (64, 2), (None, 1)])
def test_two_runs_go_at_once_unless_there_is_but_one_core(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, runs: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert Settings().runs_at_once == runs
    assert Settings(workers=5).runs_at_once == 5


def test_every_setting_says_what_it_is_and_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        assert field.description
        assert f"`{PREFIX}{name.upper()}`" in readme
