"""The races of the sources: each can be run, each says what was found and where, and compares one thing."""

import re

import pytest

from app.ui.page.address import MOST
from app.values.races import RACES, Race


@pytest.mark.parametrize("name", RACES)
def test_every_contestant_is_a_run_of_its_own(name: str) -> None:
    specs = RACES[name].specs()
    assert 2 <= len(specs) <= MOST
    assert len(set(specs)) == len(specs)
    assert {spec.seed for spec in specs} == {0}


@pytest.mark.parametrize("race", RACES.values(), ids=list(RACES))
def test_every_claim_names_paper_year_and_place(race: Race) -> None:
    for part in race.source.split(";"):
        assert re.search(r"et al\. 20\d\d, (section|table|figure) \d", part), part


def test_the_suspects_differ_from_the_plain_net_in_one_thing_each() -> None:
    first, longer, l2, dropout, residual = RACES["suspects"].specs()
    assert longer.recipe.epochs == 3 * first.recipe.epochs
    assert longer.net == l2.net == first.net
    assert l2.recipe.weight_decay == 10 * first.recipe.weight_decay
    assert dropout.recipe == first.recipe
    assert residual.net.plain_twin() == first.net
