"""Lesions: a cut is in the address, can be undone, and what it costs is said from the numbers."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from app.analysis.moment import net_at
from app.data.images import load_for
from app.data.pictures import to_text
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.studies.cuts import outcome as cut_outcome
from app.studies.cuts.measurement import cut_probabilities, evaluate_cuts
from app.studies.features.chosen_picture import Chosen
from app.studies.lesions import section as studies
from app.studies.lesions.controls import usual_controls
from app.studies.lesions.section import values_of_k
from app.studies.lesions.trained_to_be_cut import PAIR, twins
from app.ui.widgets.strip import row
from app.values.cut_spec import CutSpec, interchangeable, kin, removable
from app.values.events import BlockCut, CheckpointSaved, StepMeasured
from models.plan import plan
from models.spec import NetSpec
from tests.support.opening import EPOCH, HOSTILE, opened, press, spec, under_way, well, words
from tests.support.waiting import until

pytestmark = pytest.mark.usefixtures("few_images")

RUN = "reference-resnet-20"
FEW = 20


@pytest.fixture
def few_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page measures on fewer images than it does for people, and asks for no study by itself."""
    monkeypatch.setattr(cut_outcome, "IMAGES", FEW)
    monkeypatch.setattr(studies, "IMAGES", FEW)
    monkeypatch.setattr(studies, "DRAWS", 2)
    monkeypatch.setattr(studies, "POINTS", 2)
    monkeypatch.setattr(studies, "QUICK_BLOCKS", 0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def html(page: AppTest) -> str:
    return "".join(str(getattr(one, "value", "")) for one in page.get("html"))


def errors_by_hand(engine: Engine, text: str) -> float:
    run = engine.store.runs.get(RUN)
    images = load_for(run.spec, engine.settings)
    assert run.started
    net = net_at(run.spec, engine.store.weights.folder(RUN), 312, images, run.started.epoch_steps)
    return evaluate_cuts(net, images, [CutSpec.parse(text)], FEW)[0].error


# ── the table ──


def test_the_first_open_shows_the_whole_net_and_its_plain_twin_beside_it(answering: Engine) -> None:
    page = well(opened("lesions"))
    assert "Nothing is cut" in words(page)
    assert page.multiselect(key="beside").value == ["reference-plain-20"]
    assert f"{errors_by_hand(answering, ''):.1f}<small> % wrong" in html(page)
    assert "data:image/png;base64" in html(page)
    assert not page.warning
    assert not page.error


def test_an_address_s_cut_is_the_one_that_is_measured(answering: Engine) -> None:
    page = well(opened("lesions", cut="3,7,1:0.5"))
    assert f"**{errors_by_hand(answering, '3,7,1:0.5'):.1f} %**" in words(page)
    assert "without blocks 3 and 7, with block 1 at 0.5" in words(page)
    assert "Block 3 changes shapes; with its branch gone, the shortcut alone passes" in words(page)


def test_a_cut_s_price_has_its_interval_over_images_and_its_loss_as_a_multiple(answering: Engine) -> None:
    said = words(well(opened("lesions", cut="0,3,4")))
    assert "The test error of **resnet-20 without blocks 0, 3 and 4** is" in said
    assert f"over {FEW} images" in said
    assert re.search(r"its loss is [1-9]\S* times the whole net's", said)
    idle = words(well(opened("lesions", cut="8:0.999")))
    assert "No difference in test error is shown between **resnet-20 with block 8 at 0.999** and **resnet-20**" in idle


def test_undo_and_redo_walk_through_the_cuts_and_the_address_follows(answering: Engine) -> None:
    page = opened("lesions", cut="3")
    page.text_input(key="cut").set_value("3,4").run()
    page = press(page, "Put all back")
    assert page.text_input(key="cut").value == ""
    page = press(page, "Undo")
    assert page.query_params["cut"] in ("3,4", ["3,4"])
    page = press(page, "Undo")
    assert page.text_input(key="cut").value == "3"
    assert next(button for button in page.button if button.label == "Undo").disabled
    page = press(press(page, "Redo"), "Redo")
    assert "Nothing is cut" in words(well(page))


def test_the_dial_scales_the_branch_of_the_selected_block(answering: Engine) -> None:
    page = opened("lesions", cut="4,2-1", layer="block:4")
    assert page.slider(key="dial").value == 0
    page.slider(key="dial").set_value(0.5).run()
    assert page.text_input(key="cut").value == "4:0.5,2-1"
    page.slider(key="dial").set_value(1.0).run()
    assert page.text_input(key="cut").value == "2-1"
    assert opened("lesions").slider(key="dial").disabled, "no block is selected"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_the_address_is_dropped_with_a_sentence(answering: Engine, text: str) -> None:
    page = well(opened("lesions", cut=text, pictures=text, study=text, beside=text))
    assert "Nothing is cut" in words(page)
    if text.strip():
        assert page.warning


def test_a_plain_net_s_cut_where_shapes_do_not_fit_is_refused_with_the_shapes(answering: Engine) -> None:
    page = well(opened("lesions", run="reference-plain-20", cut="3"))
    assert "8×28×28 enters, 16×14×14 leaves" in page.warning[0].value
    assert "Nothing is cut" in words(page)


def test_a_cut_that_changes_nothing_is_said_to_and_the_rest_of_it_is_measured(answering: Engine) -> None:
    page = well(opened("lesions", cut="7,3-4"))
    assert "'3\\-4' changes nothing" in words(page)
    assert "without block 7" in words(page)


def test_chosen_pictures_are_shown_by_their_numbers(answering: Engine) -> None:
    page = well(opened("lesions", pictures="12, 40"))
    assert "no. 12<" in html(page)
    assert "no. 40<" in html(page)
    assert html(page).count("<figure") == 2
    page.text_input(key="pictures").set_value("12, 99999").run()
    assert "from 0 to 1,999" in page.warning[0].value


def test_a_picture_of_one_s_own_is_the_first_and_is_what_the_whole_and_the_cut_net_take_it_for(
    answering: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 28, 28), dtype=np.uint8)
    mine = Chosen(f"own:{to_text(pixels)}", "your picture")
    monkeypatch.setattr(cut_outcome, "own_picture", lambda *_: mine)
    page = well(opened("lesions", pictures="12", cut="3", study=""))
    first, second = html(page).split("<figure")[1:3]
    assert "<b>your picture</b> <span>yours</span>" in first
    assert "no. 12<" in second
    run = answering.store.runs.get(RUN)
    images = load_for(run.spec, answering.settings)
    assert run.started
    net = net_at(run.spec, answering.store.weights.folder(RUN), 312, images, run.started.epoch_steps)
    cuts = [CutSpec(), CutSpec.parse("3")]
    for shares in cut_probabilities(net, torch.from_numpy(pixels[None]), images.info, cuts).probabilities[:, 0]:
        assert f"<span>{images.info.labels[shares.argmax()]} {100 * shares.max():.0f} %</span>" in first


# ── studies ──


def test_studies_are_made_when_pressed_and_tell_what_was_measured(answering: Engine) -> None:
    page = opened("lesions", study=list(studies.STUDIES))
    said = words(well(page))
    for passage in ("hurt", "cost", "τ", "Where it hurts", "give way first"):
        assert passage in said
    assert re.search(r"\*\*plain-20\*\*: (that one )?block", said)
    assert "median price of one block" in said
    assert "median price of a quarter of the blocks" in said
    assert "Intervals hold the true difference in 98 of 100 cases; the images are paired." in said
    assert "Each net is one run, of one seed" in said
    assert "2 of its blocks cannot be cut" in said


def test_a_deselected_control_stays_away(answering: Engine) -> None:
    page = opened("lesions")
    page.multiselect(key="beside").set_value([]).run()
    assert page.multiselect(key="beside").value == []
    page.selectbox(key="subject").set_value("reference-resnet-56").run()
    assert well(page).multiselect(key="beside").value == ["reference-plain-56"]


def test_the_usual_control_of_a_plain_net_is_a_residual_one(engine: Engine) -> None:
    runs = engine.store.runs.all()
    found = usual_controls(
        engine.store.runs.get("reference-plain-20"), [run for run in runs if run.id != "reference-plain-20"]
    )
    assert found == ["reference-resnet-20"]


def test_a_vgg_is_trained_by_one_press_and_then_stands_beside_the_plain_twin(answering: Engine) -> None:
    page = press(well(opened("lesions", study="")), "Train the paper's control: vgg-16 of width 8")
    run = answering.store.runs.all(["queued"])[0]
    reference = answering.store.runs.get(RUN)
    assert (run.spec.net.name, run.spec.net.width) == ("vgg-16", 8)
    assert (run.spec.data, run.spec.recipe, run.spec.seed) == (reference.spec.data, reference.spec.recipe, 0)
    assert page.multiselect(key="beside").value == ["reference-plain-20"]
    under_way(answering, run, [50.0] * 10, finished=True)
    page = press(well(page.run()), "Set vgg-16 beside it")
    assert page.multiselect(key="beside").value == ["reference-plain-20", run.id]
    assert well(opened("lesions", study="")).multiselect(key="beside").value == ["reference-plain-20", run.id]


@pytest.mark.parametrize("blocks", [1, 2, 9, 27, 54])
def test_the_values_of_k_hold_one_half_and_all(blocks: int) -> None:
    assert {1, max(1, blocks // 2), blocks} <= set(values_of_k(blocks))


# ── while it trains ──


def test_a_run_under_way_is_cut_by_a_press_and_tells_how_its_error_jumped(answering: Engine) -> None:
    [run] = answering.runs.submit([spec("resnet-8:width=4")], MACHINE)
    under_way(answering, run, [50.0] * EPOCH)
    answering.store.runs.update(run.id, status="paused")
    page = opened("lesions", run=run.id, study="", cut="1")
    assert "It trains whole." in words(well(page))
    page = press(page, "Train it without block 1")
    until(lambda: answering.store.events.cuts(run.id), "the cut")
    assert answering.store.events.cuts(run.id) == [BlockCut(step=EPOCH, cut=CutSpec.parse("1"))]
    same: dict[str, Any] = {"loss": 2.0, "lr": 0.1, "seconds": 0.01, "norms": (0.1,) * 8}
    steps = [StepMeasured(step=EPOCH + nth, error=80.0 - nth, **same) for nth in range(20)]
    answering.store.events.record(run.id, 1, [*steps, CheckpointSaved(step=EPOCH + 20, moment=False)])
    page = well(opened("lesions", run=run.id, study="", cut="1"))
    assert "It trains **without block 1**." in words(page)
    assert "50.0 % of its training images wrong over the 10 steps before, 75.5 % over the 10 after" in words(page)
    assert "it now errs on 65.5 %" in words(page)
    assert next(button for button in page.button if button.label == "Train it without block 1").disabled
    press(page, "Put its blocks back")
    until(lambda: len(answering.store.events.cuts(run.id)) == 2, "the block to be back")
    assert answering.store.events.cuts(run.id)[-1] == BlockCut(step=EPOCH + 20, cut=CutSpec())
    answering.store.runs.update(run.id, status="finished")
    ended = words(well(opened("lesions", run=run.id, study="")))
    assert "has no steps to make any more" in ended
    assert "50.0 % of its training images wrong over the 10 steps before" in ended, "the event is kept with the run"


def test_a_run_that_has_ended_names_those_that_can_be_cut(answering: Engine) -> None:
    assert "has no steps to make any more" in words(opened("lesions", study=""))
    [run] = answering.runs.submit([spec("resnet-8:width=4")], MACHINE)
    under_way(answering, run, [50.0] * EPOCH)
    links = [link.proto for link in well(opened("lesions", study="")).get("page_link")]
    assert any(f"run={run.id}" in link.query_string for link in links)


# ── the pair ──


def test_the_pair_is_trained_by_one_press_and_then_offered(answering: Engine) -> None:
    page = press(well(opened("lesions")), "Train the pair: stochastic-20 and resnet-20")
    pair = twins(answering.store.runs.all())[0]
    assert [str(run.spec.net.family) for run in pair] == ["stochastic", "resnet"]
    assert {run.spec.net.width for run in pair} == {8}
    assert not any(button.label.startswith("Train the pair") for button in well(page).button)
    for run in pair:
        under_way(answering, run, [50.0] * 10, finished=True)
    page = press(well(opened("lesions")), "Study the pair")
    assert page.query_params["run"] in (pair[0].id, [pair[0].id])
    assert page.multiselect(key="beside").value == [pair[1].id]
    assert sorted(page.button_group(key="study").value or ()) == ["at random", "one by one", "reordered"]
    assert "differ in nothing else" in words(page)
    assert not any(button.label == "Study the pair" for button in page.button)


def test_runs_that_differ_in_more_than_the_drops_are_no_twins(engine: Engine) -> None:
    engine.runs.submit([spec(PAIR[0]), spec(PAIR[1], seed=7)], MACHINE)
    assert twins(engine.store.runs.all()) == []


# ── the strip ──


@pytest.mark.parametrize("name", ["resnet-20", "plain-20", "preact-bottleneck-29", "resnet-20:shortcut=C", "vgg-11"])
def test_the_strip_lets_just_the_interchangeable_blocks_change_places(name: str) -> None:
    net = NetSpec.parse(name)
    drawn = row(net, name)
    kinds = [drawn["kinds"][kind]["kin"] for kind in drawn["blocks"]]
    pairs = {(a, b) for a in range(len(kinds)) for b in range(a + 1, len(kinds)) if kinds[a] == kinds[b]}
    assert pairs == set(interchangeable(net))
    assert len({kin(block) for block in plan(net).blocks}) == len(set(kinds))


@pytest.mark.parametrize("name", ["resnet-20", "plain-20", "vgg-16"])
def test_the_strip_says_of_just_those_blocks_that_they_cannot_be_cut_and_draws_no_shortcut_where_none_is(
    name: str,
) -> None:
    net = NetSpec.parse(name)
    kinds = [row(net, name)["kinds"][kind] for kind in row(net, name)["blocks"]]
    whole = {nth for nth, kind in enumerate(kinds) if "cannot be cut" in kind["without"]}
    assert whole == set(range(len(kinds))) - set(removable(net))
    assert {bool(kind["shortcut"]) for kind in kinds} == {net.shortcut != "none"}
