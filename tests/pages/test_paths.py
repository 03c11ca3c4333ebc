"""Paths: the first open is answered by itself, studies on their buttons, and everything stands in the address."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.base.settings import Settings
from app.engine import engine as engine_module
from app.engine import process
from app.engine.engine import Engine
from app.engine.question_desk import Answer
from app.studies.paths.section import Place
from app.studies.subnetworks import section
from app.studies.subnetworks.questions import SubNetworksQuestion
from app.ui.runs.subject import Look
from app.values.questions import Question
from models.spec import NetSpec
from tests.support.opening import HOSTILE, PARAMETERS, NoCluster, opened, press, well, words

OWN = ("n", "off", "at", "bet", "fold", "p", "study")
SMALL = {"at": "block", "layer": "block:7"}  # two blocks behind it: quick


class Waiting(NoCluster):
    """A cluster that takes every question and answers none."""

    status = "pending"

    def submit(self, *_: Any, **__: Any) -> "Waiting":
        """Its own future."""
        return self

    def add_done_callback(self, _call: Any) -> None:
        """It will not be called."""


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An engine on which what the page asks is never answered: the page stands all the same."""
    process.stop()
    monkeypatch.setattr(engine_module, "Cluster", Waiting)
    process.start(Settings(store=tmp_path / "store", data=tmp_path / "data", workers=1))
    yield
    process.stop()


@pytest.mark.usefixtures("answering")
def test_the_first_open_shows_the_reference_net_and_its_exact_gradient() -> None:
    page = well(opened("paths"))
    said = words(page)
    assert "2⁹ = 512 paths" in said
    assert "Summed over all lengths it is the ordinary gradient, to" in said
    assert page.selectbox(key="subject").value == "reference-preact-20"
    assert not page.warning
    assert not page.error
    assert [button.label for button in page.main.button] == ["Draw single paths", "Try the sub-networks"]


@pytest.mark.usefixtures("answering")
def test_the_gradient_at_a_block_counts_the_paths_behind_it_only() -> None:
    said = words(well(opened("paths", **SMALL)))
    assert "4 paths" in said
    assert "at the input of F₈" in said


@pytest.mark.usefixtures("answering")
def test_single_paths_are_drawn_on_a_button_and_stand_beside_the_paper_s() -> None:
    page = well(opened("paths", **SMALL))
    assert "19–35" not in words(page)
    press(page, "Draw single paths")
    said = words(well(page.run()))
    assert "19–35 | 5–17 | 0.45 %" in said
    assert "Over all single paths the norms would add up to" in said
    copied = well(opened("paths", study=page.query_params["study"], **SMALL))
    assert "19–35 | 5–17 | 0.45 %" in words(copied)
    assert [button.label for button in copied.main.button] == ["Try the sub-networks"]
    assert "19–35" in words(well(opened("paths", **SMALL))), "the next student need not press: the answer is kept"


@pytest.mark.usefixtures("answering")
def test_sub_networks_are_tried_on_a_button_and_the_one_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(section, "SubNetworksQuestion", partial(SubNetworksQuestion, images=10))
    monkeypatch.setattr(section, "ROUGH", 10)
    page = well(opened("paths", run="reference-plain-20", at="block", layer="block:8", off="1"))
    assert "$2^{7} = 128$" in words(page), "two of nine plain blocks change the shape, and stay"
    press(page, "Try the sub-networks")
    said = words(well(page.run()))
    assert "all 2⁷ sub-networks, 5 test images, evaluation mode; best and worst were chosen on as many others" in said
    assert "Best and worst were chosen on one half of the images" in said
    assert "**the whole net**" in said
    assert "Intervals hold the true difference in 98 of 100 cases; the images are paired. This is one run" in said
    assert "Without F₂" in said
    assert "of the 7 with 8 blocks kept" in said
    table = page.dataframe[0].value
    assert list(table["kept"]) == [9, 8, 7, 6, 5, 4, 3, 2]
    assert table["best keeps"][0] == "F₁–F₉"


@pytest.mark.usefixtures("answering")
def test_the_prediction_is_compared_with_the_measurement_and_kept_in_the_address() -> None:
    page = well(opened("paths", bet="shorter than most", **SMALL))
    assert "You said *shorter than most*" in words(page)
    assert page.radio(key="bet").value == "shorter than most"


@pytest.mark.usefixtures("waiting")
def test_blocks_that_are_off_stand_in_the_address_and_take_their_paths_away() -> None:
    assert "2⁷ = 128 are left, 1/4 of all" in words(well(opened("paths", off="0,2")))


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("off", "sentence", "left"),
    [("0,77", "77 was left out", "2⁸ = 256"), ("zero", "blocks are written 0,2", "512"), ("0;2", "left out", "512")],
)
def test_what_is_no_block_is_left_out_with_a_sentence(off: str, sentence: str, left: str) -> None:
    page = well(opened("paths", off=off))
    assert [sentence in warning.value for warning in page.warning] == [True]
    assert left in words(page)


def test_a_picture_of_fewer_images_is_there_while_the_whole_study_goes_on(
    answering: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(section, "ROUGH", 12)
    run = "reference-resnet-20"
    rough = SubNetworksQuestion(run=run, step=312, images=12)
    asked = answering.questions.ask

    def ask(question: Question, *by: Any) -> Answer:
        return Answer() if question.kind == rough.kind and question != rough else asked(question, *by)

    monkeypatch.setattr(answering.questions, "ask", ask)
    page = well(opened("paths", run=run, study=SubNetworksQuestion(run=run, step=312).key))
    assert "all 2⁹ sub-networks, 6 test images" in words(page)
    assert "Stop" in [button.label for button in page.main.button]


@pytest.mark.usefixtures("waiting")
def test_a_plain_net_has_one_path_and_nothing_to_predict_or_sample() -> None:
    page = well(opened("paths", run="reference-plain-20"))
    assert "one path leads through all 9 blocks" in words(page)
    assert not page.radio
    assert [button.label for button in page.main.button] == ["Try the sub-networks"]


@pytest.mark.usefixtures("waiting")
def test_the_deeper_net_is_sampled_and_says_so() -> None:
    said = words(well(opened("paths", run="reference-resnet-56")))
    assert "too many, so some of each size are drawn" in said
    assert "2²⁷" in said


@pytest.mark.usefixtures("waiting")
def test_a_deep_net_s_gradient_is_split_on_a_button_where_quick_questions_do_not_wait_for_it() -> None:
    page = well(opened("paths", run="reference-resnet-56"))
    assert page.button[0].label == "Split the gradient by length"
    assert "Through 27 blocks this takes a while" in words(page)
    assert "one remainder" not in words(page), "all 27 lengths will be told apart"
    assert "2²⁷" in words(page) or "134,217,728 paths" in words(page), "how many paths there are is shown at once"
    page.button[0].click().run()
    assert "Split the gradient by length" not in [button.label for button in well(page).button]
    assert str(page.query_params["study"]).startswith("paths-")


def test_nets_deeper_than_the_quick_ones_are_asked_in_the_lane_of_studies() -> None:
    def lane(name: str, at: str = "stem") -> str:
        net = NetSpec.parse(name)
        run = SimpleNamespace(id="r", spec=SimpleNamespace(net=net))
        return Place(cast(Look, SimpleNamespace(run=run, step=0, net=net)), at).exact.lane

    assert lane("resnet-20") == lane("plain-56") == lane("resnet-56", "block:20") == "ask"
    assert lane("resnet-56") == lane("resnet-1202") == "study"


@pytest.mark.usefixtures("waiting")
def test_stochastic_depth_follows_its_slider() -> None:
    page = well(opened("paths"))
    assert "a step trains **6.5 of 9**" in words(page), "Σ (1 − ℓ/18) for ℓ = 1 … 9"
    page.slider(key="p").set_value(1.0).run()
    assert "passes **4.5** instead of 4.5" in words(page)


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_every_parameter_leaves_a_page(text: str) -> None:
    well(opened("paths", **dict.fromkeys((*PARAMETERS, *OWN), text)))


@pytest.mark.usefixtures("waiting")
def test_a_store_without_runs_says_what_to_do() -> None:
    store = process.engine().store
    for run in store.runs.all():
        store._database.rows("DELETE FROM runs WHERE id = ?", run.id)
    assert "train one first" in words(well(opened("paths")))
