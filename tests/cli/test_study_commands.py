"""The verbs that analyse a run, as a shell meets them; bundled runs, few images."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app.base.settings import ASSETS
from app.base.settings import load as load_settings
from app.data.images import load, prepare
from app.training.evaluation import load_weights
from app.values.datasets import BUNDLED
from models.nets.net import build, weight_layers
from models.spec import NetSpec
from tests.cli.conftest import Command

RESNET, PLAIN = "reference-resnet-20", "reference-plain-20"


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Nets and batches are small."""
    torch.set_num_threads(1)


@pytest.fixture
def cli(cli: Command) -> Any:
    """A command in one string → its status, stdout and stderr."""

    def run(words: str) -> tuple[int, str, str]:
        done = cli(*words.split())
        return done.returncode, done.stdout, done.stderr

    return run


def answer(cli: Any, words: str) -> Any:
    status, out, err = cli(f"{words} --images 100 --json")
    assert status == 0, err
    return json.loads(out, parse_constant=pytest.fail)


def test_single_lesions_are_one_error_a_block_beside_the_whole_net_s(cli: Any) -> None:
    found = answer(cli, f"lesions {RESNET} --single")
    evaluated = answer(cli, f"evaluate {RESNET}")
    assert found["full"] == pytest.approx(evaluated["error"])
    assert len(found["single"]) == 9
    assert max(found["single"]) > found["full"]
    assert len(found["times_loss"]) == 9
    assert max(found["times_loss"]) > 1
    assert found["step"] == 312


def test_a_removed_block_errs_as_it_does_in_the_study(cli: Any) -> None:
    single = answer(cli, f"lesions {RESNET} --single")["single"]
    found = answer(cli, f"lesions {RESNET} --remove 3")
    assert found["removed"] == [3]
    assert found["error"] == pytest.approx(single[3])
    both = answer(cli, f"lesions {RESNET} --remove 7,3,5:0.5")
    assert (both["removed"], both["cut"]) == ([3, 7], "3,5:0.5,7")
    whole = answer(cli, f"evaluate {RESNET}")
    assert both["times_loss"] == pytest.approx(both["loss"] / whole["loss"], rel=1e-4)
    assert answer(cli, f"lesions {RESNET} --remove 5-4")["error"] != whole["error"], "a swap is one"


@pytest.mark.parametrize("study", ["random", "reorder"])
def test_studies_by_k_are_medians_between_their_bounds_and_repeat_by_seed(cli: Any, study: str) -> None:
    words = f"lesions {RESNET} --{study} 2 --draws 4"
    found = answer(cli, f"{words} --seed 5")
    assert [row["k"] for row in found[study]] == [1, 2]
    assert all(row["times_loss"] > 0 for row in found[study])
    assert all(row["low"] <= row["median"] <= row["high"] and row["draws"] == 4 for row in found[study])
    assert answer(cli, f"{words} --seed 5") == found
    assert answer(cli, f"{words} --seed 6") != found


def test_a_plain_block_that_cannot_be_cut_is_null_in_the_study(cli: Any) -> None:
    single = answer(cli, f"lesions {PLAIN} --single")["single"]
    assert [block for block, error in enumerate(single) if error is None] == [3, 6]


def test_an_earlier_moment_is_another_net(cli: Any) -> None:
    beginning = answer(cli, f"lesions {RESNET} --remove 3 --step 0")
    assert beginning["step"] == 0
    assert beginning["full"] > 60, "ten classes, and nothing learnt yet"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--single", "cannot be cut"),
        ("--random 1 --draws 2", "median"),
        ("--reorder 1", "τ"),
        ("--remove 0", "cut by 0"),
    ],
)
def test_without_json_people_read_it(cli: Any, words: str, said: str) -> None:
    status, out, _ = cli(f"lesions {PLAIN} {words} --images 20")
    assert status == 0
    assert f"{PLAIN} at step 312: the whole net errs on" in " ".join(out.split())
    assert said in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"{PLAIN} --remove 3", "block 3 of plain-20 cannot be cut: 8×28×28 enters, 16×14×14 leaves"),
        (f"{RESNET} --remove 9", "has the blocks 0 to 8, and no block 9"),
        (f"{RESNET} --remove three", "no part of a cut"),
        (f"{RESNET} --remove 3-2", "cannot stand in the place"),
        (f"{RESNET} --remove 3-4", "'3-4' changes nothing: 3,4 cuts blocks 3 and 4, 4-3 swaps them"),
        (f"{RESNET} --remove 7,3-4-5", "'3-4-5' changes nothing"),
        (f"{RESNET} --remove 7,3:1", "'3:1' changes nothing"),
        (f"{RESNET} --remove ,", "'' changes nothing"),
        (f"{RESNET} --random 10", "has 9 blocks that can be cut, not 10"),
        (f"{RESNET} --random 0", "--random"),
        (f"{RESNET} --reorder -1", "--reorder"),
        (f"{RESNET} --single --remove 3", "say which one"),
        (f"{RESNET}", "say which one"),
        (f"{RESNET} --single --step 5", "no weights were kept at step 5"),
        (f"{RESNET} --single --images 0", "--images"),
        ("no-such-run --single", "there is no run"),
    ],
)
def test_bad_input_is_status_2_and_one_line(cli: Any, words: str, said: str) -> None:
    status, out, err = cli(f"lesions {words} --json")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1, err
    assert said in err


# ---- paths ---------------------------------------------------------------------------------------------------------


def test_paths_sum_to_the_gradient_and_are_binomially_many(cli: Any) -> None:
    found = answer(cli, "paths reference-preact-20 --at block:5")
    assert [row["paths"] for row in found["lengths"]] == [1, 4, 6, 4, 1]
    assert [row["branches"] for row in found["lengths"]] == [0, 1, 2, 3, 4]
    assert found["relative_remainder"] < 1e-5
    assert sum(row["norm"] for row in found["lengths"]) >= found["gradient_norm"], "norms cannot cancel"
    for end in (0, -1):  # of these lengths there is one path: single and sum are the same
        assert found["lengths"][end]["sampled_norm"] == pytest.approx(found["lengths"][end]["norm"], rel=1e-4)
    assert (found["at"], found["images"], found["step"]) == ("block:5", 100, 312)


def test_a_plain_net_has_one_path_and_it_carries_the_gradient(cli: Any) -> None:
    found = answer(cli, f"paths {PLAIN} --at block:7")
    [path] = found["lengths"]
    assert (path["branches"], path["paths"]) == (2, 1)
    assert path["norm"] == pytest.approx(found["gradient_norm"], rel=1e-5)


def test_paths_read_by_people(cli: Any) -> None:
    status, out, _ = cli(f"paths {RESNET} --at block:8 --images 4 --step 0")
    assert status == 0
    assert f"{RESNET} at step 0: the gradient at block:8 has norm" in " ".join(out.split())


def test_paths_longer_than_asked_for_are_one_remainder(cli: Any) -> None:
    whole = answer(cli, "paths reference-preact-20 --at block:5")
    found = answer(cli, "paths reference-preact-20 --at block:5 --longest 1")
    assert found["lengths"] == [pytest.approx(row, rel=1e-4) for row in whole["lengths"][:2]]
    assert (found["blocks"], found["gradient_norm"]) == (4, pytest.approx(whole["gradient_norm"]))
    assert found["remainder_norm"] > 0.01 * found["gradient_norm"] > whole["remainder_norm"]
    _, out, _ = cli("paths reference-preact-20 --at block:5 --longest 1 --images 4")
    assert "paths longer than 1 of its 4 branches carry" in " ".join(out.split())


@pytest.mark.parametrize("words", ["--at frog", "--at block:9", "--images 0", "--step 5", "--longest -1"])
def test_paths_of_no_place_are_status_2_and_one_line(cli: Any, words: str) -> None:
    status, out, err = cli(f"paths {RESNET} {words} --json")
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1, err


# ---- gradients -----------------------------------------------------------------------------------------------------


def test_gradients_are_those_of_autograd_at_the_step_asked_for(cli: Any) -> None:
    status, out, err = cli(f"gradients {RESNET} --step 10 --images 16 --json")
    assert status == 0, err
    found = json.loads(out, parse_constant=pytest.fail)
    images = load(BUNDLED, load_settings())
    net = build(NetSpec.parse("resnet-20:width=8").fitted(1, 10))
    load_weights(net, ASSETS / "reference" / RESNET / "0000010.safetensors")
    logits = net.train()(prepare(images.train[:16], images.info))
    torch.nn.functional.cross_entropy(logits, images.train_labels[:16]).backward()
    assert found["step"] == 10
    assert [layer["name"] for layer in found["layers"]] == list(weight_layers(net))
    norms = [float(weight.grad.norm()) for weight in weight_layers(net).values() if weight.grad is not None]
    assert [layer["weight_grad_norm"] for layer in found["layers"]] == pytest.approx(norms, rel=1e-4)
    keys = {"name", "weight_grad_norm", "activation_grad_rms", "on_shortcut"}
    assert all(set(layer) == keys and layer["activation_grad_rms"] > 0 for layer in found["layers"])


def test_gradients_without_json_are_a_table_and_bad_input_one_line(cli: Any) -> None:
    status, out, _ = cli(f"gradients {PLAIN} --images 4")
    assert status == 0
    assert f"{PLAIN} at step 312, training mode, 4 training images" in " ".join(out.split())
    status, out, err = cli(f"gradients {PLAIN} --step 5 --json")
    assert (status, out, len(err.splitlines())) == (2, "", 1)


# ---- pictures ------------------------------------------------------------------------------------------------------


def test_a_sheet_is_written_for_one_s_own_picture(cli: Any, tmp_path: Path) -> None:
    picture, sheet = tmp_path / "mine.png", tmp_path / "sheet.png"
    Image.new("RGBA", (90, 60), (200, 30, 30, 120)).save(picture)
    status, out, err = cli(f"features {RESNET} --image {picture} --layer blocks.3 --out {sheet} --json")
    assert status == 0, err
    found = json.loads(out)
    assert found["shape"] == [16, 14, 14]
    assert found["means"] == sorted(found["means"], reverse=True)
    with Image.open(sheet) as drawn:
        assert min(drawn.size) > 400


def test_an_overlay_is_written_and_its_sum_is_the_rise_of_the_logit_within_its_delta(cli: Any, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.png"
    asked = f"attribute {PLAIN} --test 2 --method integrated-gradients --target 1 --out {overlay} --json"
    status, out, err = cli(asked)
    assert status == 0, err
    found = json.loads(out)
    assert found["label"] == "trouser"
    assert abs(found["delta"]) < 0.1 * abs(found["sum"]) + 0.1
    with Image.open(overlay) as drawn:
        assert drawn.size == (560, 560)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (f"features {RESNET} --layer blocks.99", "no place"),
        (f"features {RESNET} --layer stem.conv --part branch", "no part"),
        (f"features {RESNET} --image /nowhere.png", "No such file"),
        (f"features {RESNET} --image {__file__}", "not an image"),
        (f"features {RESNET} --test 99999", "test images"),
        (f"attribute {RESNET} --method tea-leaves", "no method"),
        (f"attribute {RESNET} --target 77", "10 classes"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(cli: Any, words: str, said: str) -> None:
    status, out, err = cli(words)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1
