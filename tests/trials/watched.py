"""The app served for hostile inputs, and what is looked at after each: its health, its log, all that lies about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from app.base.settings import ROOT
from tests.hostile import SECRET
from tests.hostile.visitor import asked
from tests.support.browser import server

SAID = 100  # letters of a sentence that are printed
# Streamlit's functions that read what the browser says of a widget.
READING = ("deserialize", "get_serialized", "_check_max_selections", "maybe_coerce_enum_sequence")
TEMPORARY = ("dask-", "torchinductor_", ".cache", ".config")  # what workers make for themselves


@dataclass(frozen=True)
class App:
    """The served app; `outside` lies beside its store."""

    address: str
    folder: Path

    @property
    def outside(self) -> Path:
        """Where nothing may change."""
        return self.folder / "outside"


@contextmanager
def served() -> Iterator[App]:
    """The app as a class has it, in a temporary folder, with things beside its store that are none of its business."""
    with TemporaryDirectory(prefix="resnet-explorer-") as name:
        folder = Path(name)
        for part in ("outside/data", "temporary"):
            (folder / part).mkdir(parents=True)
        (folder / "outside" / "secret").write_bytes(SECRET)
        (folder / "canary").write_bytes(SECRET)
        settings = {
            "STORE": str(folder / "store"),
            "DATA": str(folder / "outside" / "data"),
            "MODE": "class",
            "TEACHER_KEY": "a key of many letters",
            "WORKERS": "1",
            "MAX_STEPS": "60",
            "WEIGHTS_URL": "http://127.0.0.1:9",  # nothing is fetched from anywhere
        }
        environment = {f"RESNET_EXPLORER_{key}": value for key, value in settings.items()}
        home = dict.fromkeys(("HOME", "TMPDIR"), str(folder / "temporary"))
        environment["STREAMLIT_LOGGER_ENABLE_RICH"] = "false"  # so that the log can be read
        with server(ROOT / "app" / "main.py", log=folder / "log.txt", **environment, **home) as address:
            yield App(address, folder)


@dataclass
class Watch:
    """What was there when the inputs began, and how far the log has been read."""

    app: App
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    read: int = 0

    def __post_init__(self) -> None:
        self.files = self._listing()

    def wrong(self) -> str:
        """What an input has done that it should not have; empty if nothing."""
        found = []
        status, said = asked(self.app.address, "GET", "/healthz")
        if status != 200:
            found.append(f"/healthz answers {status}: {said.decode(errors='replace')[:SAID]}")
        text = (self.app.folder / "log.txt").read_bytes()
        found += [error for error in _uncaught(text[self.read :].decode(errors="replace")) if _is_ours(error)]
        self.read = len(text)
        now = self._listing()
        if now != self.files:
            names = {name for name, _ in now.items() ^ self.files.items()}
            found.append(f"made, changed or gone: {', '.join(sorted(names))}")
            self.files = now
        return "; ".join(found)

    def _listing(self) -> dict[str, tuple[int, int]]:
        """Everything that is the app's code, or lies beside the store; of the temporary folder the names alone."""
        places = [
            self.app.outside,
            self.app.folder / "canary",
            *(ROOT / room for room in ("app", "models", "pages", "assets")),
        ]
        files = [file for place in places for file in (place, *place.rglob("*")) if file.suffix != ".pyc"]
        about = {
            str(file): (stat.st_mtime_ns, stat.st_size)
            for file in files
            if file.name != "__pycache__" and (stat := file.lstat())
        }
        beside = [file for part in (".", "temporary") for file in (self.app.folder / part).iterdir()]
        return about | {str(file): (0, 0) for file in beside if not file.name.startswith(TEMPORARY)}


def _uncaught(log: str) -> list[str]:
    """The errors that ended a page, as the log has them."""
    return [part[:5000] for part in log.split("Uncaught app execution")[1:]]


def _is_ours(error: str) -> bool:
    """False if Streamlit met it while it read a widget's value that no browser sends: of another type, or too many.

    It then shows that session a box without a trace, and the page's code does not see the value.
    """
    last = max((error.rfind(f'File "{ROOT / room}/') for room in ("app", "pages", "models")), default=-1)
    return last >= 0 and not any(f"in {name}\n" in error[last:] for name in READING)
