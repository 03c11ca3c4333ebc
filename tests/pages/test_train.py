"""Train: whatever is chosen or written into the address, the page stands, and says what it did not take."""

import pytest
from streamlit.testing.v1 import AppTest

from app.engine.engine import Engine
from app.store.run import Run
from app.ui.runs.curve_words import NO_DIFFERENCE
from app.ui.runs.race_form import MAX_CONTESTANTS
from tests.support.opening import HOSTILE, PARAMETERS, opened, press, well, words
from tests.support.settings import sets

pytestmark = pytest.mark.usefixtures("engine")

SMALL = ["plain-8:width=4", "resnet-8:width=4"]


def trained(engine: Engine) -> list[Run]:
    """The runs of this store that did not come with the program, oldest first."""
    return [run for run in engine.store.runs.all() if run.origin == "trained"][::-1]


def labels(page: AppTest) -> list[str]:
    """The buttons of the race, apart from those of the races to choose from."""
    return [button.label for button in page.main.button if button.label != "Start this race"]


def start(page: AppTest) -> bool:
    """True if the race can be started."""
    return not next(button for button in page.button if button.label == "Start the race").disabled


# ── first open ──


def test_the_first_open_shows_a_recorded_race_and_says_so() -> None:
    page = well(opened("train"))
    assert "recorded race" in words(page)
    assert "plain-56" in words(page)
    assert labels(page) == ["Start the race"]
    assert start(page)
    assert not page.error
    assert not page.warning


def test_a_store_without_reference_runs_still_has_a_page(engine: Engine) -> None:
    for run in engine.store.runs.all():
        engine.store._database.rows("DELETE FROM runs WHERE id = ?", run.id)
    page = well(opened("train"))
    assert start(page)
    assert "recorded race" not in words(page)


# ── choosing ──


def test_the_button_starts_what_is_chosen_and_writes_the_runs_into_the_address(engine: Engine) -> None:
    page = opened("train", net=SMALL, data="mnist", recipe="paper", seed="7")
    page = well(press(page, "Start the race"))
    runs = trained(engine)
    assert [str(run.spec.net) for run in runs] == ["plain-8:width=4:channels=1", "resnet-8:width=4:channels=1"]
    assert {(run.spec.data, run.spec.recipe.name, run.spec.seed) for run in runs} == {("mnist", "paper", 7)}
    assert page.query_params["run"] == [run.id for run in runs]
    assert labels(page) == ["Start the race", "Pause", "Stop"]


def test_the_menus_are_in_the_address_by_name_and_are_read_back() -> None:
    page = opened("train")
    page.selectbox(key="choice-data").set_value("cifar-10").run()
    page.selectbox(key="choice-recipe").set_value("paper").run()
    page.selectbox(key="choice-width").set_value(4).run()
    said = {name: page.query_params[name] for name in ("data", "recipe", "width")}
    assert said == {"data": "cifar-10", "recipe": "paper", "width": "4"}
    copied = opened("train", **said)
    assert [copied.selectbox(key=f"choice-{name}").value for name in said] == ["cifar-10", "paper", 4]
    copied.selectbox(key="choice-recipe").set_value("quick").run()
    assert "recipe" not in copied.query_params, "what is the default is not said"


def test_the_width_menu_widens_the_nets_that_do_not_say_their_own(engine: Engine) -> None:
    page = opened("train", net=["plain-8", "resnet-8:width=5"], width="4")
    press(page, "Start the race")
    assert [run.spec.net.width for run in trained(engine)] == [4, 5]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("lenet-5", "unknown net 'lenet\\-5'"),
        ("resnet-57", "the nearest are 56 and 62"),
        ("resnet-20:width=0", "greater than or equal to 1"),
        ("resnet-20:colour=red", "unknown setting"),
        ("plain-20:shortcut=B", "no shortcut"),
        ("imagenet-resnet-35", "it allows 18, 34"),
        ("resnet-9998", "less than or equal to 2000"),
        ("<b>resnet-20</b>", "unknown net"),
    ],
)
def test_a_net_that_cannot_be_is_one_sentence_and_the_button_waits(typed: str, said: str) -> None:
    page = opened("train")
    page.multiselect(key="net").set_value(["plain-8", typed]).run()
    [error] = well(page).error
    assert said in error.value
    assert "\n" not in error.value
    assert not start(page)
    page.multiselect(key="net").set_value(SMALL).run()
    assert not page.error
    assert start(page)


def test_without_a_net_the_page_asks_for_one() -> None:
    page = opened("train")
    page.multiselect(key="net").set_value([]).run()
    assert [error.value for error in well(page).error] == ["Choose at least one net."]
    assert not start(page)


def test_more_than_four_contestants_are_cut_to_four(engine: Engine) -> None:
    page = opened("train", net=[f"{family}-{depth}:width=4" for depth in (8, 14, 20) for family in ("plain", "resnet")])
    press(well(page), "Start the race")
    assert len(trained(engine)) == MAX_CONTESTANTS


def test_an_imagenet_net_takes_small_images(engine: Engine) -> None:
    page = well(opened("train", net=["imagenet-plain-18:width=8", "imagenet-resnet-50:width=8"]))
    page = well(press(page, "Start the race"))
    assert [run.spec.net.classes for run in trained(engine)] == [10, 10]
    assert page.query_params["run"]


def test_two_settings_of_one_net_are_told_apart_in_the_prediction(engine: Engine) -> None:
    page = well(opened("train", net=["resnet-8:width=4", "resnet-8:width=4:shortcut=B"]))
    assert page.button_group(key="guess").options == ["resnet-8", "resnet-8 · shortcut B", NO_DIFFERENCE]
    press(page, "Start the race")
    assert len(trained(engine)) == 2


def test_a_run_too_large_for_this_server_is_refused_in_words(engine: Engine) -> None:
    sets(engine, max_steps=100)
    page = well(press(opened("train", net=SMALL), "Start the race"))
    assert "Not started: 312 steps asked for" in page.error[0].value.replace("\\", "")
    assert not trained(engine)


# ── nonsense ──


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_every_parameter_leaves_a_usable_page(text: str) -> None:
    page = well(opened("train", **dict.fromkeys(PARAMETERS, text)))
    page.multiselect(key="net").set_value(SMALL).run()
    assert start(well(page))


@pytest.mark.parametrize("name", PARAMETERS)
def test_nonsense_in_one_parameter_says_at_most_one_sentence(name: str) -> None:
    for what in ("html", "markdown", "a link", "very long", "a negative number"):
        page = well(opened("train", **{name: HOSTILE[what]}))
        assert len(page.warning) + len(page.error) <= 1
        assert all(len(one.value) < 700 for one in (*page.warning, *page.error))


@pytest.mark.parametrize("name", ["seed", "step", "layer", "run", "data", "recipe", "width"])
def test_a_value_that_was_left_out_is_said(name: str) -> None:
    [warning] = well(opened("train", **{name: "no such thing!"})).warning
    assert warning.value.startswith(f"The address's {name}=")


def test_hundreds_of_values_are_cut_short() -> None:
    many = [f"resnet-{6 * n + 2}" for n in range(1, 200)]
    page = well(opened("train", net=many, run=many))
    assert len(page.multiselect(key="net").value) == MAX_CONTESTANTS
