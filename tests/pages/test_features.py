"""The page that asks what a net looks at, opened without a browser; its questions are answered at once."""

from pathlib import Path

import pytest
from safetensors.torch import save_file

from app.engine.engine import Engine
from app.studies.attributions.questions import AttributionQuestion
from app.studies.features.questions import FeaturesQuestion
from app.training.checkpoint_import import receive
from app.values.run_spec import imported
from models.nets.net import build
from models.spec import NetSpec
from tests.support.opening import HOSTILE, opened, press, well, words

QUICK = {"method": "saliency", "beside": "none"}
REFERENCE = "reference-resnet-20"


pytestmark = pytest.mark.usefixtures("answering")


def test_it_opens_on_a_reference_run_with_everything_answered() -> None:
    page = well(opened("features"))
    said = words(page)
    for passage in (
        "says **ankle boot**",
        "What the branch adds is",
        "There is no shortcut",
        "kernels of 3×3",
        "after 8 of 9 blocks",
    ):
        assert passage in said
    assert not page.error


def test_a_layer_and_a_channel_of_the_address_are_shown() -> None:
    said = words(well(opened("features", layer="blocks.3.branch.conv1", channel="5", **QUICK)))
    assert "`blocks.3.branch.conv1` says" in said
    assert "**Channel 5** of `blocks.3.branch.conv1`" in said
    assert "of the first 500 test images" in said


def test_a_layer_that_this_net_has_not_is_its_last_block() -> None:
    assert "`blocks.8` says" in words(well(opened("features", layer="block:40", channel="77", **QUICK)))


def test_a_class_and_a_place_choose_the_picture_and_confusion_is_told() -> None:
    page = well(opened("features", **{**QUICK, "class": "bag", "nth": "3"}))
    assert any("bag" in caption.value for caption in page.caption)
    page = well(opened("features", source="most confused", **QUICK))
    assert any("taken for" in caption.value for caption in page.caption)


def test_integrated_gradients_tell_their_delta_for_two_classes() -> None:
    page = well(opened("features", **{**QUICK, "method": "integrated-gradients", "for": "bag", "against": "coat"}))
    told = [caption.value for caption in page.caption if "Convergence delta" in caption.value]
    assert len(told) == 2
    assert "**bag**" in told[0]
    assert "**coat**" in told[1]


def test_the_long_questions_wait_for_a_press() -> None:
    page = opened("features", channel="1", layer="block:8", **QUICK)
    assert "gradient ascent" not in words(page)
    page = well(press(page, "What does it look for? Make a picture that excites it"))
    assert "gradient ascent" in words(page)
    page = well(press(page, "Does it depend on what was learnt? Randomise the weights"))
    assert "Spearman" in words(page)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=list(HOSTILE))
def test_nonsense_in_every_parameter_is_dropped(value: str) -> None:
    names = ("source", "class", "nth", "channel", "part", "scale", "method", "for", "against", "beside", "swap")
    well(opened("features", **dict.fromkeys(names, value)))


@pytest.mark.parametrize("text", ["test:", "test:x", "own:***", "own:", "../x", "own:" + "A" * 200_712])
def test_a_question_carries_no_other_picture(text: str) -> None:
    with pytest.raises(ValueError, match="picture"):
        FeaturesQuestion(run=REFERENCE, step=312, picture=text)


def test_questions_with_different_pictures_have_different_answers() -> None:
    keys = {AttributionQuestion(run="r", picture=picture).key for picture in ("test:1", "test:2", "own:AAAA")}
    assert len(keys) == 3


@pytest.mark.parametrize("name", ["features", "lesions", "gradients", "paths", "runs"])
def test_a_net_whose_images_are_not_here_says_so_and_its_kernels_are_shown(
    answering: Engine, tmp_path: Path, name: str
) -> None:
    spec = imported(NetSpec.parse("imagenet-resnet-18:width=4"), "imagenet", None)
    save_file(build(spec.net).state_dict(), tmp_path / "weights")
    run = answering.store.runs.new_id(spec)
    events = receive(tmp_path / "weights", spec, answering.store.weights.folder(run), settings=answering.settings)
    answering.store.enter_import(run, "big", spec, events)
    page = well(opened(name, run=run, beside="none"))
    said = words(page) + " ".join(error.value for error in page.error)
    assert {"features": "4 kernels of 7×7", "runs": "torchvision"}.get(name, "may not be passed on") in said
