"""Benchmarks: their bookkeeping on made-up figures, and that what is compared computes the same. Never times."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from rich.console import Console

from app.data.images import Images
from app.studies.subnetworks.measurement import sub_networks
from app.training.loop import train
from app.values.datasets import DATASETS
from app.values.events import StepMeasured
from benchmarks.cases import CASES
from benchmarks.nets.convolutions import Convolutions
from benchmarks.nets.engine_step import EngineSteps, paper_run
from benchmarks.nets.paths import separate
from benchmarks.nets.training import LIMIT, USUAL
from benchmarks.nets.usual_loop import UsualLoop, resnet20
from benchmarks.report import records, table
from benchmarks.report.figures import Figure, at_least, at_most, interleaved
from benchmarks.served.sessions import Session
from models.nets.net import build, weight_layers
from tests.support.nets import lively

NOON = datetime(2026, 1, 2, 12)
MACHINE = {"cpu": "Some CPU @ 3 GHz", "cores": 2, "memory_gb": 8.0, "gpu": None, "system": "Linux"}
VERSIONS = {"python": "3.11", "torch": "2.15.0"}


@pytest.fixture
def images() -> Images:
    noise = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=noise)
    labels = torch.randint(0, 10, (64,), generator=noise)
    return Images(DATASETS["cifar-10"], pixels, labels, pixels[:10], labels[:10])


def written(folder: Path, *figures: Figure, now: datetime = NOON, case: str = "training") -> dict[str, object]:
    rows = [records.record(case, figure, "cpu") for figure in figures]
    path = records.write(rows, "cpu", MACHINE, VERSIONS, 0.1, now, folder)
    assert path.name == f"{now:%Y-%m-%d}-some-cpu-3-ghz.json"
    found: dict[str, object] = json.loads(path.read_text())
    return found


# ── figures ──


def test_a_ratio_is_the_median_over_pairs_and_not_the_ratio_of_medians() -> None:
    figure = USUAL.beside([10, 20, 90], [5, 20, 10])  # ratios 2, 1, 9
    assert (figure.value, figure.reference, figure.ratio) == (20, 10, 2)
    assert figure.spread == (1.5, 5.5)


def test_a_target_judges_the_ratio_where_there_is_a_reference() -> None:
    assert USUAL.beside([21], [10]).met("cpu") is True
    assert USUAL.beside([21], [10]).met("cuda") is False


def test_targets_hold_at_their_bounds() -> None:
    assert at_least(2).met(2)
    assert at_most(2).met(2)
    assert not at_least(2).met(1.99)


def test_repetitions_take_turns_in_an_order_that_turns_round() -> None:
    order: list[str] = []

    def contestant(name: str) -> float:
        order.append(name)
        return 0.0

    interleaved({name: partial(contestant, name) for name in "abc"}, 3)
    assert "".join(order) == "abccbaabc"


# ── files and tables ──


def test_a_case_measured_again_replaces_its_figures_and_no_others(tmp_path: Path) -> None:
    written(tmp_path, USUAL.beside([2], [1]))
    written(tmp_path, LIMIT.beside([9], [10]), case="other")
    file = written(tmp_path, USUAL.beside([3], [1]))
    assert isinstance(file["figures"], list)
    assert {figure["name"]: figure["ratio"] for figure in file["figures"]} == {LIMIT.name: 0.9, USUAL.name: 3}


def test_a_file_holds_machine_versions_both_figures_repetitions_and_spread(tmp_path: Path) -> None:
    file = written(tmp_path, USUAL.beside([20, 22], [10, 10], "noise"))
    assert (file["machine"], file["versions"]) == (MACHINE, VERSIONS)
    assert isinstance(file["figures"], list)
    figure = file["figures"][0]
    assert (figure["value"], figure["reference"]) == (21, 10)
    assert (figure["repetitions"], figure["spread"], figure["target"]) == (2, [2.05, 2.15], "≥ 2.1")
    assert (figure["note"], figure["met"]) == ("noise", True)


def test_the_newest_figure_of_each_name_is_shown_whatever_file_it_is_in(tmp_path: Path) -> None:
    written(tmp_path, USUAL.beside([2], [1]), LIMIT.beside([9], [10]))
    written(tmp_path, USUAL.beside([3], [1]), now=datetime(2026, 1, 3))
    _, figures = records.latest("cpu", tmp_path)
    assert (figures[USUAL.name]["ratio"], figures[LIMIT.name]["ratio"]) == (3, 0.9)


def test_the_readme_gets_its_tables_and_keeps_its_words(tmp_path: Path) -> None:
    written(tmp_path, USUAL.beside([2150], [1000]))
    readme = tmp_path / "README.md"
    readme.write_text(f"# Words\n\n{table.BEGIN}\nold\n{table.END}\n\nmore words\n")
    for _ in range(2):  # a second time changes nothing
        table.write_readme(readme, tmp_path)
        text = readme.read_text()
        assert text.startswith("# Words")
        assert text.endswith("more words\n")
        assert "old" not in text
        assert "| 2,150 images/s | 1,000 (DataLoader, PIL, float32) | 2.15 | ≥ 2.1 ✓ | 2.15–2.15 | 1 |" in text
        assert text.count(USUAL.name) == 2


def test_rows_that_need_a_gpu_are_empty_without_one(tmp_path: Path) -> None:
    written(tmp_path, USUAL.beside([2150], [1000]))
    lines = table.markdown("cuda", tmp_path).splitlines()
    assert lines[0] == "Not measured yet."
    assert f"| {USUAL.name} |  |  |  | ≥ 6 |  |  |" in lines


def test_the_table_is_printed_with_what_is_missing() -> None:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table.rich_table([records.record("training", USUAL.beside([20], [10]), "cpu")], CASES, "cpu"))
    text = captured.get()
    assert "≥ 2.1 ✗" in text
    assert all(row.name.split(",")[0] in text for row in table.rows(CASES, "cpu"))


def test_no_two_rows_share_a_name() -> None:
    names = [row.name for case in CASES.values() for row in case.rows]
    assert len(names) == len(set(names))


# ── what is compared ──


def test_the_usual_loop_trains_the_net_that_the_engine_trains() -> None:
    spec = paper_run("cpu", 1)
    ours, theirs = build(spec.net, 0), resnet20()
    shapes = [tuple(parameter.shape) for parameter in ours.parameters()]
    assert [tuple(parameter.shape) for parameter in theirs.parameters()] == shapes
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    x = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(theirs(x), ours(x), rtol=1e-4, atol=1e-4)


def test_a_step_of_the_usual_loop_and_one_of_the_engine_agree(images: Images) -> None:
    plain = paper_run("cpu", 1).recipe.model_copy(update={"augment": False, "batch": 64, "steps": 2})
    spec = paper_run("cpu", 1, recipe=plain, precision="float32")
    events = [event for event in train(spec, images) if isinstance(event, StepMeasured)]
    usual = UsualLoop(images, workers=0, device="cpu", batch=64)
    state = build(spec.net, spec.seed).state_dict()
    usual.net.load_state_dict(dict(zip(usual.net.state_dict(), state.values(), strict=True)))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (images.info.mean, images.info.std))
    for event in events:  # all images are in the batch, so their order does not matter
        loss, error = usual.learn((images.train / 255 - mean) / std, images.train_labels)
        assert loss == pytest.approx(event.loss, rel=1e-3)
        assert error == pytest.approx(event.error, abs=100 / 64)


def test_the_usual_loop_takes_its_batches_from_pil_images(images: Images) -> None:
    usual = UsualLoop(images, workers=0, device="cpu", batch=16)
    loss, error = usual.step()
    assert loss > 0
    assert 0 <= error <= 100


def test_the_limit_makes_every_convolution_of_the_net_and_its_gradients() -> None:
    net = paper_run("cpu", 1).net
    alone = Convolutions(net, 2, "cpu", "float32")
    shapes = [tuple(weight.shape) for weight in weight_layers(build(net)).values() if weight.ndim == 4]
    assert [tuple(weight.shape) for weight in alone.weights] == shapes
    gradients = alone.step()
    assert [tuple(gradient.shape) for gradient in gradients[: len(shapes)]] == shapes
    first = F.conv2d(alone.inputs[0], alone.weights[0], padding=1)
    (expected,) = torch.autograd.grad(first, alone.weights[0], alone.gradients[0])
    torch.testing.assert_close(gradients[0], expected)


def test_the_engine_is_timed_through_the_generator_that_runs_go_through(images: Images) -> None:
    recipe = paper_run("cpu", 1).recipe.model_copy(update={"batch": 8})
    steps = EngineSteps(paper_run("cpu", 1, recipe=recipe), images)
    assert steps.seconds(2) > 0
    following = next(steps.events)
    assert isinstance(following, StepMeasured)
    assert following.step == 2
    assert len(following.norms) == 20


def test_a_session_reads_what_streamlit_sends() -> None:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    session, message = Session("train"), ForwardMsg()
    message.auto_rerun.fragment_id, message.auto_rerun.interval = "f", 1.0
    assert not session.take(message.SerializeToString())
    assert session._fragments == {"f": 1.0}
    message.script_finished = ForwardMsg.FINISHED_SUCCESSFULLY
    assert session.take(message.SerializeToString())


def test_separate_forwards_give_the_errors_of_the_walk() -> None:
    net = lively("resnet-8:width=4")
    noise = torch.Generator().manual_seed(0)
    x, y = torch.randn(120, 3, 8, 8, generator=noise), torch.randint(0, 10, (120,), generator=noise)
    result = sub_networks(net, x, y)
    on_all = (result.chosen_errors + result.errors) / 2  # one half chooses, the other is reported
    assert separate(net, x, y, result.kept) == pytest.approx(on_all.tolist())
