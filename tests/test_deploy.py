"""The ready files of deploy/: they parse, and every setting, option, verb and path that they name exists."""

import configparser
import re
import shlex
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from streamlit import config
from typer.testing import CliRunner

from app.base.settings import CONFIG, PREFIX, ROOT, Settings, variable
from app.cli.main import app

DEPLOY = ROOT / "deploy"
FILES = {str(path.relative_to(DEPLOY)): path.read_text("utf-8") for path in DEPLOY.rglob("*") if path.is_file()}
COMPOSE: dict[str, Any] = yaml.safe_load(FILES["compose.yaml"])
ON_A_SERVER = ("Dockerfile", "huggingface/Dockerfile", "resnet-explorer.service")


def unit() -> configparser.ConfigParser:
    """The unit of systemd; of a name that is there several times, all values."""
    lines = FILES["resnet-explorer.service"].splitlines()
    named = [re.sub(r"^Environment=(\w+)=", r"Environment.\1=", line) for line in lines]
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string("\n".join(named))
    return parser


def given() -> Iterator[tuple[str, dict[str, str]]]:
    """The settings that each file gives, by file: those in a Dockerfile, compose, a unit and TOML."""
    for name in ("Dockerfile", "huggingface/Dockerfile"):
        words = shlex.split(FILES[name].replace("\\\n", " "), comments=True)
        yield name, dict(word.split("=", 1) for word in words if word.startswith(PREFIX))
    for name, service in COMPOSE["services"].items():
        yield (
            f"compose: {name}",
            {
                key: re.sub(r"\$\{\w+:-(.*)\}", r"\1", str(value))
                for key, value in service.get("environment", {}).items()
            },
        )
    yield (
        "unit",
        {
            key.partition(".")[2].upper(): value
            for key, value in unit()["Service"].items()
            if key.startswith("environment.")
        },
    )
    yield "streamlit-cloud.toml", tomllib.loads(FILES["streamlit-cloud.toml"])


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name: str) -> None:
    known = {variable(field) for field in Settings.model_fields} | {CONFIG}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", FILES[name])) <= known


@pytest.mark.parametrize(("name", "values"), list(given()))
def test_the_settings_that_a_file_gives_are_valid(name: str, values: dict[str, str]) -> None:
    settings = {
        key.removeprefix(PREFIX).lower(): value for key, value in values.items() if key.startswith(PREFIX) and value
    }
    assert settings or name.startswith("compose"), name
    Settings.model_validate(settings)


@pytest.mark.parametrize("name", ON_A_SERVER)
def test_every_option_of_streamlits_that_is_named_exists_and_so_does_the_script(name: str) -> None:
    options = config.get_config_options()
    said = re.findall(r"--(server\.\w+)", FILES[name])
    by_variable = {"STREAMLIT_" + re.sub(r"(?<!^)(?=[A-Z])", "_", key).replace(".", "_").upper() for key in options}
    assert said
    assert set(said) <= options.keys()
    assert set(re.findall(r"STREAMLIT_[A-Z_]+", FILES[name])) <= by_variable
    assert "app/main.py" in FILES[name]
    assert (ROOT / "app" / "main.py").is_file()


def test_compose_has_a_scheduler_and_workers_and_one_store_for_all() -> None:
    services = COMPOSE["services"]
    commands = [service["command"].split() for service in services.values() if "command" in service]
    for command in commands:
        assert command[:3] == ["python", "-m", "app"]
        asked = CliRunner().invoke(app, [command[3], "--help"])
        assert all(word in asked.output for word in command[4:] if word.startswith("--"))
    assert {command[3] for command in commands} == {"scheduler", "workers"}
    assert len({tuple(service["volumes"]) for service in services.values()}) == 1
    [volume] = services["server"]["volumes"]
    name, path = volume.split(":")
    assert name in COMPOSE["volumes"]
    assert f"VOLUME {path}\n" in FILES["Dockerfile"]
    assert f"{variable('store')}={path}/store" in FILES["Dockerfile"]
    assert services["server"]["environment"][variable("scheduler")].endswith("scheduler:8786")
    assert (ROOT / services["server"]["build"]["dockerfile"]).is_file()
    assert (DEPLOY / services["server"]["build"]["context"]).resolve() == ROOT


def test_nginx_hands_on_the_path_and_the_port_that_the_unit_serves() -> None:
    command = unit()["Service"]["ExecStart"]
    base = re.findall(r"baseUrlPath (\S+)", command)[0]
    port = re.findall(r"server\.port (\S+)", command)[0]
    assert f"location /{base}/ {{" in FILES["nginx.conf"]
    assert f"proxy_pass http://127.0.0.1:{port};" in FILES["nginx.conf"]
    assert "--server.address 127.0.0.1" in command, "nobody passes nginx by"
    body = int(re.findall(r"client_max_body_size (\d+)m", FILES["nginx.conf"])[0])
    assert body > Settings.model_fields["upload_mb"].default


def test_a_failure_is_tried_again_but_neither_for_ever_nor_in_vain() -> None:
    service, about = unit()["Service"], unit()["Unit"]
    assert service["Restart"] == "on-failure"
    assert service["RestartPreventExitStatus"] == "2"
    tries = int(about["StartLimitIntervalSec"]) / int(service["RestartSec"])
    assert int(about["StartLimitBurst"]) < tries, "else the limit is never reached"


def test_a_space_is_a_docker_space_at_the_port_that_is_served() -> None:
    front = yaml.safe_load(FILES["huggingface/README.md"].split("---\n")[1])
    assert front["sdk"] == "docker"
    assert len(front["short_description"]) <= 60
    assert f"--server.port={front['app_port']}" in FILES["huggingface/Dockerfile"]
    assert f"EXPOSE {front['app_port']}\n" in FILES["huggingface/Dockerfile"]


@pytest.mark.parametrize("name", [name for name in FILES if name != "SECURITY.md"])
def test_every_file_says_what_was_not_tried(name: str) -> None:
    assert re.search(r"[Nn]ot tried", FILES[name])
    if name.endswith("Dockerfile"):
        assert "\nUSER resnets\n" in FILES[name]
        assert "COPY . ." in FILES[name]
