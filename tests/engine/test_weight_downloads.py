"""torchvision's weights from a server of the test's own: whole, damaged, too long, broken off, or not there."""

import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision.models

from app.analysis.answering import answer
from app.analysis.subject import Subject
from app.base.settings import Settings
from app.data.images import load_for, prepare
from app.data.pictures import to_text
from app.engine.policy.limits import RefusedError
from app.engine.policy.visitor import Visitor
from app.engine.weight_downloads import BIG_NETS, CHUNK, Fetcher, FetchError, Pretrained, by_hand, fetch
from app.engine.worker import weights_url
from app.studies.attributions.questions import Attribution, AttributionQuestion
from app.studies.cuts.questions import CutQuestion
from app.studies.features.questions import (
    DepthQuestion,
    DepthRead,
    FeatureMaps,
    FeaturesQuestion,
    Kernels,
    KernelsQuestion,
)
from app.training.checkpoint_import import receive
from app.training.evaluation import on_arrival
from app.values.datasets import IMAGENET, DataError
from app.values.run_spec import RunSpec
from models.plan import plan


class Silent(SimpleHTTPRequestHandler):
    """Says nothing of what it serves."""

    def log_message(self, *_: object) -> None:
        """Nothing on the test's output."""


WANTS, OTHER = Visitor("wants it"), Visitor("another")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, Settings]]:
    """A folder that is served, and settings that fetch from there."""
    folder = tmp_path / "served"
    for name in ("served", "store", "data"):
        (tmp_path / name).mkdir()
    server = HTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield folder, Settings(store=tmp_path / "store", data=tmp_path / "data", weights_url=url)
    server.shutdown()
    server.server_close()


def offered(folder: Path, content: bytes) -> Pretrained:
    """A file on the server, under a name with its checksum."""
    wanted = Pretrained(
        "Small", "imagenet-resnet-18", f"s-{hashlib.sha256(content).hexdigest()[:8]}.pth", len(content), 1
    )
    (folder / wanted.file).write_bytes(content)
    return wanted


def arrived(wanted: Pretrained, settings: Settings, folder: Path, told: Callable[[int], None] = lambda _: None) -> Path:
    """The file, from where the settings say."""
    return fetch(wanted, f"{settings.weights_url}/{wanted.file}", by_hand(wanted, settings), folder, told)


@pytest.mark.parametrize("wanted", BIG_NETS, ids=lambda wanted: wanted.title)
def test_the_table_is_torchvision_s(wanted: Pretrained) -> None:
    weights = torchvision.models.get_model_weights(wanted.title.lower().replace("-", "")).IMAGENET1K_V1
    assert weights.url.rpartition("/")[2] == wanted.file
    assert weights_url(wanted.model) == weights.url
    assert wanted.size / 2**20 == pytest.approx(weights.meta["_file_size"], abs=0.001)
    assert 100 - wanted.error == pytest.approx(weights.meta["_metrics"]["ImageNet-1K"]["acc@1"])
    assert plan(wanted.spec.net, IMAGENET.size).params == weights.meta["num_params"]
    assert list(IMAGENET.labels) == weights.meta["categories"]


def test_a_file_arrives_whole_with_its_progress(served: tuple[Path, Settings], tmp_path: Path) -> None:
    folder, settings = served
    content = bytes(range(256)) * 4000
    told: list[int] = []
    file = arrived(offered(folder, content), settings, tmp_path, told.append)
    assert file.read_bytes() == content
    assert told == sorted(told)
    assert told[-1] == len(content)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"x" * 1_000_000, "checksum is wrong"),
        (b"x" * 2_000_000, "sends more than"),
        (b"x" * 100_000, "ended after"),
        (None, "File not found"),
    ],
    ids=["damaged", "too long", "broken off", "not there"],
)
def test_what_is_not_the_file_is_refused_with_a_sentence(
    served: tuple[Path, Settings], tmp_path: Path, sent: bytes | None, said: str
) -> None:
    folder, settings = served
    wanted = offered(folder, b"y" * 1_000_000)
    (folder / wanted.file).unlink() if sent is None else (folder / wanted.file).write_bytes(sent)
    with pytest.raises(FetchError, match=said):
        arrived(wanted, settings, tmp_path)


def test_offline_a_file_brought_by_hand_is_taken(served: tuple[Path, Settings], tmp_path: Path) -> None:
    folder, settings = served
    wanted = offered(folder, b"y" * 1000)
    offline = settings.model_copy(update={"weights_url": "http://127.0.0.1:9"})
    with pytest.raises(FetchError, match=r"work offline.*by hand"):
        arrived(wanted, offline, tmp_path)
    by_hand(wanted, settings).parent.mkdir()
    (folder / wanted.file).rename(by_hand(wanted, settings))
    assert arrived(wanted, offline, tmp_path).read_bytes() == b"y" * 1000
    assert by_hand(wanted, settings).is_file()


def test_many_who_ask_are_one_download_and_trouble_can_be_tried_again(served: tuple[Path, Settings]) -> None:
    folder, settings = served
    wanted = offered(folder, b"z" * 5000)
    taken: list[bytes] = []
    ended = threading.Event()

    def take(file: Path, spec: RunSpec, name: str, _most: int) -> None:
        assert (spec, name) == (wanted.spec, "Small")
        taken.append(file.read_bytes())
        ended.wait(30)
        if len(taken) == 1:
            raise ValueError("the file is a program")

    fetcher = Fetcher(settings, take, lambda _: "", lambda *_: True)
    for _ in range(5):
        fetcher.begin(wanted, WANTS)
    ended.set()
    _until(lambda: bool((state := fetcher.state(wanted)) and state.trouble == "the file is a program"))
    fetcher.begin(wanted, WANTS)
    _until(lambda: fetcher.state(wanted) is None)
    assert taken == [b"z" * 5000] * 2
    assert list(settings.store.iterdir()) == []


def test_a_download_that_is_stopped_leaves_nothing_and_can_be_begun_again(served: tuple[Path, Settings]) -> None:
    folder, settings = served
    wanted = offered(folder, b"z" * 3 * CHUNK)
    taken: list[int] = []
    told = threading.Event()

    def locate(_model: str) -> str:
        told.wait(30)
        return f"{settings.weights_url}/{wanted.file}"

    elsewhere = settings.model_copy(update={"weights_url": ""})
    fetcher = Fetcher(elsewhere, lambda file, *_: taken.append(file.stat().st_size), locate, _is_theirs)
    fetcher.stop(wanted, WANTS)  # nobody has asked for it
    fetcher.begin(wanted, WANTS)
    fetcher.begin(wanted, OTHER)  # it is under way
    with pytest.raises(RefusedError, match="somebody else is fetching"):
        fetcher.stop(wanted, OTHER)
    assert (fetcher.may_stop(wanted, WANTS), fetcher.may_stop(wanted, OTHER)) == (True, False)
    fetcher.stop(wanted, WANTS)
    told.set()
    _until(lambda: fetcher.state(wanted) is None)
    assert (taken, list(settings.store.iterdir())) == ([], [])
    fetcher.begin(wanted, WANTS)
    _until(lambda: fetcher.state(wanted) is None)
    assert taken == [3 * CHUNK]


def _is_theirs(owner: str, by: Visitor) -> bool:
    return owner == by.owner


def _until(true: object) -> None:
    for _ in range(600):
        if true():  # type: ignore[operator]
            return
        threading.Event().wait(0.05)
    raise AssertionError("it never came")


def test_torchvision_s_net_says_the_same_here_and_is_looked_into_with_a_picture_of_one_s_own(
    served: tuple[Path, Settings], tmp_path: Path
) -> None:
    """ResNet-18, its weights random: the logits are torchvision's, and what needs test images says why not."""
    torch.set_num_threads(1)
    folder, settings = served
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18().eval()
    torch.save(theirs.state_dict(), tmp_path / "resnet18.pth")
    wanted = offered(folder, (tmp_path / "resnet18.pth").read_bytes())
    file = arrived(wanted, settings, tmp_path)
    receive(file, wanted.spec, tmp_path / "run", settings=settings)
    assert on_arrival(wanted.spec, tmp_path / "run", settings) == []

    of = Subject(wanted.spec, tmp_path / "run", 0, (), settings)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 224, 224), dtype=np.uint8)
    picture = f"own:{to_text(pixels)}"
    found = answer(FeaturesQuestion(run="r", picture=picture, at="blocks.7"), of)
    assert isinstance(found, FeatureMaps)
    assert found.maps.shape == (4, 512, 7, 7)
    with torch.no_grad():
        x = prepare(torch.from_numpy(pixels)[None], load_for(wanted.spec, settings).info)
        np.testing.assert_allclose(found.probabilities, theirs(x).softmax(1)[0], rtol=1e-4)
    assert isinstance(answer(KernelsQuestion(run="r"), of), Kernels)
    read = answer(DepthQuestion(run="r", picture=picture), of)
    assert isinstance(read, DepthRead)
    np.testing.assert_allclose(read.probabilities[-1], found.probabilities, rtol=1e-4)
    cam = answer(AttributionQuestion(run="r", picture=picture, method="grad-cam", at="blocks.7"), of)
    assert isinstance(cam, Attribution)
    assert cam.values.shape == (224, 224)
    for question in (CutQuestion(run="r"), FeaturesQuestion(run="r"), DepthQuestion(run="r")):
        with pytest.raises(DataError, match="may not be passed on"):
            answer(question, of)
