"""Big nets that torchvision trained on ImageNet: their weights are fetched once a server, checked, and imported.

A file's name ends with the first eight digits of its SHA-256 (torchvision's way, `torch.hub`). What arrives is then
read as any weights from elsewhere are: nothing in it is executed.
"""

import hashlib
import shutil
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path

from app.base.settings import Settings
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import Visitor
from app.store.files.staging import arriving
from app.store.run import Run
from app.values.datasets import IMAGENET
from app.values.run_spec import RunSpec, imported
from models.spec import NetSpec

SILENCE_SECONDS = 30.0  # a server that sends nothing for so long is given up
CHUNK = 1 << 18


@dataclass(frozen=True)
class Pretrained:
    """One of torchvision's. `error`: percent of ImageNet's validation images, one crop each, as torchvision says."""

    title: str
    net: str
    file: str
    size: int  # bytes
    error: float

    @property
    def model(self) -> str:
        """Its name in torchvision."""
        return self.file.partition("-")[0]

    @property
    def spec(self) -> RunSpec:
        """What it becomes here."""
        net = NetSpec.parse(self.net).fitted(IMAGENET.channels, IMAGENET.classes)
        return imported(net, IMAGENET.name, None)

    def became(self, run: Run) -> bool:
        """True for the run that it was made here, for everybody; one that a visitor calls by its name is theirs."""
        return not run.owner and run.origin == "imported" and run.name == self.title and run.spec == self.spec


BIG_NETS = (
    Pretrained("ResNet-18", "imagenet-resnet-18", "resnet18-f37072fd.pth", 46_830_571, 30.242),
    Pretrained("ResNet-34", "imagenet-resnet-34", "resnet34-b627a593.pth", 87_319_819, 26.686),
    Pretrained("ResNet-50", "imagenet-resnet-50-v1.5", "resnet50-0676ba61.pth", 102_530_333, 23.87),
    Pretrained("VGG-16", "imagenet-vgg-16", "vgg16-397923af.pth", 553_433_881, 28.408),
)


@dataclass(frozen=True)
class Fetching:
    """How far it is, in bytes; `owner`: who wanted it; `trouble`: why it ended without a net; `stopping`: no more."""

    done: int = 0
    owner: str = ""
    trouble: str = ""
    stopping: bool = False


class Stopped(Exception):  # noqa: N818  nothing is wrong
    """Somebody stopped the download."""


class FetchError(Exception):
    """Weights that could not be had. The message is for people."""


class Fetcher:
    """One download a net at a time, however many sessions ask. Everything public may be called from any thread.

    `take` is given the file, what it is, its title and its size, and makes a run of it or raises ValueError. `locate`
    says where torchvision has a model's weights, where the settings name no other place. `may_end(owner, visitor)`: of
    a download that an owner began.
    """

    def __init__(
        self,
        settings: Settings,
        take: Callable[[Path, RunSpec, str, int], object],
        locate: Callable[[str], str],
        may_end: Callable[[str, Visitor], bool],
    ) -> None:
        self._settings, self._take, self._locate, self._may_end = settings, take, locate, may_end
        self._lock = threading.Lock()
        self._known: dict[str, Fetching] = {}

    def state(self, wanted: Pretrained) -> Fetching | None:
        """None where nobody has asked, or where it has become a run."""
        return self._known.get(wanted.file)

    def begin(self, wanted: Pretrained, by: Visitor) -> None:
        """Fetch it, unless that is under way."""
        with self._lock:
            known = self._known.get(wanted.file)
            if known is not None and not known.trouble:
                return
            self._known[wanted.file] = Fetching(owner=by.owner)
        # A daemon: a server that never answers must not keep this process from ending.
        threading.Thread(target=self._run, args=(wanted,), name=f"fetch {wanted.title}", daemon=True).start()

    def may_stop(self, wanted: Pretrained, by: Visitor) -> bool:
        """True if a download under way is theirs to give up."""
        known = self._known.get(wanted.file)
        return known is not None and not known.trouble and self._may_end(known.owner, by)

    def stop(self, wanted: Pretrained, by: Visitor) -> None:
        """Give a download up; what has arrived whole still becomes a run. Raises RefusedError: another began it."""
        with self._lock:
            known = self._known.get(wanted.file)
            if known is not None and not known.trouble:
                if not self._may_end(known.owner, by):
                    raise RefusedError(f"somebody else is fetching {wanted.title}: it is for all of you", "others")
                self._known[wanted.file] = replace(known, stopping=True)

    def _run(self, wanted: Pretrained) -> None:
        def progress(done: int) -> None:
            with self._lock:
                known = self._known[wanted.file]
                if known.stopping:
                    raise Stopped
                self._known[wanted.file] = replace(known, done=done)

        try:
            with arriving(self._settings.store) as folder:
                place = self._settings.weights_url
                url = f"{place}/{wanted.file}" if place else self._locate(wanted.model)
                file = fetch(wanted, url, by_hand(wanted, self._settings), folder, progress)
                self._take(file, wanted.spec, wanted.title, wanted.size + CHUNK)
        except Stopped:
            del self._known[wanted.file]
        except (FetchError, ValueError, OSError, TimeoutError) as error:
            self._known[wanted.file] = Fetching(trouble=str(error) or "No worker answered: try again.")
        else:
            del self._known[wanted.file]


def by_hand(wanted: Pretrained, settings: Settings) -> Path:
    """Where a file lies that somebody brought, who could download it elsewhere."""
    return settings.data / "weights" / wanted.file


def fetch(wanted: Pretrained, url: str, brought: Path, folder: Path, progress: Callable[[int], None]) -> Path:
    """The whole file, its checksum right: one brought by hand, or downloaded into `folder`. Raises FetchError."""
    part = folder / wanted.file
    try:
        if brought.is_file():
            shutil.copyfile(brought, part)
        else:
            _download(url, part, wanted.size, progress)
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        reason = getattr(reason, "strerror", None) or reason
        raise FetchError(
            f"{wanted.title}'s weights could not be downloaded ({str(reason)[:200]}). Nothing was lost: "
            f"the bundled images and the nets trained here work offline. Try again later, or put the file "
            f"{url} into {brought.parent} by hand and press the button again."
        ) from error
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not digest.startswith(wanted.file.removesuffix(".pth").rpartition("-")[2]):
        where = f"Remove {brought}, and" if brought.is_file() else "Nothing of it was kept:"
        raise FetchError(f"{wanted.title}'s weights arrived damaged (their checksum is wrong). {where} try again.")
    return part


def _download(url: str, part: Path, size: int, progress: Callable[[int], None]) -> None:
    done = 0
    with urllib.request.urlopen(url, timeout=SILENCE_SECONDS) as answer, part.open("wb") as file:
        while chunk := answer.read(CHUNK):
            done += len(chunk)
            if done > size + CHUNK:
                raise ValueError(f"the server sends more than the {size / 1e6:,.0f} MB that it should")
            file.write(chunk)
            progress(done)
    if done < size - CHUNK:
        raise ValueError(f"the connection ended after {done / 1e6:,.0f} of {size / 1e6:,.0f} MB")
