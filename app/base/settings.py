"""Settings: each from the environment, else from a file, else as the mode has it, else the default.

`RESNET_EXPLORER_WORKERS=3` in the environment is `workers = 3` in the file. The file is the one that
RESNET_EXPLORER_CONFIG names, or `resnet-explorer.toml` in the folder of the store.
"""

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from app.base.machine import share

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "assets"
PREFIX = "RESNET_EXPLORER_"
CONFIG = f"{PREFIX}CONFIG"
FILE = "resnet-explorer.toml"
FOLDERS = ("data", "store")
SECRETS = ("teacher_key", "metrics_key")
SOURCE = r"('self'|'none'|https?://[A-Za-z0-9*.:-]+)"
PROXY = r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?"
HOST = r"(\*\.)?[A-Za-z0-9.:\[\]_-]+"
# What text of a certain form is, in words.
FORMS = {
    "frame_ancestors": "'self', 'none', or addresses such as https://*.example.org, with spaces between",
    "allowed_hosts": "names such as example.org or *.example.org, with commas between",
    "trusted_proxies": "* or addresses and networks such as 10.0.0.0/8, with commas between",
    "weights_url": "an address that begins with http:// or https://",
}

Mode = Literal["local", "class", "demo"]
Others = Literal["change", "see", "hide"]
Logs = Literal["text", "json"]

# What a mode changes of the defaults. Any single setting overrides it.
MODES: dict[Mode, dict[str, Any]] = {
    "local": {},
    "class": {
        "others": "see",
        "logs": "json",
        "max_sessions": 120,
        "uploads_mb": 1_000,
        "session_training": 2,
        "session_runs": 12,
        "queue_runs": 400,
        "abandoned_minutes": 30,
        "max_disk_mb": 20_000,
        "max_epochs": 40,
        "max_minutes": 60,
        "max_parameters": 10_000_000,
        "upload_megapixels": 1_000,
    },
    "demo": {
        "others": "hide",
        "logs": "json",
        "max_sessions": 60,
        "address_sessions": 20,
        "uploads_mb": 40,
        "session_training": 1,
        "session_runs": 4,
        "queue_runs": 24,
        "abandoned_minutes": 5,
        "forget_minutes": 60,
        "max_disk_mb": 2_000,
        "max_epochs": 8,
        "max_images": 10_000,
        "max_minutes": 10,
        "max_parameters": 1_000_000,
        "upload_mb": 10,
        "upload_megapixels": 200,
    },
}
MODE_TITLES: dict[Mode, str] = {
    "local": "one person: no limits but those of the machine",
    "class": "a gallery that all see, in which each changes their own runs; a key for the teacher",
    "demo": "a public address: small budgets, and each sees their own runs only",
}


class Settings(BaseModel):
    """Where things are kept, how much may run at once, and what one browser may ask for. A limit of 0: none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: Mode = Field(default="local", description="a set of defaults: for one person, a class, or a public address")
    data: Path = Field(default=ROOT / "data", description="where torchvision's data sets live or are downloaded to")
    store: Path = Field(default=ROOT / "store", description="runs, weights, results; a local disk")
    scheduler: str = Field(default="", description="a Dask scheduler's address; empty: workers on this machine")
    workers: int = Field(
        default=0, ge=0, le=64, description="runs at once; 0: two, or one where the process may use a single core"
    )
    max_steps: int = Field(default=200_000, ge=1, description="longest run that may be asked for, in steps")
    max_epochs: int = Field(default=0, ge=0, description="longest run that may be asked for, in epochs; 0: no limit")
    max_images: int = Field(default=0, ge=0, description="training images that a run may use; 0: no limit")
    max_minutes: int = Field(
        default=0,
        ge=0,
        description="longest run, in minutes of training: refused if foreseen, else cancelled; 0: no limit",
    )
    max_parameters: int = Field(default=100_000_000, ge=1, description="largest net that may be trained")
    upload_mb: int = Field(default=50, ge=1, le=1000, description="largest zip that may be uploaded, in MB")
    upload_megapixels: int = Field(
        default=5_000, ge=1, description="pixels of all images of a zip, in millions, that are decoded"
    )
    uploads_mb: int = Field(
        default=0,
        ge=0,
        description="files that all pages have sent and hold, in MB; 0: no limit",
    )
    max_sessions: int = Field(default=0, ge=0, description="pages open at once; 0: no limit")
    address_sessions: int = Field(
        default=0, ge=0, description="pages of one address (IPv6: of one network) that are open at once; 0: no limit"
    )
    session_training: int = Field(
        default=0, ge=0, description="runs of one browser that train at once, its others wait; 0: no limit"
    )
    session_runs: int = Field(
        default=0, ge=0, description="runs of one browser that wait or train, more are refused; 0: no limit"
    )
    queue_runs: int = Field(
        default=0, ge=0, description="runs of all browsers that wait or train, more are refused; 0: no limit"
    )
    abandoned_minutes: int = Field(
        default=0,
        ge=0,
        description="after so long without its browser a run pauses, and own pictures go; 0: never",
    )
    forget_minutes: int = Field(
        default=0, ge=0, description="after so long all that a gone browser trained or sent is deleted; 0: it is kept"
    )
    max_disk_mb: int = Field(
        default=0, ge=0, description="size of the store, in MB, beyond which nothing new is taken; 0: no limit"
    )
    others: Others = Field(default="change", description="what a browser may do with the runs of others")
    teacher_key: SecretStr | None = Field(
        default=None, min_length=8, description="opens the page Class in the mode class; empty: it stays shut"
    )
    frame_ancestors: str = Field(
        default="'self'", pattern=rf"^{SOURCE}( {SOURCE})*$", description="sites that may show the app inside a page"
    )
    allowed_hosts: str = Field(
        default="",
        pattern=rf"^({HOST}(, *{HOST})*)?$",
        description="names that the server answers to, apart from this machine's own; empty: in `local` none, else any",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1, ::1",
        pattern=rf"^(\*|{PROXY}(, *{PROXY})*)$",
        description="proxies whose word is taken for the address, protocol and name that were asked from and for",
    )
    metrics_key: SecretStr | None = Field(
        default=None, min_length=8, description="the bearer token of /metrics; empty: it answers this machine only"
    )

    logs: Logs = Field(default="text", description="a line of the log: for people, or JSON for machines")

    @model_validator(mode="before")
    @classmethod
    def _of_the_mode(cls, given: Any) -> Any:
        """Fill in what the mode sets and nobody else does."""
        return {**_of_mode(given.get("mode", "local")), **given} if isinstance(given, dict) else given

    weights_url: str = Field(
        default="",
        pattern=r"^(https?://.*)?$",
        description="where torchvision's weights are fetched from; empty: where torchvision has them",
    )

    @property
    def for_workers(self) -> Self:
        """Without what no worker needs to know."""
        return self.model_copy(update=dict.fromkeys(SECRETS))

    @property
    def runs_at_once(self) -> int:
        """Training workers of the embedded engine."""
        return self.workers or min(2, share().cores)


def load() -> Settings:
    """The settings of this process. Raises ValueError: all that is wrong, and what is allowed, on one line."""
    return read()[0]


def read() -> tuple[Settings, dict[str, str]]:
    """The settings, and where each comes from: environment, the file's name, its mode, or default."""
    wrong: list[str] = []
    environment: dict[str, Any] = {
        name: text for name in Settings.model_fields if (text := os.environ.get(variable(name)))
    }
    path = _file(_folder(environment.get("store") or Settings.model_fields["store"].default, Path.cwd()), wrong)
    file = _told(path, wrong)
    values = {**file, **environment}
    of_mode = _of_mode(values.get("mode", "local"))

    def source(name: str) -> str:
        if name in environment:
            return "environment"
        if path is not None and name in file:
            return path.name
        return f"mode {values['mode']}" if name in of_mode else "default"

    for name in FOLDERS:
        if isinstance(values.get(name), str):
            values[name] = _folder(values[name], path.parent if path and name not in environment else Path.cwd())
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for problem in error.errors():
            name = str(problem["loc"][0])
            where = variable(name) if name in environment else f"{source(name)}: {name}"
            given = "" if name in SECRETS else f"={problem['input']!r}"
            wrong.append(f"{where}{given}: {allowed(name)} is meant")
    if wrong:
        raise ValueError("; ".join(wrong))
    return settings, {name: source(name) for name in Settings.model_fields}


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def allowed(name: str) -> str:
    """What a setting may be, in words."""
    field = Settings.model_fields[name]
    rules = {
        rule: value
        for rule in ("ge", "le", "min_length")
        for limit in field.metadata
        if (value := getattr(limit, rule, None)) is not None
    }
    if choices := [choice for choice in get_args(field.annotation) if isinstance(choice, str)]:
        return f"one of {', '.join(choices)}"
    if field.annotation is int:
        low, high = rules["ge"], rules.get("le")
        return f"a whole number, {low} or more" if high is None else f"a whole number from {low:,} to {high:,}"
    if "min_length" in rules:
        return f"text of at least {rules['min_length']} characters"
    return "a folder" if name in FOLDERS else FORMS.get(name, "text")


def shown(settings: Settings, name: str) -> Any:
    """A setting's value for people and for JSON; of a secret only whether it is set."""
    value = getattr(settings, name)
    if name in SECRETS:
        return "set" if value else ""
    return str(value) if name in FOLDERS else value


def _of_mode(mode: object) -> dict[str, Any]:
    return next((defaults for name, defaults in MODES.items() if name == mode), {})


# ── the file ──


def _file(store: Path, wrong: list[str]) -> Path | None:
    """The file to read, if there is one."""
    if named := os.environ.get(CONFIG):
        path = _folder(named, Path.cwd())
        if path.is_file():
            return path
        wrong.append(f"{CONFIG}={named!r}: there is no such file")
        return None
    path = store / FILE
    return path if path.is_file() else None


def _told(path: Path | None, wrong: list[str]) -> dict[str, Any]:
    """What the file sets; what is wrong with it is appended."""
    if path is None:
        return {}
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        wrong.append(f"{path.name} cannot be read: {' '.join(str(error).split())}")
        return {}
    for name in told.keys() - Settings.model_fields.keys():
        near = difflib.get_close_matches(name, Settings.model_fields, n=1)
        said = f"did you mean {near[0]}?" if near else f"settings are {', '.join(Settings.model_fields)}"
        wrong.append(f"{path.name}: there is no setting {name[:60]!r}; {said}")
    if "store" in told and not os.environ.get(CONFIG):
        wrong.append(f"{path.name}: a file in the store's folder cannot name the store; set {variable('store')}")
    return {name: value for name, value in told.items() if name in Settings.model_fields}


def _folder(text: str | Path, beside: Path) -> Path:
    return (beside / Path(text).expanduser()).resolve()
