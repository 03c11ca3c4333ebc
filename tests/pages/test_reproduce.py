"""The page of cards: what was measured, what it costs, and a press that measures."""

import pytest

from app.engine.engine import Engine
from app.studies.reproduction.page import duration
from app.studies.reproduction.verdict_table import known
from app.values.reproduction.cards import CARDS, find
from app.values.reproduction.kept import bundled
from tests.support.opening import opened, well, words


@pytest.mark.usefixtures("answering")
def test_every_card_says_its_claim_its_source_and_what_would_count() -> None:
    page = well(opened("reproduce"))
    said = words(page)
    for card in CARDS.values():
        assert card.claim in said
        assert card.tolerance in said
    assert f"{len(CARDS)} claims" in said
    assert "18 hours" in said
    assert "no recipe that trains a fixed number of blocks" in said
    assert len(page.get("html")) >= len(bundled())


def test_a_press_measures_keeps_the_verdict_and_leaves_the_address_as_it_was(answering: Engine) -> None:
    card = find("shattered")
    page = opened("reproduce")
    page.button(key="try-shattered").click().run()
    assert not page.exception
    own = known(answering.store, card)
    assert own is not None
    assert answering.store.answers.has(f"reproduced-shattered-{card.edition}")
    assert own.verdict == "reproduced"
    assert own.measured == pytest.approx(bundled()["shattered"].measured, rel=1e-3)
    assert "card" not in page.query_params


def test_what_lacks_runs_trains_them_first(answering: Engine) -> None:
    page = opened("reproduce")
    page.button(key="try-ensemble").click().run()
    assert not page.exception
    queued = [run.spec for run in answering.store.runs.all(["queued"])]
    assert sorted(spec.seed for spec in queued) == [1, 2, 3, 4]
    assert {str(spec.net).split(":")[0] for spec in queued} == {"resnet-20"}
    assert page.query_params["card"] in ("ensemble", ["ensemble"])


def test_costs_are_told_as_people_tell_them() -> None:
    assert [duration(seconds) for seconds in (0, 8, 58, 240, 66_000)] == [
        "at once",
        "about 10 s",
        "about 60 s",
        "about 4 min",
        "about 18 hours",
    ]
