"""Start: one question, one button."""

import pytest

from app.engine.engine import Engine
from tests.support.opening import HOSTILE, PARAMETERS, opened, press, well, words
from tests.support.settings import sets
from tests.visitors.test_sharing import OWNERS, looks

pytestmark = pytest.mark.usefixtures("engine")


def test_the_first_page_asks_the_question_and_offers_the_race() -> None:
    page = well(opened())
    assert page.title[0].value.endswith("?")
    assert [button.label for button in page.main.button] == ["Start the race"]
    assert not page.error
    assert not page.warning


def test_the_button_starts_both_depths_without_and_with_shortcuts_and_opens_their_page(engine: Engine) -> None:
    page = well(press(opened(), "Start the race"))
    runs = [run for run in engine.store.runs.all() if run.origin == "trained"][::-1]
    assert [run.spec.net.name for run in runs] == ["plain-56", "preact-56", "plain-20", "preact-20"]
    first, second, *_ = runs
    assert first.spec.net == second.spec.net.plain_twin()
    assert first.spec.model_copy(update={"net": second.spec.net}) == second.spec
    assert (first.spec.net.width, first.spec.recipe.name, first.spec.data) == (8, "quick", "fashion-mnist-mini")
    assert page.query_params["run"] == [run.id for run in runs]
    assert "stacking more layers" in page.title[0].value, "this is the Train page"


def test_own_seed_gives_each_browser_the_same_race_with_a_seed_of_theirs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds = []
    for who in "ab":
        looks(monkeypatch, who)
        page = opened()
        page.toggle(key="own").set_value(True).run()
        well(press(page, "Start the race"))
        seeds.append({run.spec.seed for run in engine.store.runs.all(["queued"]) if run.owner == OWNERS[who]})
    (first,), (second,) = seeds
    assert 0 not in (first, second)
    assert first != second


def test_the_prediction_goes_with_the_race() -> None:
    page = opened()
    page.button_group(key="guess").select("preact-56").run()
    assert press(page, "Start the race").button_group(key="guess").value == "preact-56"


def test_a_race_that_the_server_refuses_is_said_and_the_page_stays(engine: Engine) -> None:
    sets(engine, max_parameters=1000)
    page = well(press(opened(), "Start the race"))
    assert "Not started" in page.error[0].value
    assert "1,000" in page.error[0].value
    assert not [run for run in engine.store.runs.all() if run.origin == "trained"]
    assert page.title[0].value.startswith("Why")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_in_the_address_changes_nothing(text: str) -> None:
    page = well(opened(**dict.fromkeys(PARAMETERS, text)))
    assert words(page) == words(opened())
    assert not page.button[0].disabled


def test_what_the_address_says_wrongly_is_said_once_each() -> None:
    page = well(opened(step="soon", layer="<b>"))
    assert [warning.value.split("=")[0] for warning in page.warning] == ["The address's step", "The address's layer"]
