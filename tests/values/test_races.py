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


@pytest.mark.parametrize("name", RACES)
def test_what_a_source_has_lower_is_among_the_contestants(name: str) -> None:
    race = RACES[name]
    for pair in race.lower:
        assert len(set(pair)) == 2
        assert all(0 <= place < len(race.contestants) for place in pair)


def test_the_controls_differ_from_the_race_by_depth_in_the_recipe_alone() -> None:
    depth = RACES["depth"].specs()
    for name, changed in (("warm-up", {"warmup_steps": 78}), ("small-rate", {"lr": 0.01})):
        for spec, control in zip(depth, RACES[name].specs(), strict=True):
            assert spec.net == control.net
            own = {"name": control.recipe.name, **changed}
            assert spec.recipe.model_copy(update=own) == control.recipe
    epoch = depth[0].length(10_000).epoch_steps
    assert RACES["warm-up"].specs()[0].recipe.warmup_steps == epoch


def test_the_suspects_differ_from_the_plain_net_in_one_thing_each() -> None:
    first, longer, l2, dropout, residual = RACES["suspects"].specs()
    assert longer.recipe.epochs == 3 * first.recipe.epochs
    assert longer.net == l2.net == first.net
    assert l2.recipe.weight_decay == 10 * first.recipe.weight_decay
    assert dropout.recipe == first.recipe
    assert residual.net.plain_twin() == first.net
