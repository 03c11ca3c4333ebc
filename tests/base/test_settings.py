"""Settings by environment, file and mode: read, defaulted, and refused by the name of what is wrong."""

import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.base import settings as settings_module
from app.base.machine import Share
from app.base.settings import (
    CONFIG,
    FILE,
    FOLDERS,
    MODE_TITLES,
    MODES,
    PREFIX,
    ROOT,
    SECRETS,
    Settings,
    load,
    read,
    shown,
    variable,
)
from app.engine.cluster import Cluster
from app.engine.worker import warm_to_answer


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


@pytest.mark.parametrize(("cores", "runs"), [(1, 1), (2, 2), (64, 2)])
def test_two_runs_go_at_once_unless_there_is_but_one_core(
    monkeypatch: pytest.MonkeyPatch, cores: int, runs: int
) -> None:
    monkeypatch.setattr(settings_module, "share", lambda: Share(cores, None))
    assert Settings().runs_at_once == runs
    assert Settings(workers=5).runs_at_once == 5


def write(path: Path, text: str) -> Path:
    """A settings file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_environment_goes_before_file_before_mode_before_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write(tmp_path / FILE, 'mode = "class"\nworkers = 3\nmax_epochs = 7\n')
    monkeypatch.setenv(PREFIX + "STORE", str(tmp_path))
    monkeypatch.setenv(PREFIX + "WORKERS", "4")
    settings, sources = read()
    assert (settings.workers, sources["workers"]) == (4, "environment")
    assert (settings.max_epochs, sources["max_epochs"]) == (7, FILE)
    assert (settings.others, sources["others"]) == (MODES["class"]["others"], "mode class")
    assert (settings.upload_mb, sources["upload_mb"]) == (50, "default")


def test_a_file_that_is_named_may_be_anywhere_and_its_folders_are_beside_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(CONFIG, str(write(tmp_path / "etc" / "room.toml", 'store = "kept"\n')))
    settings, sources = read()
    assert settings.store == tmp_path.resolve() / "etc" / "kept"
    assert sources["store"] == "room.toml"


def test_all_that_is_wrong_is_said_at_once_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    text = 'max_epoch = 3\nupload_mb = 5000\nothers = "eat"\nteacher_key = "secret"\nstore = "x"\nbroom = 1\n'
    write(tmp_path / FILE, text)
    monkeypatch.setenv(PREFIX + "STORE", str(tmp_path))
    monkeypatch.setenv(PREFIX + "MODE", "lesson")
    with pytest.raises(ValueError, match="did you mean max_epochs") as refused:
        load()
    said = str(refused.value)
    for part in (
        f"{PREFIX}MODE='lesson': one of local, class, demo is meant",
        f"{FILE}: upload_mb=5000: a whole number from 1 to 1,000 is meant",
        "others='eat': one of change, see, hide is meant",
        "teacher_key: text of at least 8 characters is meant",
        "cannot name the store",
        "no setting 'broom'; settings are mode, data",
    ):
        assert part in said
    assert "secret" not in said
    assert "\n" not in said


@pytest.mark.parametrize(("text", "why"), [("workers = ", "cannot be read"), ("workers = [1]", "0 to 64 is meant")])
def test_a_broken_file_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, why: str) -> None:
    monkeypatch.setenv(CONFIG, str(write(tmp_path / "a.toml", text)))
    with pytest.raises(ValueError, match=why):
        load()


def test_a_file_that_is_named_and_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CONFIG, str(tmp_path / "none.toml"))
    with pytest.raises(ValueError, match="there is no such file"):
        load()


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown_and_stays_in_the_server(name: str) -> None:
    settings = Settings.model_validate({"mode": "class", name: "open sesame"})
    assert "sesame" not in repr(settings) + str(shown(settings, name)) + settings.model_dump_json()
    assert b"sesame" in pickle.dumps(settings)
    sent: list[bytes] = []
    cluster = object.__new__(Cluster)
    cluster.client = cast(
        Any, SimpleNamespace(status="running", submit=lambda *asked, **_: sent.append(pickle.dumps(asked)))
    )
    cluster._resources = dict  # type: ignore[method-assign]
    cluster.submit("ask", warm_to_answer, settings)
    assert b"sesame" not in sent[0]
    assert pickle.loads(sent[0])[1] == settings.for_workers
    assert {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)} == set(
        SECRETS
    )


@pytest.mark.parametrize(
    ("name", "fine", "wrong"),
    [
        ("frame_ancestors", "'self' https://*.hf.space http://localhost:8080", "'self'; script-src *"),
        ("frame_ancestors", "'none'", "https://a.example\nSet-Cookie: x"),
        ("allowed_hosts", "lab.example.org, *.class.example.org", "http://lab.example.org/"),
        ("allowed_hosts", "lab", "lab example"),
    ],
)
def test_what_goes_into_a_header_has_its_form(
    monkeypatch: pytest.MonkeyPatch, name: str, fine: str, wrong: str
) -> None:
    monkeypatch.setenv(variable(name), fine)
    assert getattr(load(), name) == fine
    monkeypatch.setenv(variable(name), wrong)
    with pytest.raises(ValueError, match=rf"{variable(name)}=.* is meant"):
        load()


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_a_set_of_defaults_that_single_settings_override(mode: str) -> None:
    settings = Settings.model_validate({"mode": mode})
    assert {name: getattr(settings, name) for name in MODES[settings.mode]} == MODES[settings.mode]
    assert Settings.model_validate({"mode": mode, "upload_mb": 3, "max_epochs": 2}).max_epochs == 2
    assert Settings.model_validate(settings.model_dump()) == settings


def test_the_readme_lists_every_setting_and_every_mode_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, field in Settings.model_fields.items():
        value = Path(field.default).name if name in FOLDERS else field.default
        default = "empty" if value in ("", None) else f"`{value}`"
        assert f"| `{name}` | {default} | {field.description} |\n" in readme
    for name in {name for of_mode in MODES.values() for name in of_mode}:
        values = [getattr(Settings.model_validate({"mode": mode}), name) for mode in MODES]
        assert f"| `{name}` | {' | '.join(f'`{value}`' for value in values)} |\n" in readme
    for mode, title in MODE_TITLES.items():
        assert f"- `{mode}`: {title}\n" in readme
