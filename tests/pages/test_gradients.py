"""Gradients: each way to ask shows what was measured, in words that follow from the numbers."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from app.analysis import answering
from app.base import studies
from app.engine.engine import Engine
from app.engine.policy.visitor import MACHINE
from app.store.run import Run
from app.studies.cuts.over_images import packed
from app.studies.gradients.questions import SizesQuestion
from app.studies.gradients.truth_table import said
from app.studies.gradients.verdicts import Trained, course_of
from app.studies.identity import measurement as identity
from app.studies.identity.questions import Deepened, TrainedOn
from app.studies.identity.trained_on import words as train_on_words
from app.studies.shattered import measurement as shattered
from app.studies.truth_test import measurement as vanishing
from app.studies.truth_test import section as test
from app.values.questions import Question
from app.values.run_spec import RunSpec
from models.spec import NetSpec
from tests.support.opening import EPOCH, HOSTILE, PARAMETERS, opened, press, spec, under_way, well, words

pytestmark = pytest.mark.usefixtures("answering")

PAIR = ["reference-plain-20", "reference-resnet-20"]
OWN = (
    *("view", "gradient", "per-parameter", "distribution", "without", "cell", "cells", "sorted", "activation"),
    *("depth", "beta", "bn", "deeper", "rate", "target", "blocks"),
)


def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same analyses of small nets, so that a test does not wait."""
    grid = partial(vanishing.settings, depths=(8,), width=2)
    monkeypatch.setattr(vanishing, "settings", grid)
    monkeypatch.setattr(vanishing, "course", partial(_short_course, vanishing.course))
    monkeypatch.setattr(shattered, "NEURONS", 8)
    monkeypatch.setattr(shattered, "shattered", partial(shattered.shattered, nets=4))


def _short_course(course: Any, net: NetSpec, images: Any, steps: int, *args: Any, **options: Any) -> Any:
    return course(net.model_copy(update={"width": 2, "depth": 8}), images, 12, *args, **options)


def test_the_first_open_measures_a_recorded_pair() -> None:
    page = well(opened("gradients"))
    said = words(page)
    assert "**plain\\-56** with batch normalisation, ReLU" in said
    assert "**resnet\\-56** with batch normalisation, ReLU" in said
    assert "He et al. 2015" in said
    assert "From an explosion to starved weights, in plain\\-56" in said
    assert "Yang et al. predict ×1.467 for a block of 2 layers" in said
    assert "float32" in said
    assert "trained in bfloat16" in said
    assert not page.error


def test_the_sentence_is_that_of_the_kept_moments_and_of_a_run_under_way_no_end_is_said(
    answering: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = well(opened("gradients", run=PAIR, step="100"))
    run = answering.store.runs.get(PAIR[0])
    found = {
        step: answering.questions.ask(SizesQuestion(run=run.id, step=step), MACHINE).result for step in (0, 1, 10, 312)
    }
    history = answering.store.events.history(run.id)
    errors = history.train_error(), history.test_error()
    assert None not in errors
    ended = Trained((course_of(run.spec.net, found, *errors),))  # type: ignore[arg-type]
    assert said("plain-20", ended) in words(page)
    monkeypatch.setattr(Run, "active", property(lambda run: run.id == PAIR[0]))
    live = words(well(opened("gradients", run=PAIR, step="100")))
    under_way = Trained((course_of(run.spec.net, found, *errors, going_on=True),))  # type: ignore[arg-type]
    assert said("plain-20", under_way) in live
    assert live.count("so far") == 1, "the other one's"


@pytest.mark.parametrize("chosen", [PAIR, PAIR[:1]], ids=["side by side", "one of them"])
def test_runs_that_differ_in_their_seed_alone_are_one_net_with_an_interval_over_seeds(
    answering: Engine, monkeypatch: pytest.MonkeyPatch, chosen: list[str]
) -> None:
    get = answering.store.runs.get

    def seeds(name: str) -> Run:
        run, first = get(name), get(PAIR[0])
        if name != PAIR[1]:
            return run
        other = first.spec.model_copy(update={"seed": 1})  # the twin's weights fit: option A has none
        return run.model_copy(update={"spec": other, "alike": first.alike})

    monkeypatch.setattr(answering.store.runs, "get", seeds)
    monkeypatch.setattr(answering.store, "group", lambda _: [seeds(name) for name in PAIR])
    page = well(opened("gradients", run=chosen))
    assert "**plain\\-20, 2 seeds**" in words(page)
    assert "intervals over 2 seeds" in words(page)


def test_a_net_without_its_twin_is_set_against_no_claim() -> None:
    page = well(opened("gradients", run="reference-resnet-20"))
    assert "together with its residual twin" in words(page)
    assert "Most lessons: and" not in words(page)


def test_weights_and_updates_say_what_they_are() -> None:
    page = well(opened("gradients", run="reference-resnet-20", gradient="weights", cells="largest"))
    assert "1/‖w‖" in words(page)
    page.toggle(key="per-parameter").set_value(True).run()
    assert "√parameters" in words(well(page))
    page.button_group(key="gradient").set_value("update ÷ weight").run()
    assert "learning rate × gradient norm" in words(well(page))
    assert "each cell is the largest of 2 steps" in words(page)
    page.button_group(key="cells").set_value("mean").run()
    assert "geometric mean of 2 steps, or the one that is more than 10 times off it" in words(well(page))


def test_the_address_s_layer_is_followed_and_its_distribution_is_drawn_on_demand() -> None:
    page = well(opened("gradients", run=PAIR, layer="blocks.4.branch.conv2"))
    assert "Step by step, in `blocks.4.branch.conv2`" in words(page)
    assert "excess kurtosis" not in words(page)
    page.toggle(key="distribution").set_value(True).run()
    assert "excess kurtosis" in words(well(page))
    none = well(opened("gradients", run=PAIR, layer="blocks.99.branch.conv1", distribution="true"))
    assert "No chosen run" in words(none)


def test_a_run_without_kept_weights_still_has_its_map(answering: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    [short] = answering.runs.submit([spec("plain-8:width=2")], MACHINE)
    under_way(answering, short, [90.0] * EPOCH)
    kept = answering.store.events.moments
    monkeypatch.setattr(answering.store.events, "moments", lambda run: [] if run == short.id else kept(run))
    page = well(opened("gradients", run=[short.id, "reference-plain-20"]))
    assert "**plain\\-20** with batch normalisation" in words(page)
    page.multiselect(key="measured-runs").set_value([short.id]).run()
    assert "No weights of" in words(well(page))
    assert "What the sources claim" not in words(page)
    assert "Step by step, in `stem.conv`" in words(page)
    assert not [group for group in page.get("button_group") if group.key == "cells"], "one step a cell: no choice"


def test_the_truth_test_waits_for_the_button_and_is_then_there_for_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    page = well(opened("gradients", view="The truth test"))
    assert "One press" in words(page)
    page = well(press(page, "Run the truth test"))
    assert "plain, no BN: of 3 nets" in words(page)
    other = well(opened("gradients", view="The truth test"))
    assert "plain, no BN: of 3 nets" in words(other)


def test_a_cell_is_trained_beside_its_twin_and_the_sources_are_set_against_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small(monkeypatch)
    page = opened("gradients", view="The truth test")
    page.selectbox(key="cell").set_value("8-none-elu").run()
    assert page.query_params["cell"] == "8-none-elu"
    assert "plain-8 and resnet-8, 100 steps" in words(well(page))
    page = well(press(page, "Train plain and residual for 100 steps"))
    assert "**resnet\\-8** without normalisation, ELU" in words(page)
    assert "Balduzzi et al. 2017" in words(page)


def test_the_cells_are_the_grid_s_own_nets() -> None:
    assert {str(net) for cell in test.CELLS for net in test.twins(cell)} == {str(net) for net in vanishing.settings()}


def test_the_address_names_the_cell_and_the_lines_left_out_and_nonsense_is_said() -> None:
    cell = well(opened("gradients", view="The truth test", cell="8-none-selu"))
    assert cell.selectbox(key="cell").value == "8-none-selu"
    wrong = well(opened("gradients", view="The truth test", cell="9-none-selu"))
    assert wrong.selectbox(key="cell").value == test.USUAL
    assert "was left out" in wrong.warning[0].value
    page = well(opened("gradients", run=PAIR, without="1,10"))
    assert page.button_group(key="lines").value == [0, 312]
    page.button_group(key="lines").set_value([0, 1]).run()
    assert page.query_params["without"] == "10,312"
    assert not page.warning
    page.button_group(key="lines").set_value([0, 1, 10, 312]).run()
    assert "without" not in page.query_params
    for text, reason in {"11": "there is no such kept moment", "1;2": "are written 1,10"}.items():
        page = well(opened("gradients", run=PAIR, without=text))
        assert reason in page.warning[0].value
        assert page.button_group(key="lines").value == [0, 1, 10, 312]


def test_the_signal_names_the_smallest_response_first() -> None:
    page = well(opened("gradients", view="Signal forward", run=PAIR))
    assert "Mean response over the layers" in words(page)
    assert "of 9 blocks add less than what passes by them" in words(page)
    plain = well(opened("gradients", view="Signal forward", run="reference-plain-20"))
    assert "no net with shortcuts" in words(plain)


def test_shattered_gradients_are_compared_with_both_noises(monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    page = well(opened("gradients", view="Shattered gradients", depth="8"))
    assert "*8 layers, BN* correlates by" in words(page)
    page.toggle(key="bn").set_value(False).run()
    assert "*8 layers* correlates by" in words(well(page))


def test_the_deeper_net_makes_the_same_error_and_the_lesson_says_who_learnt_it() -> None:
    page = well(opened("gradients", view="The identity argument", blocks="1", deeper="32"))
    assert "The same error, by construction" in words(page)
    assert page.metric[0].value == page.metric[1].value
    assert "Asked for y = x, after 200 steps" in words(page)


def test_the_deeper_net_is_trained_on_when_told_to_and_its_answer_is_there_for_everyone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[RunSpec] = []

    def train_on(net: object, spec: RunSpec, depth: int, *_: object) -> TrainedOn:
        asked.append(spec)
        return trained_on(deeper=f"plain-{depth}", rate=spec.recipe.lr)

    same = Deepened("plain-20", "plain-32", (3, 4, 8, 9, 13, 14), 1e-6, 14.1, 14.1, 2000)
    monkeypatch.setattr(identity, "deepened", lambda *_: (None, same))
    monkeypatch.setattr(identity, "learn", partial(identity.learn, steps=2))
    monkeypatch.setattr(identity, "train_on", train_on)
    query = {"view": "The identity argument", "blocks": "1", "deeper": "32", "rate": "0.01"}
    page = well(opened("gradients", **query))
    assert "200 steps of 128 images each: about" in words(page)
    assert not asked
    assert "it kept" in words(well(press(page, "Train both")))
    assert "it kept" in words(well(opened("gradients", **query)))
    [spec] = asked
    assert (spec.recipe.lr, spec.recipe.schedule, spec.recipe.steps) == (0.01, "constant", 200)


def trained_on(**changes: Any) -> TrainedOn:
    """A made net that went from 10 % over 60 % to 12 % test error beside one at 40 %, 200 images."""
    made, scratch = np.full(50, 10.0), np.linspace(90, 40, 50)
    made[20] = 60
    usual: dict[str, Any] = {"net": "plain-20", "deeper": "plain-56", "rate": 0.1, "window": 10, "images": 200}
    usual |= {"error": np.array([made, scratch]), "wrong": missed(23, 24, 80), "diverged": (False, False)}
    return TrainedOn(**usual | changes)


def missed(*each: int) -> Any:
    """Of 200 images the first so many are taken wrongly, for each net."""
    return packed(np.arange(200) < np.array(each)[:, None])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["it kept", "from 10 % to 60 %, by step 20", "28.0 points below that of **plain-56 from scratch**"]),
        ({"wrong": missed(23, 60, 40)}, ["it did not keep", "10.0 points above that of **plain-56 from scratch**"]),
        ({"wrong": missed(23, 24, 25)}, ["it kept", "No difference", "**plain-56 from scratch**: -0.5 points"]),
        ({"diverged": (True, False)}, ["diverged after 50 steps"]),
        ({"diverged": (False, True)}, ["it kept", "the same net diverged"]),
    ],
)
def test_other_numbers_other_words(changes: dict[str, Any], said: list[str]) -> None:
    text = " ".join(train_on_words(trained_on(**changes)))
    assert all(part in text for part in said), text


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_every_parameter_leaves_a_usable_page(text: str) -> None:
    others = {name: text for name in (*PARAMETERS, *OWN) if name != "run"}
    well(opened("gradients", **others, run=["reference-resnet-20", text]))


def test_every_kind_of_question_has_an_answer() -> None:
    stated = [*studies.modules("questions")]
    asked = {kind for module in stated for kind in vars(module).values() if is_question(kind)}
    assert len(asked) > 25
    list(studies.modules("measurement"))
    assert asked == set(answering._MEASUREMENTS)


def is_question(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Question) and kind is not Question


def test_train_leads_here_with_its_runs_and_layer() -> None:
    page = well(opened("train", run=PAIR, layer="block:4"))
    [link] = [link.proto for link in page.get("page_link") if "gradients" in link.proto.page]
    assert "layer=blocks.4.branch.conv1" in link.query_string
    assert all(f"run={run}" in link.query_string for run in PAIR)
